"""Pulling from a server on loopback that does what servers do on bad days."""

import dataclasses
import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import numpy as np
import pytest

from tests.zoo.loopback import Loopback, good, moved, slow, status
from zoo.checkpoints import cache as store
from zoo.checkpoints import http as download
from zoo.checkpoints.cache import Watch, obtain
from zoo.checkpoints.config import Settings
from zoo.checkpoints.http import Patience, Unavailable, next_address
from zoo.checkpoints.table import Checkpoint

DATA = np.random.default_rng(0).bytes(300_000)
OTHER = np.random.default_rng(1).bytes(300_000)
NAME = "sta.own"
QUICK = Patience(connect=2, silence=0.4, attempts=3, wait=0.01, longest=0.05)
ONE = {
    "method": "sta",
    "backbone": "resnet50",
    "dataset": "own",
    "recipe": "quick",
    "frames": "chunk-first4",
    "height": 64,
    "width": 32,
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
    "distance": "cos-bn",
    "licence": "Apache-2.0",
    "origin": "a test",
}


@pytest.fixture
def where(tmp_path):
    return Settings(cache=tmp_path / "cache", mirrors=(), offline=False, tables=())


def row(home, *sources, data=DATA):
    digest = hashlib.sha256(data).hexdigest()
    size = len(data)
    return Checkpoint(name=NAME, home=home, sources=sources, bytes=size, sha256=digest, **ONE)


def pull(home, where, *sources, patience=QUICK, notes=None):
    notes = [] if notes is None else notes
    watch = Watch(note=notes.append, patience=patience)
    return obtain(row(home, *sources), where, watch)


def leftovers(where):
    return [p.name for p in where.cache.iterdir() if ".part" in p.name or ".hub" in p.name]


def refused(home, where, *sources, says):
    """The pull fails with one line and leaves no file behind that could be taken for it."""
    with pytest.raises(OSError) as error:
        pull(home, where, *sources)
    text = str(error.value)
    assert says in text and "\n" not in text and text.startswith(NAME)
    assert not (where.cache / f"{NAME}.safetensors").exists()
    return text


# ---- servers that give the file in the end -------------------------------------------------------


def test_a_file_is_fetched_once_and_then_kept(server, where, tmp_path):
    url = server.at("/f", good(DATA))
    seen = []
    watch = Watch(progress=lambda *told: seen.append(told), patience=QUICK)
    for _ in range(3):
        found = obtain(row(tmp_path, url), where, watch)
        assert found.path.read_bytes() == DATA
    assert len(server.gets()) == 1 and leftovers(where) == []
    assert seen[-1] == (f"pull {NAME} (kB)", 300, 300)


@pytest.mark.parametrize("etag", ['"v1"', None, 'W/"weak"'])
def test_a_dropped_connection_is_gone_on_with(server, where, tmp_path, etag):
    url = server.at("/f", good(DATA, etag=etag, cut=100_000), good(DATA, etag=etag))
    assert pull(tmp_path, where, url).path.read_bytes() == DATA
    _, second = server.gets()
    if etag == '"v1"':  # only a strong version says that it is the same file
        assert second["Range"] == "bytes=100000-" and second["If-Range"] == etag
    else:
        assert "Range" not in second


def test_a_connection_that_drops_again_and_again_gets_there(server, where, tmp_path):
    url = server.at("/f", good(DATA, cut=40_000))
    assert pull(tmp_path, where, url).path.read_bytes() == DATA
    assert [h.get("Range") for h in server.gets()][:3] == [None, "bytes=40000-", "bytes=80000-"]


def test_a_server_that_ignores_ranges_is_read_from_the_start(server, where, tmp_path):
    url = server.at("/f", good(DATA, cut=100_000), good(DATA, ranges=False))
    assert pull(tmp_path, where, url).path.read_bytes() == DATA
    assert server.gets()[1]["Range"] == "bytes=100000-"


