"""What a record may hold."""

import dataclasses
import os

import pytest

from benchmark import record
from benchmark.record_schema import FIELDS, fault_of, fault_of_cost
from tests.benchmark.test_record import example

WRONG = {
    "origin": ["guessed", None, 1],
    "run": ["", " ", 3, None, ["a"], {"a": 1}],
    "method": [["sta"], {}],
    "dataset": [None, 1.5],
    "split": [-1, 1.0, True, "0", 1e13, None],
    "seed": [[0], False, 10**13],
    "gallery": [0.5, "many"],
    "label": ["", "mars", "mars@x/cos-bn/a", 4, ["open@1/cos-bn/all4"]],
    "arguments": [[], None, {"a": {"b": 1}}],
    "metrics": [[], None, {"R1": 1.5}, {"R1": True}, {"R1": "1"}, {"R1": None}, {"R1": -0.1}],
    "cmc": [{}, [2], [True], ["0"], [[0.5]], None],
    "per_query": ["", "..", "../x.csv", "/etc/passwd", ".x", "a/b", "a\\b", "c:x", "a\0", 3],
    "environment": [[], {"a": [1]}, {"a": {}}, None],
    "checkpoint": [1, []],
    "command": [["zoo"], "x" * 30_000],
    "processes": [0, -2, 1.5, True, "2", None],
    "compiled": [1, "yes", None],
    "notes": ["a note", [1], [None], None],
    "cost": [[], "much", {"gmacs": "x"}, {"gmacs": -1}, {"best_batch": 1.5}, {"left_out": ["add"]}],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_field_that_holds_what_it_may_not_is_named(name):
    data = dataclasses.asdict(example())
    assert fault_of(data) is None
    for value in WRONG[name]:
        fault = fault_of(data | {name: value})
        assert fault and fault.startswith(name) and "\n" not in fault and len(fault) < 200


def test_every_field_of_a_record_has_its_rule():
    fields = {field.name for field in dataclasses.fields(record.Record)}
    assert fields - set(FIELDS) == {"schema", "cost"}  # each looked at by itself


@pytest.mark.parametrize(
    "cost",
    [
        {"latency_ms": 1e99},
        {"frames": 8},
        {"latency_steady": 1},
        {"device": 3},
        {"parts": {"stem": "x"}},
        {"left_out": {"add": 1.5}},
        {"uncounted": "inv"},
        3,
    ],
)
def test_a_cost_that_cannot_be_counted_with_is_named(cost):
    assert fault_of_cost(cost).startswith("cost")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"seed": 1e999}', "is no finite number"),
        ('{"seed": NaN}', "NaN is no finite number"),
        ('{"seed": -Infinity}', "-Infinity is no finite number"),
        ('{"seed": 99999999999999999999999}', "too large"),
        ('{"seed": ' + "9" * 5000 + "}", "too large"),
        ('{"run": "\\ud800"}', "lone surrogate"),
        ('{"\\udfff": 1}', "lone surrogate"),
        ("[" * 100_000, "nested too deep"),
        ('{"a":' * 100_000, "nested too deep"),
        ("\ufeff{}", "is not JSON"),
        ("3", "it is a int"),
    ],
)
def test_numbers_and_texts_that_no_file_of_ours_holds_are_refused(tmp_path, text, says):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ValueError, match=says) as error:
        record.load(tmp_path / "r.json")
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_a_table_that_leads_elsewhere_or_is_no_file_is_refused(tmp_path):
    (tmp_path / "outside.csv").write_text("query\n")
    folder = tmp_path / "records"
    folder.mkdir()
    os.mkfifo(folder / "pipe.csv")
    (folder / "folder.csv").mkdir()
    (folder / "link.csv").symlink_to(tmp_path / "outside.csv")
    (folder / "device.csv").symlink_to("/dev/zero")
    for name in ("pipe.csv", "folder.csv", "link.csv", "device.csv"):
        record.save(example(per_query=name), folder / "r.json")
        with pytest.raises(ValueError, match="is no file in the record's folder"):
            record.load(folder / "r.json")
    (folder / "fine.csv").write_text("query\n")
    for name in ("fine.csv", "gone.csv"):
        record.save(example(per_query=name), folder / "r.json")
        assert record.load(folder / "r.json").per_query == name


def test_a_record_that_is_a_pipe_is_refused_unopened(tmp_path):
    os.mkfifo(tmp_path / "r.json")
    with pytest.raises(OSError, match="is no regular file"):
        record.load(tmp_path / "r.json")
