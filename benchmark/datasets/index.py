"""Remembers how a large copy of a data set was read, so that it opens quickly again.

Reading a million images means asking the disk for a million sizes: seconds on a quick one, minutes
over a network. What was read is kept in the user's cache, under a key of all that it depends on:
the times at which the copy's folders were last changed, and the hashes of its lists and tables. If
one of them differs, the copy is read again. A file that is rewritten in place changes no folder:
``zoo data check`` therefore never trusts an index.

A pack brings its index along: it lies beside the files, for the data set that was packed.
"""

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from benchmark.datasets.base import Dataset, Tracklet
from benchmark.datasets.kind import Sources
from benchmark.datasets.packed_path import PackedPath
from benchmark.files import cache_root, inside, mark_used, sha256, write_whole

FORMAT = 1  # raise it when what is kept, or how a data set is read, changes
WORTH = 100_000  # images; fewer are read in a second
SETTLED_S = 2.0  # a folder changed later than this before it is read may change again unnoticed


def indexed(
    root: Path, variant: str, sources: Sources, read: Callable[[], Dataset], *, trust: bool = True
) -> Dataset:
    """The data set as it was read before if nothing has changed since; otherwise what is read now.

    Args:
        root: of the copy.
        variant: the data set with its knobs.
        sources: all that reading it depends on.
        read: reads it.
        trust: False reads it anyway, and keeps that.
    """
    path = _path(root, variant)
    began = time.time()
    key = _key(root, variant, sources)
    found = _load(path, key, root) if trust else None
    if found is not None:
        mark_used(path)
        return found
    dataset = read()
    images = sum(map(len, chain(dataset.train, dataset.test)))
    newest = max(folder.stat().st_mtime for folder in sources.folders)
    settled = newest < began - SETTLED_S and key == _key(root, variant, sources)
    if images >= WORTH and settled:
        with suppress(OSError):  # a cache that cannot be written: the next time is as slow
            _save(path, key, root, dataset)
    return dataset


def in_pack(
    root: PackedPath, variant: str, read: Callable[[], Dataset], *, trust: bool = True
) -> Dataset:
    """As `indexed`, from the index that the pack brought along; it is never written here."""
    found = _load(*_place_in_pack(root, variant)) if trust else None
    return read() if found is None else found


def keep_in_pack(root: PackedPath, variant: str, dataset: Dataset) -> None:
    """Put an index of the data set into the pack that it was read from."""
    _save(*_place_in_pack(root, variant), dataset)


def _place_in_pack(root: PackedPath, variant: str) -> tuple[Path, str, Path]:
    """The index, its key, and what its folders are relative to."""
    folder, key = root.origin()
    below = f"{os.path.relpath(root, folder)}\n{variant}"
    name = hashlib.sha256(below.encode()).hexdigest()[:16]
    return Path(folder, f"{name}.index"), f"{FORMAT}-{key}-{name}", Path(folder)


def _path(root: Path, variant: str) -> Path:
    where = hashlib.sha256(f"{os.path.abspath(root)}\n{variant}".encode()).hexdigest()[:16]
    return cache_root() / "indexes" / f"{where}.index"


def _key(root: Path, variant: str, sources: Sources) -> str:
    """Hash over everything that the outcome depends on."""
    digest = hashlib.sha256(f"{FORMAT}\n{os.path.abspath(root)}\n{variant}\n".encode())
    for folder in sources.folders:
        below = os.path.relpath(folder, root)
        digest.update(f"{below}\0{os.stat(folder).st_mtime_ns}\n".encode())
    for file in sources.files:
        digest.update(f"{os.path.relpath(file, root)}\0{sha256(file)}\n".encode())
    return digest.hexdigest()


def _save(path: Path, key: str, root: Path, dataset: Dataset) -> None:
    """One line with key and hash, then the data set as JSON, frames as lines."""
    data = {field.name: getattr(dataset, field.name) for field in dataclasses.fields(dataset)}
    for part in ("train", "test"):
        data[part] = [
            (t.pid, t.camid, os.path.relpath(t.folder, root), "\n".join(t.frames))
            for t in data[part]
        ]
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    head = f"{key} {hashlib.sha256(text).hexdigest()}\n".encode()
    write_whole(path, lambda part: part.write_bytes(head + text))


def _load(path: Path, key: str, root: Path) -> Dataset | None:
    """The data set; None if there is no index, or it is another's, or it is damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head, _, text = data.partition(b"\n")
    if head != f"{key} {hashlib.sha256(text).hexdigest()}".encode():
        return None
    fields = json.loads(text)
    for part in ("train", "test"):
        fields[part] = tuple(_tracklets(fields[part], root))
    for name in ("query", "notes"):
        fields[name] = tuple(fields[name])
    return Dataset(**fields)


def _tracklets(rows: list, root: Path) -> Iterator[Tracklet]:
    folders: dict[str, str] = {}
    for pid, camid, below, frames in rows:
        if below not in folders:  # a pack's index comes from elsewhere
            folders[below] = str(root if below == "." else inside(root, below))
        folder = folders[below]
        yield Tracklet(pid, camid, folder, tuple(frames.split("\n")))
