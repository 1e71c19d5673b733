"""One file by HTTP: resumed, retried, timed out, and never longer than it should be.

What has come so far lies in the part file; a note beside it says of which address and version it
is a part, so that it is only ever continued with the same bytes (``Range`` and ``If-Range``). A
server that ignores ranges is read from the start. Whether the bytes are right is for the caller to
find out, by their hash.
"""

import email.utils
import hashlib
import json
import logging
import os
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx2

from benchmark.files import write_json
from zoo import __version__
from zoo.checkpoints.sources import checked_address, shown

Told = Callable[[int], None]  # bytes that are there
Noted = Callable[[str], None]  # a line for the user
AGAIN = (408, 425, 429, 500, 502, 503, 504)
MOVED = (301, 302, 303, 307, 308)
logging.getLogger("httpx2").setLevel(logging.WARNING)  # it would log addresses with signatures
WORTH = 20  # an attempt that brings less than this part of the file counts as failed


class Unavailable(OSError):
    """A source does not give the file; the message says why, in one line."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to try.

    Attributes:
        connect: seconds to wait for a connection; ``silence``: for the next byte.
        attempts: how many may fail in a row.
        wait: seconds before the second attempt, doubled for each one after it.
        longest: seconds to wait at the most, whatever the server asks for.
        redirects: how often a server may send us elsewhere.
        slowest: bytes a second, over ``window`` seconds, below which a connection counts as
            stalled.
    """

    connect: float = 10.0
    silence: float = 30.0
    attempts: int = 5
    wait: float = 1.0
    longest: float = 60.0
    redirects: int = 5
    slowest: float = 1000.0
    window: float = 60.0


class _Again(Exception):
    """An attempt failed in a way that may pass; ``wait`` is what the server asks for."""

    def __init__(self, reason: str, wait: float | None = None):
        super().__init__(reason)
        self.wait = wait


def fetch(
    url: str,
    part: Path,
    size: int,
    *,
    told: Told,
    noted: Noted,
    patience: Patience | None = None,
) -> None:
    """Bring ``part`` to ``size`` bytes from an address.

    Args:
        url: http or https.
        part: where to write; what lies there is continued if it is of the same address.
        size: bytes that the file must have.
        told: how many bytes are there.
        noted: why an attempt failed.
        patience: how long to try.

    Raises:
        Unavailable: it cannot be had from there.
        OSError: it cannot be written.
    """
    patience = patience or Patience()
    timeout = httpx2.Timeout(patience.silence, connect=patience.connect)
    agent = {"User-Agent": f"video-reid-zoo/{__version__}", "Accept-Encoding": "identity"}
    failed, furthest = 0, _length(part)
    with httpx2.Client(headers=agent, timeout=timeout, follow_redirects=False) as client:
        while True:
            try:
                return _attempt(client, checked_address(url), part, size, told, patience)
            except (_Again, httpx2.TransportError) as error:
                reason, asked = _reason(error), getattr(error, "wait", None)
            except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
                raise Unavailable(_reason(error)) from None
            reached = _length(part)
            failed = 0 if reached - furthest >= max(1, size // WORTH) else failed + 1
            furthest = max(furthest, reached)
            if failed >= patience.attempts:
                raise Unavailable(f"{reason} ({failed} attempts)")
            wait = _wait(failed, asked, patience)
            noted(f"  {shown(url)} {reason}: again in {wait:.0f} s")
            time.sleep(wait)


def forget(part: Path) -> None:
    """Delete a part file and the note beside it."""
    for path in (part, _note(part)):
        path.unlink(missing_ok=True)


def next_address(url: str, location: str | None) -> str:
    """Where a redirect leads.

    Raises:
        Unavailable: nowhere, to something else than http, or from https to http.
    """
    if not location:
        raise Unavailable("redirects to nowhere")
    try:
        target = checked_address(urljoin(url, location))
    except ValueError:
        raise Unavailable("redirects to something that is no https:// address") from None
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
        raise Unavailable(f"redirects from https to {shown(target)}: not followed")
    return target


# ---- one attempt ---------------------------------------------------------------------------------


def _attempt(
    client: httpx2.Client, url: str, part: Path, size: int, told: Told, patience: Patience
) -> None:
    have, validator = _kept(part, url, size)
    if have == size:
        return
    headers = {"Range": f"bytes={have}-", "If-Range": validator} if have else {}
    response = _open(client, url, headers, patience.redirects)
    try:
        start = _start(response, have, size)
        if start is None:
            forget(part)
            raise _Again("cannot go on from where it was left")
        with _open_part(part, start) as file:
            if start == 0:
                version = _version(response)
                write_json(_note(part), {"address": _address(url), "version": version})
            _copy(response, file, start, size, told, patience)
            file.flush()
            os.fsync(file.fileno())
    finally:
        response.close()


def _open(client: httpx2.Client, url: str, headers: dict, redirects: int) -> httpx2.Response:
    """The answer, after redirects; no header of ours is a secret."""
    for _ in range(redirects + 1):
        response = client.send(client.build_request("GET", url, headers=headers), stream=True)
        if response.status_code not in MOVED:
            return response
        response.close()
        url = next_address(url, response.headers.get("location"))
    raise Unavailable(f"redirects more than {redirects} times")


def _start(response: httpx2.Response, have: int, size: int) -> int | None:
    """Where in the file the answer's bytes begin; None if the part must be given up.

    Raises:
        _Again: the server is busy or broken.
        Unavailable: it does not have the file, or has another one.
    """
    code = response.status_code
    if code == 416 and have:
        return None
    if code in AGAIN:
        raise _Again(f"answers {code}", _retry_after(response))
    if code not in (200, 206):
        raise Unavailable(f"answers {code} {response.reason_phrase}".strip())
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Unavailable("sends the file compressed, though it was asked not to")
    start, whole = 0, response.headers.get("content-length", "")
    if code == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("content-range", ""))
        if not found or int(found[1]) != have:
            return None
        start, whole = have, found[2]
    if whole.isdecimal() and int(whole) != size:
        raise Unavailable(f"offers {whole} bytes, expected {size}")
    return start


