"""Download one file by HTTP: resumed, retried, timed out, and never longer than it should be.

What has arrived so far lies in a `PartFile`, which is only ever continued with bytes of the same
address and version (``Range`` and ``If-Range``). A server that ignores ranges is read from the
start. Whether the bytes are right is for the caller to find out, by their hash.
"""

import email.utils
import logging
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import httpx2

from zoo import __version__
from zoo.checkpoints.part_file import PartFile
from zoo.checkpoints.retry import RetryPolicy
from zoo.checkpoints.sources import checked_address, shown

_PASSING = (408, 425, 429, 500, 502, 503, 504)  # statuses that another attempt may not meet
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADWAY = 20  # an attempt that brings less than 1/20 of the file counts as failed
_OnBytes = Callable[[int], None]  # called with the bytes that are there
logging.getLogger("httpx2").setLevel(logging.WARNING)  # it would log addresses with signatures


class Unavailable(OSError):
    """A source does not give the file; the message says why, in one line."""


class _Retry(Exception):
    """An attempt failed in a way that may pass; ``wait`` is what the server asks for."""

    def __init__(self, reason: str, wait: float | None = None):
        super().__init__(reason)
        self.wait = wait


def download(
    url: str,
    path: Path,
    size: int,
    *,
    on_bytes: _OnBytes,
    note: Callable[[str], None],
    retry: RetryPolicy,
) -> None:
    """Bring the file at ``path`` to ``size`` bytes from an address.

    Args:
        url: http or https.
        path: of the part; what lies there is continued if it is of the same address.
        size: bytes that the file must have.
        on_bytes: called with the bytes that are there.
        note: called with a line on why an attempt failed.
        retry: how long to try.

    Raises:
        Unavailable: it cannot be had from there.
        OSError: it cannot be written.
    """
    part = PartFile(path)
    timeout = httpx2.Timeout(retry.silence, connect=retry.connect)
    headers = {"User-Agent": f"video-reid-zoo/{__version__}", "Accept-Encoding": "identity"}
    failed, furthest, waited = 0, part.length, 0.0
    with httpx2.Client(headers=headers, timeout=timeout, follow_redirects=False) as client:
        while True:
            try:
                return _attempt(client, checked_address(url), part, size, on_bytes, retry)
            except (_Retry, httpx2.TransportError) as error:
                reason, asked = _reason(error), getattr(error, "wait", None)
            except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
                raise Unavailable(_reason(error)) from None
            reached = part.length
            failed = 0 if reached - furthest >= max(1, size // _HEADWAY) else failed + 1
            furthest = max(furthest, reached)
            if failed >= retry.attempts:
                raise Unavailable(f"{reason} ({failed} attempts)")
            wait = retry.seconds(failed, asked)
            if waited + wait > retry.total:
                raise Unavailable(f"{reason}, and {retry.total:.0f} s of waiting were no use")
            waited += wait
            note(
                f"  {shown(url)} {reason}: trying again in {wait:.0f} s ({waited:.0f} s of "
                f"{retry.total:.0f} s at the most)"
            )
            time.sleep(wait)


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
    client: httpx2.Client,
    url: str,
    part: PartFile,
    size: int,
    on_bytes: _OnBytes,
    retry: RetryPolicy,
) -> None:
    have, version = part.resumable(url, size)
    if have == size:
        return
    headers = {"Range": f"bytes={have}-", "If-Range": version} if have else {}
    response = _open(client, url, headers, retry.redirects)
    try:
        start = _start(response, have, size)
        if start is None:
            part.delete()
            raise _Retry("cannot continue what is there")
        with part.open(start) as file:
            if start == 0:
                part.begin(url, _version(response))
            _copy(response, file, start, size, on_bytes, retry)
            file.flush()
            os.fsync(file.fileno())
    finally:
        response.close()


def _open(client: httpx2.Client, url: str, headers: dict, redirects: int) -> httpx2.Response:
    """The response, after redirects; no header of ours is a secret."""
    for _ in range(redirects + 1):
        response = client.send(client.build_request("GET", url, headers=headers), stream=True)
        if response.status_code not in _REDIRECTS:
            return response
        response.close()
        url = next_address(url, response.headers.get("location"))
    raise Unavailable(f"redirects more than {redirects} times")


def _start(response: httpx2.Response, have: int, size: int) -> int | None:
    """Where in the file the response begins; None if the part must be given up.

    Raises:
        _Retry: the server is busy or broken.
        Unavailable: it does not have the file, or has another one.
    """
    code = response.status_code
    if code == 416 and have:
        return None
    if code in _PASSING:
        raise _Retry(f"answers {code}", _retry_after(response))
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
    response: httpx2.Response,
    file: BinaryIO,
    start: int,
    size: int,
    on_bytes: _OnBytes,
    retry: RetryPolicy,
) -> None:
    """Write the response's bytes, unless they are too many, or arrive too slowly."""
    there, since, then = start, time.monotonic(), start
    on_bytes(there)
    for chunk in response.iter_raw():
        if there + len(chunk) > size:
            raise Unavailable(f"sends more than the {size} bytes expected")
        file.write(chunk)
        there += len(chunk)
        on_bytes(there)
        passed = time.monotonic() - since
        if passed > retry.window:
            if (there - then) / passed < retry.slowest:
                raise _Retry(f"sends less than {retry.slowest:.0f} bytes a second")
            since, then = time.monotonic(), there
    if there < size:
        raise _Retry(f"closed the connection after {there} of {size} bytes")


# ---- what responses and errors say ---------------------------------------------------------------


def _version(response: httpx2.Response) -> str | None:
    """What ``If-Range`` takes: a strong ETag, else the date of the last change."""
    etag = response.headers.get("etag", "")
    return etag if etag.startswith('"') else response.headers.get("last-modified")


def _retry_after(response: httpx2.Response) -> float | None:
    """Seconds that the server asks to wait; None if it does not say, or nobody can read it."""
    text = response.headers.get("retry-after", "").strip()
    if re.fullmatch("[0-9]{1,9}", text):
        return float(text)
    try:
        when = email.utils.parsedate_to_datetime(text)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _reason(error: Exception) -> str:
    """Why, in a few words, without an address in them."""
    words = {
        httpx2.ConnectTimeout: "does not answer",
        httpx2.ReadTimeout: "sent nothing for too long",
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
