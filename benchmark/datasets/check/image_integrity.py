"""Finds images that are missing, empty, cut short or not to be decoded, in several processes."""

import os
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from multiprocessing import get_context

from PIL import Image

from benchmark.datasets.storage import open_file
from benchmark.interrupts import deaf, end_with_parent
from benchmark.processors import processors
from benchmark.progress import SILENT, Progress

ENDS = {b"\xff\xd8\xff": b"\xff\xd9", b"\x89PNG\r\n\x1a\n": b"IEND"}  # first bytes: last ones
TAIL = 64  # bytes from the end in which the last ones must stand
DAMAGED = "is damaged within"  # how the reason begins where an image is used as far as it goes
CHUNK = 256  # images that a process is given at a time
WORTH = 2_000  # so many images are worth starting processes for
Broken = tuple[str, str]  # path, what is wrong with it


def broken_images(
    paths: Sequence[str],
    *,
    deep: bool,
    workers: int | None = None,
    progress: Progress = SILENT,
) -> Iterator[Broken]:
    """Every image that something is wrong with, in the order of ``paths``.

    Args:
        paths: image files.
        deep: decode all of them, as training and test do; otherwise only beginning and end are
            read. One that decodes with damage is among them, its reason begins with `DAMAGED`.
        workers: processes; None is one for each processor, if there are images enough.
        progress: advances with every few images.
    """
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    if workers is None:
        workers = processors() if len(paths) >= WORTH else 1
    what = "decoding images" if deep else "checking images"
    done = 0
    for chunk, found in zip(chunks, _results(chunks, deep, workers), strict=True):
        yield from found
        done += len(chunk)
        progress.advance(what, done, len(paths))


def _results(chunks: list[Sequence[str]], deep: bool, workers: int) -> Iterator[list[Broken]]:
    work = partial(broken_among, deep=deep)
    if workers == 1:
        yield from map(work, chunks)
        return
    # "spawn": a copy of a process that draws a progress bar in a thread may hang
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=end_with_parent, initargs=(os.getpid(),)
    )
    try:
        with deaf():  # they are started as the work is handed in
            results = pool.map(work, chunks)
        yield from results
    finally:
        pool.shutdown(cancel_futures=True)


def broken_among(paths: Sequence[str], deep: bool) -> list[Broken]:
    """Those of a few images that something is wrong with."""
    with _words_of_decoders() if deep else nullcontext(lambda: b"") as said:
        found = ((path, what_is_broken(path, deep=deep, said=said)) for path in paths)
        return [(path, reason) for path, reason in found if reason]


@contextmanager
def _words_of_decoders() -> Iterator[Callable[[], bytes]]:
    """Gives what was written to the standard error of C libraries since it was asked last.

    A decoder repairs damage as well as it can, and says so there and nowhere else.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as file:
        usual = os.dup(2)
        os.dup2(file.fileno(), 2)

        def said() -> bytes:
            file.seek(0)
            words = file.read()
            file.seek(0)
            file.truncate()
            return words

        try:
            yield said
        finally:
            os.dup2(usual, 2)
            os.close(usual)


def what_is_broken(path: str, *, deep: bool, said: Callable[[], bytes] = lambda: b"") -> str | None:
    """What is wrong with one image, in words; None if nothing is.

    Args:
        path: of the image.
        deep: decode it.
        said: what decoders have written since it was asked last.
    """
    try:
        with open_file(path) as file:
            head = file.read(16)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - TAIL, 0))
            tail = file.read()
    except OSError as error:
        return f"cannot be read ({error.strerror or 'no regular file'})"
    if size == 0:
        return "is empty"
    whole = any(head.startswith(first) and last in tail for first, last in ENDS.items())
    if whole and not deep:
        return None
    if not deep:
        return _undecodable(path)
    return _undecodable(path, unpack=not whole) or _damaged(path, said)


def _undecodable(path: str, unpack: bool = True) -> str | None:
    """Why an image cannot be used; without unpacking it as far as its first bytes tell."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with open_file(path) as file, Image.open(file, formats=("JPEG", "PNG")) as image:
                if unpack:
                    image.load()
                deep = image.mode.startswith("I")
    except Exception as error:  # Pillow raises a dozen kinds for a broken file
        reason = " ".join(str(error).replace(path, "it").split()) or type(error).__name__
        return f"cannot be decoded ({reason})"
    return "has more than 8 bits a channel: convert it" if deep else None


def _damaged(path: str, said: Callable[[], bytes]) -> str | None:
    """What the decoder of training and test says that it had to repair, if it did."""
    from benchmark.pixels import ImageError, read_image  # loads torch, which is seldom needed

    said()
    try:
        read_image(path)
    except ImageError as error:
        return f"cannot be decoded ({str(error).removeprefix(path).strip()})"
    lines = said().decode("utf-8", "replace").splitlines()
    told = next((line for line in lines if re.search("Corrupt|Premature", line)), None)
    return f"{DAMAGED} ({' '.join(told.split())[:100]})" if told else None