def _copy(
    response: httpx2.Response, file, start: int, size: int, told: Told, patience: Patience
) -> None:
    there, since, then = start, time.monotonic(), start
    told(there)
    for chunk in response.iter_raw():
        if there + len(chunk) > size:
            raise Unavailable(f"sends more than the {size} bytes expected")
        file.write(chunk)
        there += len(chunk)
        told(there)
        passed = time.monotonic() - since
        if passed > patience.window:
            if (there - then) / passed < patience.slowest:
                raise _Again(f"sends less than {patience.slowest:.0f} bytes a second")
            since, then = time.monotonic(), there
    if there < size:
        raise _Again(f"closed the connection after {there} of {size} bytes")


# ---- the part ------------------------------------------------------------------------------------


def _kept(part: Path, url: str, size: int) -> tuple[int, str | None]:
    """How many bytes of this very file are there, and its version; else 0 and None."""
    have = _length(part)
    try:
        note = json.loads(_note(part).read_text(encoding="utf-8"))
        same = note["address"] == _address(url) and isinstance(note["version"], str)
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    return (have, note["version"]) if same and 0 < have <= size else (0, None)


def _open_part(part: Path, start: int):
    """The part opened for writing at ``start``; a link in its place is taken away."""
    if part.is_symlink():
        part.unlink()
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(part, flags, 0o666), "wb")
    file.truncate(start)
    file.seek(start)
    return file


def _length(part: Path) -> int:
    try:
        return part.lstat().st_size
    except OSError:
        return 0


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _address(url: str) -> str:
    """What stands for an address in a file: it may hold a password or a signature."""
    return hashlib.sha256(url.encode()).hexdigest()


def _version(response: httpx2.Response) -> str | None:
    """What ``If-Range`` takes: a strong ETag, else the date of the last change."""
    etag = response.headers.get("etag", "")
    return etag if etag.startswith('"') else response.headers.get("last-modified")


# ---- waiting -------------------------------------------------------------------------------------


def _retry_after(response: httpx2.Response) -> float | None:
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _wait(failed: int, asked: float | None, patience: Patience) -> float:
    """Seconds to wait: what the server asks for, else longer each time, a little by chance."""
    longer = patience.wait * 2 ** max(failed - 1, 0) * random.uniform(0.75, 1.25)
    return min(longer if asked is None else asked, patience.longest)


def _reason(error: Exception) -> str:
    """Why, in a few words, without an address in them."""
    words = {
        httpx2.ConnectTimeout: "does not answer",
        httpx2.ReadTimeout: "has fallen silent",
        httpx2.ConnectError: "cannot be reached",
        httpx2.RemoteProtocolError: "closed the connection early",
        httpx2.ReadError: "broke the connection",
    }
    known = next((text for kind, text in words.items() if isinstance(error, kind)), None)
    if known or isinstance(error, httpx2.HTTPError | httpx2.InvalidURL):
        detail = "" if known and not isinstance(error, httpx2.ConnectError) else str(error)
        detail = re.sub(r"\S*://\S*", "", " ".join(detail.split()))[:100].strip()
        return f"{known or type(error).__name__}{f' ({detail})' if detail else ''}"
    return str(error)
