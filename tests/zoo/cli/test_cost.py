"""``zoo cost``."""

import json

import pytest

from tests.zoo.shelf import BACKBONE

SMALL = ["--backbone", BACKBONE, "--frames", "4", "--height", "64", "--width", "32"]


def test_methods_are_counted_and_timed(call):
    status, out, err = call("cost", "--methods", "sta,resnet50_avg", *SMALL, "--json")
    rows = {row["method"]: row for row in json.loads(out)}
    assert status == 0, err
    assert rows["sta"]["gmacs"] > rows["resnet50_avg"]["gmacs"] > 0
    assert rows["sta"]["latency_ms"] > 0 and sum(rows["sta"]["parts"].values()) > 0


def test_a_method_that_does_not_fit_is_a_line_and_not_the_end(call):
    words = ["cost", "--methods", "stenvan,resnet50_avg", *SMALL, "--frames", "6"]
    status, out, err = call(*words)
    assert status == 0 and "stenvan: left out: " in err
    assert [line.split("\t")[0] for line in out.splitlines()] == ["method", "resnet50_avg"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--against", "others"], "--against others: expected published"),
        (["--out", "x"], "--out goes with --against published"),
        (["--methods", "stanvan"], "did you mean stenvan"),
    ],
)
def test_wrong_use_is_one_line(call, more, says):
    status, out, err = call("cost", "--methods", "sta", *more)
    assert (status, out) == (2, "") and says in err
