"""Downloading from a server on loopback that does what servers do on bad days."""

import dataclasses
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

from tests.zoo.checkpoints.pulling import DATA, OTHER, QUICK, Notes, pull, refused
from tests.zoo.loopback import Loopback, good, moved, slow, status
from zoo.checkpoints import http
from zoo.checkpoints import retry as retrying
from zoo.checkpoints.http import Unavailable, next_address
from zoo.checkpoints.retry import RetryPolicy


@pytest.mark.parametrize("etag", ['"v1"', None, 'W/"weak"'])
def test_a_dropped_connection_is_gone_on_with(server, settings, tmp_path, etag):
    url = server.at("/f", good(DATA, etag=etag, cut=100_000), good(DATA, etag=etag))
    assert pull(tmp_path, settings, url).path.read_bytes() == DATA
    _, second = server.gets()
    if etag == '"v1"':  # only a strong version says that it is the same file
        assert second["Range"] == "bytes=100000-" and second["If-Range"] == etag
    else:
        assert "Range" not in second


def test_a_connection_that_drops_again_and_again_gets_there(server, settings, tmp_path):
    url = server.at("/f", good(DATA, cut=40_000))
    assert pull(tmp_path, settings, url).path.read_bytes() == DATA
    assert [h.get("Range") for h in server.gets()][:3] == [None, "bytes=40000-", "bytes=80000-"]


def test_a_server_that_ignores_ranges_is_read_from_the_start(server, settings, tmp_path):
    url = server.at("/f", good(DATA, cut=100_000), good(DATA, ranges=False))
    assert pull(tmp_path, settings, url).path.read_bytes() == DATA
    assert server.gets()[1]["Range"] == "bytes=100000-"


def test_a_file_that_changed_meanwhile_is_read_from_the_start(server, settings, tmp_path):
    url = server.at("/f", good(OTHER, etag='"old"', cut=100_000), good(DATA, etag='"new"'))
    assert pull(tmp_path, settings, url).path.read_bytes() == DATA


def test_a_server_that_falls_silent_is_left_and_gone_on_with(server, settings, tmp_path):
    url = server.at("/f", good(DATA, pause=(50_000, 3)), good(DATA))
    assert pull(tmp_path, settings, url).path.read_bytes() == DATA
    assert server.gets()[1]["Range"].startswith("bytes=")


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(server, settings, tmp_path, code):
    url = server.at("/f", status(code), status(code), good(DATA))
    notes = Notes()
    assert pull(tmp_path, settings, url, notes=notes).path.read_bytes() == DATA
    assert sum(f"answers {code}: trying again in" in note for note in notes.lines) == 2


def test_a_redirect_to_another_host_and_port_is_followed(server, settings, tmp_path):
    other = Loopback()
    target = other.at("/there", good(DATA, cut=100_000), good(DATA), host="localhost")
    url = server.at("/f", moved(target))
    assert pull(tmp_path, settings, url).path.read_bytes() == DATA
    other.close()
    assert other.gets()[1]["Range"] == "bytes=100000-"


def test_a_relative_redirect_is_followed(server, settings, tmp_path):
    server.at("/there", good(DATA))
    assert pull(tmp_path, settings, server.at("/f", moved("there"))).path.read_bytes() == DATA


def test_a_size_that_is_not_told_is_no_hindrance(server, settings, tmp_path):
    url = server.at("/f", good(DATA, length=False))
    assert pull(tmp_path, settings, url).path.read_bytes() == DATA


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
        (good(DATA, pause=(0, 3)), "sent nothing for too long (3 attempts)"),
        (moved("/f"), "redirects more than 5 times"),
        (moved("file:///etc/passwd"), "redirects to something that is no https:// address"),
        (moved("ftp://127.0.0.1/f"), "redirects to something that is no https:// address"),
        (status(302), "redirects to nowhere"),
        (status(200, Content_Encoding="gzip"), "compressed"),
        (status(416), "answers 416"),
        (status(503, Retry_After="²"), "answers 503 (3 attempts)"),
    ],
)  # fmt: skip
def test_each_bad_server_is_one_clear_line(server, settings, tmp_path, behaviour, says):
    text = refused(tmp_path, settings, server.at("/f", behaviour), says=says)
    assert "Traceback" not in text


