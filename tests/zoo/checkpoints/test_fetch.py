"""Every source in turn, and nothing but the right bytes."""

import dataclasses
import hashlib

import pytest

from tests.zoo.checkpoints.pulling import DATA, OTHER, Notes, leftovers, pull, refused
from tests.zoo.loopback import good, status
from zoo.checkpoints import fetch as fetching
from zoo.checkpoints.cache import ensure_local
from zoo.checkpoints.config import read_settings


def test_a_server_that_mixes_two_versions_is_found_out(server, settings, tmp_path):
    mixed = good(DATA, etag='"new"', lie=True)
    url = server.at("/f", good(OTHER, etag='"old"', cut=100_000), mixed)
    notes = Notes()
    assert pull(tmp_path, settings, url, notes=notes).path.read_bytes() == DATA
    assert any("gives sha256" in note for note in notes.lines) and len(server.gets()) == 3


def test_wrong_bytes_once_are_fetched_again(server, settings, tmp_path):
    url = server.at("/f", good(OTHER), good(DATA))
    assert pull(tmp_path, settings, url).path.read_bytes() == DATA
    assert len(server.gets()) == 2


def test_what_one_source_does_not_give_the_next_one_does(server, settings, tmp_path):
    gone, wrong = server.at("/gone", status(404)), server.at("/wrong", good(OTHER))
    url = server.at("/f", good(DATA))
    assert pull(tmp_path, settings, gone, wrong, url).path.read_bytes() == DATA


def test_wrong_bytes_twice_are_refused_and_deleted(server, settings, tmp_path):
    url = server.at("/f", good(OTHER))
    text = refused(tmp_path, settings, url, says="expected")
    assert hashlib.sha256(OTHER).hexdigest()[:12] in text
    assert len(server.gets()) == 2 and leftovers(settings) == []


def test_a_full_disk_is_told_before_anything_is_written(server, settings, tmp_path, monkeypatch):
    usage = fetching.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OSError, match="has no room for the 300000 bytes"):
        pull(tmp_path, settings, server.at("/f", good(DATA)))
    assert server.gets() == []


def test_a_part_of_another_address_is_not_mixed_in(server, settings, tmp_path):
    first = server.at("/other", good(OTHER, cut=100_000), status(404))
    url = server.at("/f", good(DATA))
    assert pull(tmp_path, settings, first, url).path.read_bytes() == DATA
    assert "Range" not in server.gets("/f")[0]


def test_a_mirror_is_asked_before_the_checkpoint_s_own_source(server, shelf, tmp_path):
    data = shelf.packaged.read_bytes()
    checkpoint = dataclasses.replace(shelf, sources=(server.at("/own", good(data)),))
    server.at(f"/zoo/{checkpoint.file}", good(data))
    mirrors = (f"http://127.0.0.1:{server.port}/zoo/",)
    settings = dataclasses.replace(read_settings(), mirrors=mirrors)
    ensure_local(checkpoint, settings)
    assert [path for _, path, _ in server.requests] == [f"/zoo/{checkpoint.file}"]


def test_a_mirror_that_is_a_folder_serves_without_a_network(shelf, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / shelf.file).write_bytes(shelf.packaged.read_bytes())
    checkpoint = dataclasses.replace(shelf, sources=("https://127.0.0.1:9/f",))
    settings = dataclasses.replace(read_settings(offline=True), mirrors=(str(shared),))
    assert ensure_local(checkpoint, settings).path == settings.cache / checkpoint.file
    (shared / shelf.file).write_bytes(b"short")
    (settings.cache / checkpoint.file).unlink()
    with pytest.raises(OSError, match=f"is no file of {checkpoint.bytes} bytes"):
        ensure_local(checkpoint, settings)
