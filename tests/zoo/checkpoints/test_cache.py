"""The folder of checkpoints: a verified file by name, listed and tidied."""

import dataclasses
import os
import signal
import time

import pytest

from benchmark import files
from tests.zoo.checkpoints.pulling import (
    DATA,
    NAME,
    OTHER,
    Notes,
    entry,
    leftovers,
    pull,
    pull_in_a_process,
    refused,
)
from tests.zoo.loopback import good, slow
from zoo.checkpoints.cache import cached_files, delete, ensure_local, lock_of, may_go
from zoo.checkpoints.config import read_settings


def test_a_file_is_fetched_once_and_then_kept(server, settings, tmp_path):
    url = server.at("/f", good(DATA))
    notes = Notes()
    for _ in range(3):
        found = pull(tmp_path, settings, url, notes=notes)
        assert found.path.read_bytes() == DATA
    assert len(server.gets()) == 1 and leftovers(settings) == []
    assert notes.advances[-1] == (f"pull {NAME} (kB)", 300, 300)


def test_a_tampered_file_is_deleted_and_fetched_once(server, settings, tmp_path):
    url = server.at("/f", good(DATA))
    path = pull(tmp_path, settings, url).path
    path.write_bytes(OTHER)
    notes = Notes()
    assert pull(tmp_path, settings, url, notes=notes).path.read_bytes() == DATA
    assert len(server.gets()) == 2 and any("sha256 differs: deleted" in n for n in notes.lines)


def test_a_tampered_file_that_cannot_be_had_again_is_refused(server, settings, tmp_path):
    url = server.at("/f", good(DATA), good(OTHER))
    path = pull(tmp_path, settings, url).path
    path.write_bytes(b"tampered")
    refused(tmp_path, settings, url, says="gives sha256")
    assert len(server.gets()) == 3


def test_offline_asks_nobody(server, settings, tmp_path):
    url = server.at("/f", good(DATA))
    offline = dataclasses.replace(settings, offline=True)
    with pytest.raises(OSError, match=r"the network is switched off: run `zoo pull sta\.own`"):
        pull(tmp_path, offline, url)
    assert server.requests == [] and not settings.cache.exists()
    path = pull(tmp_path, settings, url).path
    assert pull(tmp_path, offline, url).path == path
    path.write_bytes(b"tampered")
    with pytest.raises(OSError, match="the file there has another sha256"):
        pull(tmp_path, offline, url)
    assert len(server.requests) == 1


def test_links_in_the_cache_lead_nowhere(server, settings, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    settings.cache.mkdir()
    for name in (f"{NAME}.safetensors", f".{NAME}.part", f".{NAME}.part.json"):
        (settings.cache / name).symlink_to(victim)
    url = server.at("/f", good(DATA))
    path = pull(tmp_path, settings, url).path
    assert path.read_bytes() == DATA and not path.is_symlink() and victim.read_bytes() == b"mine"


def test_eight_processes_at_once_fetch_once(server, settings, tmp_path):
    url = server.at("/f", slow(DATA, 50_000, 0.1))
    processes = [pull_in_a_process(tmp_path, url) for _ in range(8)]
    done = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, done
    assert len(server.gets()) == 1
    assert (settings.cache / f"{NAME}.safetensors").read_bytes() == DATA


def test_a_killed_pull_is_gone_on_with(server, settings, tmp_path):
    url = server.at("/f", slow(DATA, 10_000, 0.05), good(DATA))
    process, part = pull_in_a_process(tmp_path, url), settings.cache / f".{NAME}.part"
    until = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 50_000):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (settings.cache / f"{NAME}.safetensors").exists()
    assert pull(tmp_path, settings, url).path.read_bytes() == DATA
    first, second = server.gets()
    assert "Range" not in first and int(second["Range"].split("=")[1].rstrip("-")) > 50_000
    assert leftovers(settings) == []