def test_a_file_that_changed_meanwhile_is_read_from_the_start(server, where, tmp_path):
    url = server.at("/f", good(OTHER, etag='"old"', cut=100_000), good(DATA, etag='"new"'))
    assert pull(tmp_path, where, url).path.read_bytes() == DATA


def test_a_server_that_mixes_two_versions_is_found_out(server, where, tmp_path):
    mixed = good(DATA, etag='"new"', lie=True)
    url = server.at("/f", good(OTHER, etag='"old"', cut=100_000), mixed)
    notes = []
    assert pull(tmp_path, where, url, notes=notes).path.read_bytes() == DATA
    assert any("gives sha256" in note for note in notes) and len(server.gets()) == 3


def test_wrong_bytes_once_are_fetched_again(server, where, tmp_path):
    url = server.at("/f", good(OTHER), good(DATA))
    assert pull(tmp_path, where, url).path.read_bytes() == DATA
    assert len(server.gets()) == 2


def test_a_server_that_falls_silent_is_left_and_gone_on_with(server, where, tmp_path):
    url = server.at("/f", good(DATA, pause=(50_000, 3)), good(DATA))
    assert pull(tmp_path, where, url).path.read_bytes() == DATA
    assert server.gets()[1]["Range"].startswith("bytes=")


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(server, where, tmp_path, code):
    url = server.at("/f", status(code), status(code), good(DATA))
    notes = []
    assert pull(tmp_path, where, url, notes=notes).path.read_bytes() == DATA
    assert sum(f"answers {code}: again in" in note for note in notes) == 2


def test_a_redirect_to_another_host_and_port_is_followed(server, where, tmp_path):
    other = Loopback()
    target = other.at("/there", good(DATA, cut=100_000), good(DATA), host="localhost")
    url = server.at("/f", moved(target))
    assert pull(tmp_path, where, url).path.read_bytes() == DATA
    other.close()
    assert other.gets()[1]["Range"] == "bytes=100000-"


def test_a_relative_redirect_is_followed(server, where, tmp_path):
    server.at("/there", good(DATA))
    assert pull(tmp_path, where, server.at("/f", moved("there"))).path.read_bytes() == DATA


def test_a_size_that_is_not_told_is_no_hindrance(server, where, tmp_path):
    url = server.at("/f", good(DATA, length=False))
    assert pull(tmp_path, where, url).path.read_bytes() == DATA


def test_what_one_source_does_not_give_the_next_one_does(server, where, tmp_path):
    gone, wrong = server.at("/gone", status(404)), server.at("/wrong", good(OTHER))
    url = server.at("/f", good(DATA))
    assert pull(tmp_path, where, gone, wrong, url).path.read_bytes() == DATA


# ---- servers that never give it ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (status(404), "answers 404 Not Found"),
        (status(403), "answers 403"),
        (status(500), "answers 500 (3 attempts)"),
        (status(429, Retry_After="0"), "answers 429 (3 attempts)"),
        (good(OTHER), "gives sha256"),
        (good(DATA[:-1]), "offers 299999 bytes, expected 300000"),
        (good(DATA + b"x", length=False), "sends more than the 300000 bytes expected"),
        (good(DATA, ranges=False, cut=1000), "closed the connection"),
        (good(DATA, length=False, cut=0), "closed the connection"),
        (good(DATA, pause=(0, 3)), "has fallen silent (3 attempts)"),
        (moved("/f"), "redirects more than 5 times"),
        (moved("file:///etc/passwd"), "redirects to something that is no https:// address"),
        (moved("ftp://127.0.0.1/f"), "redirects to something that is no https:// address"),
        (status(302), "redirects to nowhere"),
        (status(200, Content_Encoding="gzip"), "compressed"),
        (status(416), "answers 416"),
        (status(503, Retry_After="²"), "answers 503 (3 attempts)"),
    ],
)  # fmt: skip
def test_each_bad_server_is_one_clear_line(server, where, tmp_path, behaviour, says):
    text = refused(tmp_path, where, server.at("/f", behaviour), says=says)
    assert "Traceback" not in text


