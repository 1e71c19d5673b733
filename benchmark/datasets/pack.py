"""A folder's files packed into a few large ones, and paths that lead into such a pack.

A pack is a folder called ``*.pack``: ``pack.json`` says what is in it, ``files-*.arrow`` are Arrow
IPC files of three columns, ``name`` (below the packed folder, in ascending order over all of them),
``crc32`` (of name and bytes) and ``data``. Names and positions are looked up by memory map, so that
opening reads next to nothing and processes share the pages; an entry's bytes are read by position
alone, so that a process may be forked or started at any time. `benchmark.datasets.packing` writes
packs; everybody else goes through `benchmark.datasets.storage`.
"""

import bisect
import errno
import json
import os
import re
import zlib
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from benchmark.datasets.arrow_file import AGAIN, Batch, PackError, batches_of, checksum

FORMAT = 1  # raise it when packs of today could not be read as they are
SUFFIX = ".pack"
MANIFEST = "pack.json"
_FILE = re.compile(r"files-\d{5}\.arrow")
_BELOW = SUFFIX + os.sep


class Pack:
    """An opened pack; entries go by their names, bytes with ``/`` between folders.

    Args:
        folder: the pack.

    Attributes:
        root: what a data set opens in it, empty or the name of a table.
        key: hash-like text that changes with what is packed.
        about: ``pack.json``.

    Raises:
        PackError: a file is missing, cut short, or none of a pack.
        RuntimeError: pyarrow is not installed.
    """

    def __init__(self, folder: str):
        self.folder = folder
        path = Path(folder, MANIFEST)
        text = path.read_text(encoding="utf-8")
        try:
            self.about = json.loads(text)
            version, sizes = self.about["format"], dict(self.about["files"])
            self.root, self.key = str(self.about["root"]), f"{zlib.crc32(text.encode()):08x}"
        except (ValueError, KeyError, TypeError) as error:
            raise PackError(path, f"does not describe a pack ({error}): {AGAIN}") from None
        if version != FORMAT:
            raise PackError(path, f"is of format {version}, this program reads {FORMAT}: {AGAIN}")
        self._batches = [b for name in sorted(sizes) for b in self._batches_of(name, sizes[name])]
        self._firsts = [batch.name(0) for batch in self._batches]
        self._starts = [0, *accumulate(batch.count for batch in self._batches)]

    def _batches_of(self, name: str, size: object) -> list[Batch]:
        path = Path(self.folder, name)
        if not _FILE.fullmatch(name):
            raise PackError(self.folder, f"lists {name!r}, which is no file of a pack: {AGAIN}")
        found = path.stat().st_size if path.is_file() else 0
        if found != size:
            raise PackError(path, f"has {found} bytes, expected {size}: it was cut; {AGAIN}")
        return batches_of(path)

    def __len__(self) -> int:
        return self._starts[-1]

    def position(self, name: bytes) -> int:
        """Place of the first entry that does not come before the name."""
        at = bisect.bisect_right(self._firsts, name) - 1
        if at < 0:
            return 0
        batch = self._batches[at]
        return self._starts[at] + bisect.bisect_left(range(batch.count), name, key=batch.name)

    def _at(self, position: int) -> tuple[Batch, int]:
        at = bisect.bisect_right(self._starts, position) - 1
        return self._batches[at], position - self._starts[at]

    def find(self, name: bytes) -> tuple[Batch, int] | None:
        """Batch and row of an entry; None if there is none."""
        position = self.position(name)
        if position == len(self):
            return None
        batch, row = self._at(position)
        return (batch, row) if batch.name(row) == name else None

    def is_folder(self, name: bytes) -> bool:
        """True if entries lie below the name."""
        prefix = name + b"/" if name else b""
        position = self.position(prefix)
        if position == len(self):
            return not name
        batch, row = self._at(position)
        return batch.name(row).startswith(prefix)

    def children(self, name: bytes) -> Iterator[tuple[str, int | None]]:
        """Names in a folder in ascending order, with their bytes; None for a folder."""
        prefix = name + b"/" if name else b""
        position = self.position(prefix)
        while position < len(self):
            batch, row = self._at(position)
            found = batch.name(row)
            if not found.startswith(prefix):
                return
            child, slash, _ = found[len(prefix) :].partition(b"/")
            yield child.decode(), None if slash else batch.size(row)
            position = self.position(prefix + child + b"0") if slash else position + 1

    def read(self, name: bytes) -> bytes:
        """The bytes of an entry, which are those that were packed.

        Raises:
            FileNotFoundError: there is no such entry.
            PackError: it is damaged.
        """
        found = self.find(name)
        path = os.path.join(self.folder, os.fsdecode(name))
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        batch, row = found
        data = batch.read(row)
        if checksum(name, data) != batch.crc(row) or len(data) != batch.size(row):
            raise PackError(path, f"is not as it was packed, {batch.file.name} is damaged: {AGAIN}")
        return data


_opened: dict[str, Pack] = {}


def locate(path: str) -> tuple[Pack, bytes] | None:
    """The pack that a path leads into, and the name in it; None for any other path.

    Raises:
        PackError: the pack is cut short or none.
    """
    if SUFFIX not in path:
        return None
    end = path.find(_BELOW)
    while end >= 0:
        folder, below = path[: end + len(SUFFIX)], path[end + len(_BELOW) :]
        if folder in _opened or os.path.isfile(os.path.join(folder, MANIFEST)):
            return _open(folder), os.fsencode(below).replace(os.fsencode(os.sep), b"/")
        end = path.find(_BELOW, end + 1)
    if path.endswith(SUFFIX) and os.path.isfile(os.path.join(path, MANIFEST)):
        return _open(path), b""
    return None


def _open(folder: str) -> Pack:
    if folder not in _opened:
        _opened[folder] = Pack(folder)
    return _opened[folder]


def forget(path: str) -> None:
    """Open anew, when they are next asked for, the packs of that path: they may be others now."""
    for folder in [folder for folder in _opened if path.startswith(folder)]:
        del _opened[folder]
