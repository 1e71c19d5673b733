"""Files: whole or not at all, hashed, and kept inside their folder."""

import errno
import hashlib
import json
import os
import stat

import pytest

from benchmark import files


def names(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def test_a_file_is_written_with_its_folders_and_in_utf_8(tmp_path):
    files.write_text(tmp_path / "a" / "b.txt", "θ\nφ\n")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "θ\nφ\n".encode()


def test_json_is_read_as_it_was_written_and_has_no_nan(tmp_path):
    data = {"names": ["θ"], "share": 0.1}
    files.write_json(tmp_path / "x.json", data)
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert json.loads(text) == data and "θ" in text and text.endswith("}\n")
    with pytest.raises(ValueError):
        files.write_json(tmp_path / "x.json", {"share": float("nan")})
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == data


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_file_is_as_readable_as_any_other(tmp_path):
    files.write_text(tmp_path / "ours", "x")
    (tmp_path / "plain").write_text("x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "plain")]
    assert modes[0] == modes[1]


def test_a_kill_while_writing_leaves_the_old_file(tmp_path):
    files.write_text(tmp_path / "file.txt", "old")

    def killed(part):
        part.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write_whole(tmp_path / "file.txt", killed)
    assert names(tmp_path) == ["file.txt"] and (tmp_path / "file.txt").read_text() == "old"


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


def test_a_file_has_the_hash_of_its_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"abc" * 1000)
    assert files.sha256(tmp_path / "x") == hashlib.sha256(b"abc" * 1000).hexdigest()


def test_a_hash_is_short_and_the_same_everywhere():
    assert files.hash_of({"lr": 0.1, "names": ["θ"]}) == "536af4c4e631"
    with pytest.raises(ValueError):
        files.hash_of({"lr": float("nan")})


@pytest.mark.parametrize("name", ["a.jpg", "a/b/c.jpg", "./a.jpg", "..a/b..jpg"])
def test_a_path_below_the_root_is_inside_it(tmp_path, name):
    assert files.inside(tmp_path, name).is_relative_to(tmp_path)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "a/../../b", "/etc/passwd", "C:/a", "C:\\a", "..\\a", "a\0b"]
)
def test_a_path_that_leads_out_of_the_root_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="expected a path below it"):
        files.inside(tmp_path, name)


def test_the_cache_is_where_zoo_cache_says_or_where_the_platform_has_it(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    assert files.cache_root() == tmp_path
    monkeypatch.setenv("ZOO_CACHE", "~/cache")
    assert files.cache_root().is_absolute() and files.cache_root().name == "cache"
    monkeypatch.delenv("ZOO_CACHE")
    assert files.APP in str(files.cache_root())