def test_wrong_bytes_twice_are_refused_and_deleted(server, where, tmp_path):
    url = server.at("/f", good(OTHER))
    text = refused(tmp_path, where, url, says="expected")
    assert hashlib.sha256(OTHER).hexdigest()[:12] in text
    assert len(server.gets()) == 2 and leftovers(where) == []


def test_nobody_there_is_one_clear_line(where, tmp_path):
    refused(tmp_path, where, "http://127.0.0.1:9/f", says="cannot be reached")


def test_a_body_without_end_is_cut_off(server, where, tmp_path):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(100_000))

    refused(tmp_path, where, server.at("/f", endless), says="sends more than")
    assert sum(p.stat().st_size for p in where.cache.iterdir()) <= len(DATA) + 1000


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1/f", "http://example.org/f", "javascript:1", "https://[", None]
)
def test_https_never_leads_to_anything_less(target):
    with pytest.raises(Unavailable):
        next_address("https://example.org/a/b", target)


def test_https_leads_to_other_hosts():
    url = next_address("https://example.org/a/b", "https://cdn.example.org/c?x=1")
    assert url == "https://cdn.example.org/c?x=1"
    assert next_address("https://example.org/a/b", "c") == "https://example.org/a/c"


@pytest.mark.parametrize(
    ("asked", "waits"),
    [("2", 2.0), ("100000", 5.0), (None, 1.0), ("soon", 1.0), ("date", 3.0), ("past", 0.0)],
)
def test_what_the_server_asks_for_is_waited_up_to_a_limit(
    server, where, tmp_path, monkeypatch, asked, waits
):
    later = {"date": 3, "past": -100}.get(asked)
    if later is not None:
        asked = format_datetime(datetime.now(UTC) + timedelta(seconds=later), usegmt=True)
    headers = {} if asked is None else {"Retry_After": asked}
    waited = []
    monkeypatch.setattr(download.time, "sleep", waited.append)
    monkeypatch.setattr(download.random, "uniform", lambda *_: 1.0)
    url = server.at("/f", status(503, **headers), good(DATA))
    pull(tmp_path, where, url, patience=dataclasses.replace(QUICK, wait=1.0, longest=5.0))
    assert len(waited) == 1 and waits - 1.1 <= waited[0] <= waits