def by_hand(shelf):
    """The same checkpoint, as a file that a person converts; written as `zoo convert` does."""
    row = dataclasses.replace(
        shelf, sources=("manual",), sha256=None, bytes=None, how="zoo convert released --out {file}"
    )
    path = read_settings().cache / row.file
    path.parent.mkdir(parents=True)
    path.write_bytes(shelf.packaged.read_bytes())
    files.write_json(path.with_suffix(".json"), {"sha256": files.sha256(path)})
    return row, path


def test_a_converted_file_is_checked_against_the_hash_written_then(shelf):
    row, path = by_hand(shelf)
    assert ensure_local(row, read_settings()).path == path
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(OSError, match="is not what was converted"):
        ensure_local(row, read_settings())
    path.with_suffix(".json").unlink()
    with pytest.raises(OSError, match="convert it again"):
        ensure_local(row, read_settings())
    path.unlink()
    with pytest.raises(OSError, match=f"automatically: zoo convert released --out {path}"):
        ensure_local(row, read_settings())


# ---- listing and tidying -------------------------------------------------------------------------


@pytest.fixture
def full(settings, server, tmp_path):
    """A cache with a right and a wrong file, a part and a stranger; the table that names them."""
    right = entry(tmp_path, server.at("/f", good(DATA)))
    wrong = dataclasses.replace(right, name="sta.other")
    ensure_local(right, settings)
    (settings.cache / wrong.file).write_bytes(b"wrong")
    (settings.cache / ".sta.other.part").write_bytes(b"part")
    (settings.cache / ".sta.other.hub").mkdir()
    (settings.cache / ".sta.other.hub" / "piece").write_bytes(b"1234567")
    (settings.cache / "mine.safetensors").write_bytes(b"mine")
    (settings.cache / "notes.txt").write_text("mine")
    return {item.name: item for item in (right, wrong)}


def test_every_file_is_listed_with_its_state(full, settings):
    listed = [(f.name, f.state, f.bytes, f.refetchable) for f in cached_files(full, settings)]
    assert listed == [
        ("sta.other", "part", 7, True),
        ("sta.other", "part", 4, True),
        ("mine", "unknown", 4, False),
        ("sta.other", "wrong", 5, True),
        (NAME, "right", len(DATA), True),
    ]


def test_tidying_takes_wrong_files_and_parts_and_then_what_can_be_fetched_again(full, settings):
    def tidy(everything):
        doomed = [f for f in cached_files(full, settings) if may_go(f, everything=everything)]
        assert all(delete(file, settings) for file in doomed)
        return doomed

    assert [f.state for f in tidy(everything=False)] == ["part", "part", "wrong"]
    assert [f.name for f in tidy(everything=True)] == [NAME]
    left = {p.name for p in settings.cache.iterdir() if not p.name.endswith(".lock")}
    assert left == {"mine.safetensors", "notes.txt"}


def test_what_is_being_fetched_is_left_alone(full, settings):
    with lock_of(settings.cache / "sta.other.safetensors"):
        doomed = [f for f in cached_files(full, settings) if may_go(f, everything=False)]
        assert len(doomed) == 3 and not any(delete(file, settings) for file in doomed)
    assert len(cached_files(full, settings)) == 5


def test_loading_a_file_sets_its_last_use(server, settings, tmp_path):
    row = entry(tmp_path, server.at("/f", good(DATA)))
    path = ensure_local(row, settings).path
    os.utime(path, (1, 1))
    assert cached_files({row.name: row}, settings)[0].used == 1
    ensure_local(row, settings)
    assert cached_files({row.name: row}, settings)[0].used > 1


def test_an_empty_cache_has_no_files(settings):
    assert cached_files({}, settings) == []


def test_a_cache_that_cannot_be_made_says_what_to_set(server, settings, tmp_path):
    settings.cache.write_text("a file")
    with pytest.raises(OSError, match=r"cannot be created .*: set ZOO_CACHE"):
        pull(tmp_path, settings, server.at("/f", good(DATA)))


def test_a_folder_in_the_place_of_the_file_is_not_deleted(server, settings, tmp_path):
    (settings.cache / f"{NAME}.safetensors" / "x").mkdir(parents=True)
    with pytest.raises(OSError, match="is a folder, where a file should be"):
        pull(tmp_path, settings, server.at("/f", good(DATA)))
