"""Records: read as they were written, and refused by name where they are none."""

import dataclasses
import json

import pytest

from benchmark import record
from benchmark.record import Record


def example(**changes):
    return Record(
        **{
            "run": "abc",
            "method": "sta",
            "recipe": "quick",
            "dataset": "synthetic",
            "fingerprint": "f",
            "label": "open@1/cos-bn/chunk-first4",
            "gallery": 10,
            "queries": 5,
            "dropped": 1,
            "metrics": {"R1": 0.5, "mAP": 0.25},
            **changes,
        }
    )


def test_a_record_is_read_as_it_was_written(tmp_path):
    record.save(example(cost={"gmacs": 1.5}), tmp_path / "deep" / "r.json")
    assert record.load(tmp_path / "deep" / "r.json") == example(cost={"gmacs": 1.5})


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda d: d.pop("label"), "missing .'label'."),
        (lambda d: d.update(foo=1), "unknown .'foo'."),
        (lambda d: d.update(schema=99), "no record of schema"),
        (lambda d: d["metrics"].update(R1=87.0), "fraction"),
    ],
)
def test_a_foreign_record_is_refused_by_name(tmp_path, break_it, says):
    data = dataclasses.asdict(example())
    break_it(data)
    (tmp_path / "r.json").write_text(json.dumps(data))
    with pytest.raises(ValueError, match=f"r.json.*{says}"):
        record.load(tmp_path / "r.json")


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00"])
def test_what_is_no_json_is_refused_by_name(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ValueError, match=r"r\.json"):
        record.load(tmp_path / "r.json")


def test_nan_is_never_written(tmp_path):
    with pytest.raises(ValueError):
        record.save(example(metrics={"mAP": float("nan")}), tmp_path / "r.json")
    assert list(tmp_path.iterdir()) == []


def test_a_record_of_before_processes_were_counted_had_one(tmp_path):
    record.save(example(processes=4, compiled=True), tmp_path / "r.json")
    assert record.load(tmp_path / "r.json").processes == 4
    data = json.loads((tmp_path / "r.json").read_text())
    del data["processes"], data["compiled"]
    (tmp_path / "r.json").write_text(json.dumps(data))
    before = record.load(tmp_path / "r.json")
    assert (before.processes, before.compiled) == (1, False)
