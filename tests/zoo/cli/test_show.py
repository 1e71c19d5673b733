"""``zoo show``."""

import dataclasses
import json

import pytest

from benchmark.recipe import Recipe
from benchmark.recipes import RECIPES
from tests.zoo.conftest import PUBLISHED


def test_everything_that_is_known_of_a_checkpoint_is_shown(table, call):
    status, out, _ = call("show", PUBLISHED)
    rows = dict(line.split("\t", 1) for line in out.splitlines())
    assert status == 0 and rows["method"] == "sta" and rows["licence"] == "CC-BY-4.0"
    assert "mAP " in rows["open@1/cos-bn/chunk-first4"] and rows["command"].startswith("zoo bench")


def test_the_same_as_json(table, call):
    status, out, _ = call("show", PUBLISHED, "--json")
    (told,) = json.loads(out)
    assert status == 0 and 0 <= told["scores"]["open@1/cos-bn/chunk-first4"]["mAP"] <= 1


def test_a_whole_recipe_is_shown_with_what_each_field_means(call):
    status, out, _ = call("show", "quick")
    header, *lines = out.splitlines()
    rows = {field: (value, meaning) for field, value, meaning in (one.split("\t") for one in lines)}
    assert status == 0 and header == "field\tvalue\tmeaning"
    assert rows["lr"] == ("0.0008", "learning rate.")
    assert rows["height"] == ("128", "of the images, in pixels.")
    assert rows["test_frames"][0] == "chunk-first"
    settings = {field.name for field in dataclasses.fields(Recipe)} - {"evaluation"}
    assert set(rows) == settings | {"test_frames", "distance"}
    assert all(meaning for _, meaning in rows.values())


def test_a_recipe_is_shown_as_changed(call):
    status, out, _ = call("show", "quick[epochs=3]", "--json")
    (told,) = json.loads(out)
    assert status == 0 and told["epochs"] == 3 and told["channels"] == [16, 32, 64, 128]


def test_a_protocol_is_shown_under_any_of_its_names(call):
    status, out, _ = call("show", "mars-official")
    assert status == 0 and "\nqueries\tinside\twhere queries stand" in out
    assert "raised whenever a number would move" in out
    assert "mars-cosam" in call("show", "mars-torchreid")[1]
    assert "\nname\tmars-torchreid\t" in call("show", "mars-cosam")[1]


def test_a_name_of_two_kinds_asks_which(call, monkeypatch):
    monkeypatch.setitem(RECIPES, "mars-ap3d", dataclasses.replace(RECIPES["quick"], lr=0.5))
    status, out, err = call("show", "mars-ap3d")
    assert (status, out) == (2, "") and err.count("\n") == 1
    assert "mars-ap3d is a recipe and a protocol: say which by --kind" in err
    assert "lr\t0.5\t" in call("show", "mars-ap3d", "--kind", "recipe")[1]
    assert "queries\tfirst\t" in call("show", "mars-ap3d", "--kind", "protocol")[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["stenvan.syntetic"], "did you mean stenvan.synthetic (checkpoint)"),
        (["quik"], "did you mean quick (recipe)"),
        (["mars-oficial"], "mars-official (protocol)"),
        (["quick[epoch=3]"], "did you mean epochs"),
        (["xyzzy"], "no checkpoint, recipe or protocol is called 'xyzzy'"),
        (["sta"], "sta is a method: `zoo list methods sta`"),
        (["mars"], "mars is a data set: `zoo list datasets mars`"),
        (["quick", "--kind", "recipes"], "--kind 'recipes': expected one of"),
        (["quick", "--kind", "protocol"], "no protocol is called 'quick'"),
    ],
)
def test_an_unknown_name_is_one_line(call, words, says):
    status, out, err = call("show", *words)
    assert (status, out) == (2, "") and err.count("\n") == 1 and says in err
