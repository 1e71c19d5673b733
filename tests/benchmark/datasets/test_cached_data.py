"""Rendered sets and indexes in the cache: listed and deleted."""

import json
import os

import pytest
from filelock import FileLock

from benchmark.datasets.cached_data import USELESS, cached_data, delete

KNOBS = {"identities": 6, "noise": 0.2}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A whole set, a test part, one of another renderer, a part, a damaged one and an index."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))

    def put(name, manifest=None):
        folder = tmp_path / "data" / name
        (folder / "bbox_test").mkdir(parents=True)
        (folder / "bbox_test" / "1.jpg").write_bytes(b"12345")
        if manifest is not None:
            (folder / "synthetic.json").write_text(json.dumps({"knobs": KNOBS} | manifest))
        return folder

    put("synthetic-1", {"renderer": 5, "fingerprint": "f"})
    put("synthetic-2", {"renderer": 5, "test_fingerprint": "f"})
    put("synthetic-3", {"renderer": 4, "fingerprint": "f"})
    put(".synthetic-4.unfinished")
    put("synthetic-5")
    put("mine")
    (tmp_path / "indexes").mkdir()
    (tmp_path / "indexes" / "1.index").write_bytes(b"123")
    return tmp_path


def test_everything_is_told_by_its_name_and_state(cache):
    found = {(item.path.name, item.name, item.state, item.again) for item in cached_data()}
    name = "synthetic[identities=6]"
    assert found == {
        ("synthetic-1", name, "right", "rendered"),
        ("synthetic-2", f"{name}:test", "right", "rendered"),
        ("synthetic-3", name, "old", "rendered"),
        (".synthetic-4.unfinished", ".synthetic-4.unfinished", "part", "goes on"),
        ("synthetic-5", "synthetic-5", "damaged", "rendered"),
        ("1.index", "1.index", "right", "read anew"),
    }
    assert all(item.bytes >= 3 for item in cached_data())


def test_the_last_use_is_the_manifest_s_time(cache):
    os.utime(cache / "data" / "synthetic-1" / "synthetic.json", (7, 7))
    assert next(i for i in cached_data() if i.path.name == "synthetic-1").used == 7


def test_what_is_deleted_is_gone_and_nothing_else(cache):
    assert all(delete(item) for item in cached_data() if item.state in USELESS)
    left = {path.name for path in (cache / "data").iterdir() if path.is_dir()}
    assert left == {"synthetic-1", "synthetic-2", "synthetic-5", "mine"}
    assert all(delete(item) for item in cached_data())
    assert [p.name for p in (cache / "data").iterdir() if p.is_dir()] == ["mine"]


def test_what_is_being_rendered_is_left_alone(cache):
    part = next(item for item in cached_data() if item.state == "part")
    with FileLock(cache / "data" / ".synthetic-4.lock"):
        assert not delete(part)
    assert part.path.is_dir()
