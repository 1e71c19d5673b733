"""Finds images that are missing, empty, cut short or not to be decoded, in several processes."""

import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from PIL import Image

from benchmark.datasets.storage import open_file
from benchmark.processors import processors
from benchmark.progress import SILENT, Progress

ENDS = {b"\xff\xd8\xff": b"\xff\xd9", b"\x89PNG\r\n\x1a\n": b"IEND"}  # first bytes: last ones
TAIL = 64  # bytes from the end in which the last ones must stand
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
        deep: decode all of them; otherwise only beginning and end are read.
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
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield from pool.map(work, chunks)
    finally:
        pool.shutdown(cancel_futures=True)


def broken_among(paths: Sequence[str], deep: bool) -> list[Broken]:
    """Those of a few images that something is wrong with."""
    found = ((path, what_is_broken(path, deep=deep)) for path in paths)
    return [(path, reason) for path, reason in found if reason]


def what_is_broken(path: str, *, deep: bool) -> str | None:
    """What is wrong with one image, in words; None if nothing is."""
    try:
        with open_file(path) as file:
            head = file.read(16)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - TAIL, 0))
            tail = file.read()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if size == 0:
        return "is empty"
    whole = any(head.startswith(first) and last in tail for first, last in ENDS.items())
    return None if whole and not deep else _undecodable(path)


def _undecodable(path: str) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with open_file(path) as file, Image.open(file, formats=("JPEG", "PNG")) as image:
                image.load()
    except Exception as error:  # Pillow raises a dozen kinds for a broken file
        reason = " ".join(str(error).replace(path, "it").split()) or type(error).__name__
        return f"cannot be decoded ({reason})"
    return None
