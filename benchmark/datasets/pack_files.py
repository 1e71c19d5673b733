"""The files of a pack being made: what goes into them, and each written and read back."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmark.datasets.arrow_file import (
    COLUMNS,
    Batch,
    PackError,
    arrow,
    batches_of,
    checksum,
)
from benchmark.datasets.base import IMAGES
from benchmark.datasets.pack import MANIFEST
from benchmark.progress import SILENT, Progress

BATCH_BYTES = 32 * 2**20  # of a record batch, about: what is held in memory
LARGEST_OTHER = 64 * 2**20  # bytes of a table or list; anything larger is an archive
READERS = 8  # files that are asked for at a time: a network answers many as soon as one
SHARE = 32  # files that one of the readers is given at a time


class Entry(NamedTuple):
    """A file to be packed: its name below the root, its bytes, when it was last changed."""

    name: bytes
    size: int
    changed_ns: int


def entries_below(folder: Path, progress: Progress = SILENT) -> list[Entry]:
    """The files to be packed, by name; links are followed, packs are passed over."""
    left_out: list[str] = []
    found = sorted(_below(os.fspath(folder), b"", (), left_out))
    for path in left_out:
        progress.note(f"{path} is left out: neither an image nor a table")
    return found


def _below(
    folder: str, prefix: bytes, above: tuple[str, ...], left_out: list[str]
) -> Iterator[Entry]:
    real = os.path.realpath(folder)
    if real in above or os.path.isfile(os.path.join(folder, MANIFEST)):
        return  # a link to a folder around it; a pack
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                name = prefix + entry.name.encode()
            except UnicodeEncodeError:
                raise ValueError(f"{entry.path!r} is no name in UTF-8: rename it") from None
            if entry.is_dir():
                yield from _below(entry.path, name + b"/", (*above, real), left_out)
            elif entry.is_file():
                about = entry.stat()
                if about.st_size > LARGEST_OTHER and not entry.name.lower().endswith(IMAGES):
                    left_out.append(entry.path)
                else:
                    yield Entry(name, about.st_size, about.st_mtime_ns)


def cut(entries: Sequence[Entry], most: int) -> Iterator[Sequence[Entry]]:
    """Consecutive entries of about so many bytes."""
    start, size = 0, 0
    for i, entry in enumerate(entries):
        size += entry.size + len(entry.name)
        if size >= most:
            yield entries[start : i + 1]
            start, size = i + 1, 0
    if start < len(entries):
        yield entries[start:]


class Writer:
    """Writes one file of a pack, and reads it back.

    Args:
        home: the folder that is packed.
        rows: what goes into the file.
        done: entries of other files before it.
        total: entries of the pack.
        progress: advances with the entries.
    """

    def __init__(
        self, home: Path, rows: Sequence[Entry], done: int, total: int, progress: Progress
    ):
        self.home, self.rows, self.done, self.total = os.fspath(home), rows, done, total
        self.progress = progress

    def write(self, path: Path) -> None:
        """Write it.

        Raises:
            OSError: a file cannot be read or has changed since it was listed, or the disk is full.
            PackError: what is on the disk is not what was written.
        """
        pa = arrow()
        types = (pa.string(), pa.uint32(), pa.large_binary())
        schema = pa.schema(list(zip(COLUMNS, types, strict=True)))
        written: list[int] = []
        with (
            ThreadPoolExecutor(READERS) as pool,
            pa.OSFile(str(path), "wb") as file,
            pa.ipc.new_file(file, schema) as writer,
        ):
            for rows in cut(self.rows, BATCH_BYTES):
                data = [one for some in pool.map(self._read, _shared_out(rows)) for one in some]
                crcs = [checksum(e.name, one) for e, one in zip(rows, data, strict=True)]
                columns = ([e.name.decode() for e in rows], crcs, data)
                arrays = [pa.array(c, t) for c, t in zip(columns, types, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
                written += crcs
                self.progress.advance("packing files", self.done + len(written), self.total)
        _verify(path, self.rows, written)

    def _read(self, rows: Iterable[Entry]) -> list[bytes]:
        found = []
        for entry in rows:
            path = os.path.join(self.home, entry.name.decode())
            with open(path, "rb", buffering=0) as file:
                found.append(file.read())
            if len(found[-1]) != entry.size:
                raise OSError(f"{path} has changed while it was packed: type the command again")
        return found


def _shared_out(rows: Sequence[Entry]) -> list[Sequence[Entry]]:
    return [rows[i : i + SHARE] for i in range(0, len(rows), SHARE)]


def _verify(path: Path, rows: Sequence[Entry], crcs: Sequence[int]) -> None:
    """Read a file back from the disk and compare it with what was read from the originals."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    there: Iterator[tuple[Batch, int]] = (
        (batch, row) for batch in batches_of(path) for row in range(batch.count)
    )
    for entry, crc, (batch, row) in zip(rows, crcs, there, strict=True):
        if batch.name(row) != entry.name or checksum(entry.name, batch.read(row)) != crc:
            raise PackError(path, f"cannot be read back, {os.fsdecode(entry.name)} is another")
