import json
import os
from pathlib import Path

import pytest

from benchmark import files


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "below" / "a.txt"
    files.write_text(path, "old")

    def fail(part):
        part.write_text("half")
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        files.write_whole(path, fail)
    assert path.read_text() == "old"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_json_has_no_nan(tmp_path):
    files.write_json(tmp_path / "a.json", {"a": [1, "ä"]})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"a": [1, "ä"]}
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "b.json", {"a": float("nan")})
    assert not (tmp_path / "b.json").exists()


def test_a_full_disk_is_said_in_one_line(tmp_path):
    def full(part):
        raise OSError("write failed: No space left on device")

    with pytest.raises(
        OSError, match=r"the disk is full, .* cannot be written: make room"
    ) as caught:
        files.write_whole(tmp_path / "a", full)
    assert "\n" not in str(caught.value)


def test_what_a_killed_writer_left_is_removed(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / ".a.xyz.part.json").write_text("half")
    files.remove_parts(tmp_path)
    assert list((tmp_path / "below").iterdir()) == []


def test_hashes_are_those_of_the_bytes_and_of_sorted_json(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert files.sha256(tmp_path / "a").startswith("ba7816bf8f01cfea")
    assert files.hash_of({"a": 1, "b": 2}) == files.hash_of({"b": 2, "a": 1})
    assert len(files.hash_of([])) == 12


@pytest.mark.parametrize(
    "name", ["", "..", "a/../../b", "/etc/passwd", "C:\\x", "..\\x", "a\0b", "\\\\host\\share\\x"]
)
def test_a_name_cannot_lead_out_of_a_folder(tmp_path, name):
    with pytest.raises(ValueError, match="leads out of"):
        files.inside(tmp_path, name)


def test_a_name_below_a_folder_is_a_path_in_it(tmp_path):
    assert files.inside(tmp_path, "a/b.jpg") == tmp_path / "a" / "b.jpg"


def test_the_cache_is_where_the_environment_says_or_the_platform(monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", os.path.join("~", "zoo"))
    assert files.cache_root() == Path.home() / "zoo"
    monkeypatch.delenv("ZOO_CACHE")
    assert files.cache_root().name == files.APP
