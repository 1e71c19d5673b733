"""One file of a pack: an Arrow IPC file of entries, read by memory map and by position."""

import errno
import os
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from benchmark.extras import require

COLUMNS = ("name", "crc32", "data")
AGAIN = "copy the pack again, or make it again with `zoo data pack`"


class PackError(OSError):
    """A pack, or an entry of one, that is not what was packed; the message names it."""

    def __init__(self, path: str | Path, reason: str):
        super().__init__(errno.EIO, reason, str(path))

    def __str__(self) -> str:
        return f"{self.filename} {self.strerror}"


def checksum(name: bytes, data: bytes) -> int:
    """CRC-32 of an entry: a name is guarded like the bytes."""
    return zlib.crc32(data, zlib.crc32(name))


class Batch:
    """Consecutive entries: views of one record batch of a memory-mapped Arrow file."""

    def __init__(self, batch, whole, file: BinaryIO):
        names, crcs, data = (batch.column(i).buffers() for i in range(len(COLUMNS)))
        self.file, self.count = file, batch.num_rows
        self._ends = np.frombuffer(names[1], np.int32)
        self._names = memoryview(names[2] or b"")
        self._crcs = np.frombuffer(crcs[1], np.uint32)
        self._data = np.frombuffer(data[1], np.int64)
        self._start = data[2].address - whole.address if data[2] else 0  # in the file

    def name(self, row: int) -> bytes:
        """Of an entry."""
        return bytes(self._names[self._ends[row] : self._ends[row + 1]])

    def size(self, row: int) -> int:
        """Bytes of an entry."""
        return int(self._data[row + 1]) - int(self._data[row])

    def crc(self, row: int) -> int:
        """`checksum` of an entry as it was packed."""
        return int(self._crcs[row])

    def read(self, row: int) -> bytes:
        """An entry's bytes, not yet compared with their checksum."""
        start, size = self._start + int(self._data[row]), self.size(row)
        return os.pread(self.file.fileno(), size, start) if size > 0 and start >= 0 else b""


def arrow():  # type: ignore[no-untyped-def]
    """The pyarrow module.

    Raises:
        RuntimeError: it is not installed.
    """
    require("packs", "pyarrow")
    import pyarrow
    import pyarrow.ipc

    return pyarrow


def batches_of(path: Path) -> list[Batch]:
    """The record batches of one file of a pack; the file stays open as long as they are there.

    Raises:
        PackError: it is no such file.
        RuntimeError: pyarrow is not installed.
    """
    pa = arrow()
    try:
        whole = pa.memory_map(str(path)).read_buffer()
        reader = pa.ipc.open_file(whole, options=pa.ipc.IpcReadOptions(use_threads=False))
        kinds = dict(zip(reader.schema.names, reader.schema.types, strict=True))
        if kinds != dict(zip(COLUMNS, (pa.string(), pa.uint32(), pa.large_binary()), strict=True)):
            raise ValueError(f"its columns are {list(kinds)}, expected {list(COLUMNS)}")
        found = [reader.get_batch(i) for i in range(reader.num_record_batches)]
        for batch in found:
            batch.validate()
    except (ValueError, OSError, KeyError) as error:  # Arrow's own errors are such, too
        reason = " ".join(str(error).split())
        raise PackError(path, f"is no file of a pack ({reason}): {AGAIN}") from None
    file = open(path, "rb", buffering=0)  # noqa: SIM115 - as long as the batches
    return [Batch(batch, whole, file) for batch in found if batch.num_rows]
