"""``zoo list``."""

import json

import pytest

from benchmark.rules import PROTOCOLS
from tests.zoo.shelf import NAME
from zoo import registry
from zoo.experiment.paper_recipes import known_recipes


@pytest.fixture
def names(call):
    def run(*words):
        status, out, err = call("list", *words, "--json")
        assert status == 0, err
        return [row["name"] for row in json.loads(out)]

    return run


def test_everything_known_is_listed(names):
    assert names() == registry.list_methods()
    assert names("recipes") == list(known_recipes())
    assert names("protocols") == list(PROTOCOLS)
    assert {"mars", "synthetic", "folder"} <= set(names("datasets"))


def test_a_wildcard_chooses(names):
    assert set(names("methods", "*nvan*")) >= {"nvan", "stenvan"}
    assert "sta" not in names("methods", "*nvan*")


def test_checkpoints_are_listed_with_where_they_are(shelf, call):
    status, out, _ = call("list", "checkpoints", "sta.folder*", "--json")
    (row,) = json.loads(out)
    assert status == 0 and (row["name"], row["file"], row["size"]) == (NAME, "packaged", "64x32")


def test_what_is_no_knob_of_the_data_is_not_listed(call):
    printed = call("list", "datasets", "synthetic", "--json")[1]
    assert "occlusion=" in printed and "root=" not in printed and "progress=" not in printed


@pytest.mark.parametrize(
    ("words", "says"), [(["methodz"], "expected one of methods"), (["methods", "x*"], "")]
)
def test_what_cannot_be_listed_is_told(call, words, says):
    status, _, err = call("list", *words)
    assert says in err and status == (2 if says else 0)