def test_the_waits_grow_up_to_a_limit(server, where, tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr(download.time, "sleep", waited.append)
    monkeypatch.setattr(download.random, "uniform", lambda *_: 1.0)
    patience = Patience(attempts=6, wait=1.0, longest=5.0)
    with pytest.raises(OSError, match="6 attempts"):
        pull(tmp_path, where, server.at("/f", status(500)), patience=patience)
    assert waited == [1, 2, 4, 5, 5]


def test_a_trickle_counts_as_silence(server, where, tmp_path):
    url = server.at("/f", slow(DATA, 1000, 0.02))
    patience = dataclasses.replace(QUICK, slowest=1e6, window=0.1)
    with pytest.raises(OSError, match="less than 1000000 bytes a second"):
        pull(tmp_path, where, url, patience=patience)
    assert len(server.gets()) == 3


def test_a_full_disk_is_told_before_anything_is_written(server, where, tmp_path, monkeypatch):
    usage = store.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(store.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OSError, match="has no room for the 300000 bytes"):
        pull(tmp_path, where, server.at("/f", good(DATA)))
    assert server.gets() == []


# ---- secrets -------------------------------------------------------------------------------------


def test_no_token_of_an_address_is_shown_or_kept(server, where, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    plain = server.at("/f", good(DATA, cut=100_000), status(500))
    url = plain.replace("http://", "http://me:hunter2@") + "?token=SECRET"
    notes = []
    with pytest.raises(OSError) as error:
        pull(tmp_path, where, url, notes=notes)
    told = str(error.value) + "".join(notes) + caplog.text
    kept = b"".join(p.read_bytes() for p in where.cache.iterdir())
    for secret in ("hunter2", "SECRET"):
        assert secret not in told and secret.encode() not in kept
    assert "token=SECRET" in server.requests[0][1]  # and yet it was sent


# ---- the cache -----------------------------------------------------------------------------------


def test_a_tampered_file_is_deleted_and_fetched_once(server, where, tmp_path):
    url = server.at("/f", good(DATA))
    path = pull(tmp_path, where, url).path
    path.write_bytes(OTHER)
    notes = []
    assert pull(tmp_path, where, url, notes=notes).path.read_bytes() == DATA
    assert len(server.gets()) == 2 and any("sha256 differs: deleted" in n for n in notes)


def test_a_tampered_file_that_cannot_be_had_again_is_refused(server, where, tmp_path):
    url = server.at("/f", good(DATA), good(OTHER))
    path = pull(tmp_path, where, url).path
    path.write_bytes(b"tampered")
    refused(tmp_path, where, url, says="gives sha256")
    assert len(server.gets()) == 3


def test_offline_asks_nobody(server, where, tmp_path):
    url = server.at("/f", good(DATA))
    offline = dataclasses.replace(where, offline=True)
    with pytest.raises(OSError, match=r"the network is switched off: `zoo pull sta\.own`"):
        pull(tmp_path, offline, url)
    assert server.requests == [] and not where.cache.exists()
    path = pull(tmp_path, where, url).path
    assert pull(tmp_path, offline, url).path == path
    path.write_bytes(b"tampered")
    with pytest.raises(OSError, match="what lies there has another sha256"):
        pull(tmp_path, offline, url)
    assert len(server.requests) == 1


def test_links_in_the_cache_lead_nowhere(server, where, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    where.cache.mkdir()
    for name in (f"{NAME}.safetensors", f".{NAME}.part", f".{NAME}.part.json"):
        (where.cache / name).symlink_to(victim)
    url = server.at("/f", good(DATA))
    path = pull(tmp_path, where, url).path
    assert path.read_bytes() == DATA and not path.is_symlink() and victim.read_bytes() == b"mine"


def test_a_part_of_another_address_is_not_mixed_in(server, where, tmp_path):
    first = server.at("/other", good(OTHER, cut=100_000), status(404))
    url = server.at("/f", good(DATA))
    assert pull(tmp_path, where, first, url).path.read_bytes() == DATA
    assert "Range" not in server.gets("/f")[0]


@pytest.mark.parametrize("note", [b"", b"[]", b"{}", b'{"address": 1, "version": null}', b"\xff"])
def test_a_part_with_a_broken_note_is_started_anew(server, where, tmp_path, note):
    where.cache.mkdir()
    (where.cache / f".{NAME}.part").write_bytes(OTHER[:1000])
    (where.cache / f".{NAME}.part.json").write_bytes(note)
    assert pull(tmp_path, where, server.at("/f", good(DATA))).path.read_bytes() == DATA
    assert "Range" not in server.gets()[0]


def test_a_part_that_is_too_long_is_started_anew(server, where, tmp_path):
    url = server.at("/f", good(DATA, cut=1000), status(404))
    with pytest.raises(OSError, match="answers 404"):
        pull(tmp_path, where, url)
    with (where.cache / f".{NAME}.part").open("ab") as part:
        part.write(bytes(len(DATA)))
    server.at("/f", good(DATA))
    assert pull(tmp_path, where, url).path.read_bytes() == DATA
    assert "Range" not in server.gets()[-1]


HUB = {"X-Repo-Commit": "a" * 40}
PULL = """
import sys, json, pathlib
from zoo.checkpoints.table import Checkpoint
from zoo.checkpoints.config import Settings
from zoo.checkpoints.cache import obtain, Watch
told = json.loads(sys.argv[1])
home = pathlib.Path(told.pop("home"))
where = Settings(cache=home / "cache", mirrors=(), offline=False, tables=())
row = Checkpoint(home=home, **{k: tuple(v) if isinstance(v, list) else v for k, v in told.items()})
print("started", flush=True)
print(obtain(row, where).path)
"""


def apart(home, url, **environment):
    """Start a pull in a process of its own."""
    told = dataclasses.asdict(row(home, url)) | {"home": str(home)}
    return subprocess.Popen(
        [sys.executable, "-c", PULL, json.dumps(told)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def test_eight_processes_at_once_fetch_once(server, where, tmp_path):
    url = server.at("/f", slow(DATA, 50_000, 0.1))
    processes = [apart(tmp_path, url) for _ in range(8)]
    done = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, done
    assert len(server.gets()) == 1
    assert (where.cache / f"{NAME}.safetensors").read_bytes() == DATA


def test_a_killed_pull_is_gone_on_with(server, where, tmp_path):
    url = server.at("/f", slow(DATA, 10_000, 0.05), good(DATA))
    process, part = apart(tmp_path, url), where.cache / f".{NAME}.part"
    until = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 50_000):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (where.cache / f"{NAME}.safetensors").exists()
    assert pull(tmp_path, where, url).path.read_bytes() == DATA
    first, second = server.gets()
    assert "Range" not in first and int(second["Range"].split("=")[1].rstrip("-")) > 50_000
    assert leftovers(where) == []


# ---- the hub -------------------------------------------------------------------------------------


def from_hub(server, home, source="hf://me/repo/sta.safetensors@v1"):
    """Pull from a hub on loopback, with a token that nobody may see."""
    process = apart(
        home,
        source,
        HF_ENDPOINT=f"http://127.0.0.1:{server.port}",
        HF_TOKEN="hf_SECRETSECRETSECRET",
        HF_HOME=str(home / "hf"),
    )
    out, err = process.communicate(timeout=120)
    assert "SECRET" not in out + err
    kept = [p for p in (home / "cache").rglob("*") if p.is_file()]
    assert not any(b"SECRETSECRET" in p.read_bytes() for p in kept)
    return process.returncode, out, err


def test_the_hub_gives_a_file_at_a_revision(server, where, tmp_path):
    server.at("/me/repo/resolve/v1/sta.safetensors", good(DATA, headers=HUB))
    code, _, err = from_hub(server, tmp_path)
    assert code == 0, err
    assert (where.cache / f"{NAME}.safetensors").read_bytes() == DATA and leftovers(where) == []
    sent = [{k.lower(): v for k, v in headers.items()} for headers in server.gets()]
    assert sent[-1]["authorization"] == "Bearer hf_SECRETSECRETSECRET"


def test_the_hub_s_folder_cannot_be_led_elsewhere(server, where, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    where.cache.mkdir()
    (where.cache / f".{NAME}.hub").symlink_to(tmp_path / "elsewhere")
    server.at("/me/repo/resolve/v1/sta.safetensors", good(DATA, headers=HUB))
    assert from_hub(server, tmp_path)[0] == 0
    assert list((tmp_path / "elsewhere").iterdir()) == [] and leftovers(where) == []


def test_a_wrong_file_of_the_hub_is_refused(server, where, tmp_path):
    server.at("/me/repo/resolve/v1/sta.safetensors", good(OTHER, headers=HUB))
    code, _, err = from_hub(server, tmp_path)
    assert code == 1 and "gives sha256" in err.splitlines()[-1]
    assert not (where.cache / f"{NAME}.safetensors").exists() and leftovers(where) == []


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("RepoNotFound", "has no such repository, or it is private"),
        ("RevisionNotFound", "has no such revision"),
        ("EntryNotFound", "has no such file"),
        ("GatedRepo", "asks for its terms to be accepted"),
        ("Unheard", "answers 404"),
    ],
)
def test_what_the_hub_refuses_is_one_line(server, where, tmp_path, error, says):
    code = 403 if error == "GatedRepo" else 404
    server.at("/me/repo/resolve/v1/sta.safetensors", status(code, X_Error_Code=error))
    rc, _, err = from_hub(server, tmp_path)
    assert rc == 1 and says in err.splitlines()[-1], err
