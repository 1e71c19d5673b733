"""``zoo cache``."""

import dataclasses
import json

from tests.zoo.loopback import good
from tests.zoo.shelf import NAME
from zoo.checkpoints.cache import cached_files, lock_of
from zoo.checkpoints.config import read_settings
from zoo.checkpoints.table import table, write_table


def test_the_cache_is_listed_and_tidied(shelf, call, server):
    data = shelf.packaged.read_bytes()
    write_table(
        shelf.home / "checkpoints.toml",
        {
            name: dataclasses.replace(shelf, name=name, sources=(server.at("/f", good(data)),))
            for name in (NAME, "sta.folder-other")
        },
    )
    assert call("pull", NAME, "sta.folder-other")[0] == 0
    cache = read_settings().cache
    (cache / "sta.folder-other.safetensors").write_bytes(b"wrong")
    (cache / ".sta.folder-other.part").write_bytes(b"part")
    (cache / "mine.safetensors").write_bytes(b"mine")
    status, out, _ = call("cache", "--json")
    states = {(item["name"], item["state"]) for item in json.loads(out)}
    other = "sta.folder-other"
    assert states == {(NAME, "right"), (other, "wrong"), (other, "part"), ("mine", "unknown")}
    status, _, err = call("cache", "prune")
    assert status == 0 and "2 deleted" in err
    assert {i.name for i in cached_files(table(), read_settings())} == {NAME, "mine"}
    assert "1 deleted" in call("cache", "prune", "--all")[2]
    assert [p.name for p in cache.glob("*.safetensors")] == ["mine.safetensors"]


def test_what_is_being_fetched_is_not_tidied_away(shelf, call):
    cache = read_settings().cache
    cache.mkdir(parents=True)
    (cache / f".{NAME}.part").write_bytes(b"part")
    with lock_of(cache / shelf.file):
        _, _, err = call("cache", "prune")
    assert "left alone" in err and (cache / f".{NAME}.part").exists()


def test_rendered_data_are_listed_and_deleted_after_a_dry_run(call, tmp_path):
    folder = tmp_path / "cache" / "data" / ".synthetic-1.unfinished"
    folder.mkdir(parents=True)
    (folder / "1.jpg").write_bytes(b"1")
    status, out, _ = call("cache", "--json")
    (row,) = json.loads(out)
    assert status == 0 and (row["kind"], row["state"], row["again"]) == ("data", "part", "goes on")
    assert "1 would be deleted" in call("cache", "prune", "--dry-run")[2] and folder.is_dir()
    assert "0 deleted" in call("cache", "prune", "--unused", "1")[2] and folder.is_dir()
    assert "0 deleted" in call("cache", "prune", "--kind", "index")[2] and folder.is_dir()
    assert "1 deleted" in call("cache", "prune")[2] and not folder.exists()


def test_another_word_or_kind_is_refused(call):
    assert call("cache", "purge")[0] == 2
    status, _, err = call("cache", "--kind", "dta")
    assert status == 2 and "did you mean data" in err
