"""``zoo show``."""

import json

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


def test_an_unknown_name_is_one_line(call):
    status, _, err = call("show", "stenvan.syntetic")
    assert status == 2 and "did you mean stenvan.synthetic" in err
