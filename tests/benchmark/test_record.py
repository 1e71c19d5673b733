"""Records and files that are written whole or not at all."""

import dataclasses
import errno
import json

import pytest

from benchmark import files, record
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


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    files.write_text(path, "old")

    def fail(part):
        part.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        files.write_whole(path, fail)
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), RuntimeError("I/O error: No space left on device")]
)
def test_a_full_disk_is_told_in_one_way_with_the_path(tmp_path, error):
    def fail(part):
        raise error

    with pytest.raises(OSError, match=r"the disk is full, .*x\.json cannot be written: make room"):
        files.write_whole(tmp_path / "x.json", fail)


def test_what_a_killed_writer_left_is_swept_away(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".file.x1.part.json").write_text("half")
    (tmp_path / "kept.json").write_text("{}")
    files.remove_parts(tmp_path)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["kept.json"]


def test_the_hash_does_not_depend_on_the_order_of_keys():
    assert files.hash_of({"a": 1, "b": 2}) == files.hash_of({"b": 2, "a": 1})
    assert files.hash_of({"a": 1}) != files.hash_of({"a": 2})