def test_nobody_there_is_one_clear_line(settings, tmp_path):
    refused(tmp_path, settings, "http://127.0.0.1:9/f", says="cannot be reached")


def test_a_body_without_end_is_cut_off(server, settings, tmp_path):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(100_000))

    refused(tmp_path, settings, server.at("/f", endless), says="sends more than")
    assert sum(p.stat().st_size for p in settings.cache.iterdir()) <= len(DATA) + 1000


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
    server, settings, tmp_path, monkeypatch, asked, waits
):
    later = {"date": 3, "past": -100}.get(asked)
    if later is not None:
        asked = format_datetime(datetime.now(UTC) + timedelta(seconds=later), usegmt=True)
    headers = {} if asked is None else {"Retry_After": asked}
    waited = []
    monkeypatch.setattr(http.time, "sleep", waited.append)
    monkeypatch.setattr(retrying.random, "uniform", lambda *_: 1.0)
    url = server.at("/f", status(503, **headers), good(DATA))
    pull(tmp_path, settings, url, retry=dataclasses.replace(QUICK, wait=1.0, longest=5.0))
    assert len(waited) == 1 and waits - 1.1 <= waited[0] <= waits


def test_the_waits_grow_up_to_a_limit(server, settings, tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr(http.time, "sleep", waited.append)
    monkeypatch.setattr(retrying.random, "uniform", lambda *_: 1.0)
    retry = RetryPolicy(attempts=6, wait=1.0, longest=5.0)
    with pytest.raises(OSError, match="6 attempts"):
        pull(tmp_path, settings, server.at("/f", status(500)), retry=retry)
    assert waited == [1, 2, 4, 5, 5]


def test_a_trickle_counts_as_silence(server, settings, tmp_path):
    url = server.at("/f", slow(DATA, 1000, 0.02))
    retry = dataclasses.replace(QUICK, slowest=1e6, window=0.1)
    with pytest.raises(OSError, match="less than 1000000 bytes a second"):
        pull(tmp_path, settings, url, retry=retry)
    assert len(server.gets()) == 3


def test_no_token_of_an_address_is_shown_or_kept(server, settings, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    plain = server.at("/f", good(DATA, cut=100_000), status(500))
    url = plain.replace("http://", "http://me:hunter2@") + "?token=SECRET"
    notes = Notes()
    with pytest.raises(OSError) as error:
        pull(tmp_path, settings, url, notes=notes)
    told = str(error.value) + "".join(notes.lines) + caplog.text
    kept = b"".join(p.read_bytes() for p in settings.cache.iterdir())
    for secret in ("hunter2", "SECRET"):
        assert secret not in told and secret.encode() not in kept
    assert "token=SECRET" in server.requests[0][1]  # and yet it was sent


@pytest.mark.parametrize(
    "asked",
    [
        "99999999999999999999999",
        "9" * 5000,
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "Fri, 99 Dec 2026 99:99:99 GMT",
        "٣",
        "-5",
        "1e9",
        "nan",
    ],
)
def test_a_server_that_lies_about_when_to_come_back_is_waited_for_a_while_and_no_longer(
    server, settings, tmp_path, monkeypatch, asked
):
    waits = []
    monkeypatch.setattr(http, "_retry_after", lambda _: header(asked))
    monkeypatch.setattr(http.time, "sleep", waits.append)
    retry = RetryPolicy(attempts=100, wait=1.0)
    url = server.at("/f", status(503))
    with pytest.raises(OSError, match="answers 503, and 300 s of waiting were no use"):
        pull(tmp_path, settings, url, retry=retry)
    assert max(waits) <= 60 and 200 < sum(waits) <= 300


def header(text):
    """Seconds that such a header asks for, as it would come from a server."""
    return RETRY_AFTER(SimpleNamespace(headers={"retry-after": text}))


RETRY_AFTER = http._retry_after


def test_the_wait_and_what_is_left_of_it_are_told(server, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(http.time, "sleep", lambda _: None)
    notes, retry = Notes(), RetryPolicy(attempts=9, wait=1.0)
    url = server.at("/f", status(429, Retry_After="30"), status(429, Retry_After="30"), good(DATA))
    pull(tmp_path, settings, url, notes=notes, retry=retry)
    told = [line for line in notes.lines if "trying again" in line]
    assert told[1].endswith("trying again in 30 s (60 s of 300 s at the most)")
