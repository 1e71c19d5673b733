"""Paths into a pack, with which the readers of data sets work as with paths of files."""

import errno
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from benchmark.datasets.pack import Pack, locate


class PackedPath(type(Path())):  # type: ignore[misc]
    """A path into a pack: what readers of data sets ask of a path is answered by the pack."""

    def _entry(self) -> tuple[Pack, bytes]:
        found = locate(str(self))
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "there is no such pack", str(self))
        return found

    def origin(self) -> tuple[str, str]:
        """The pack's own folder, and a text that is another for every other pack."""
        pack, _ = self._entry()
        return pack.folder, pack.key

    def is_dir(self, **_) -> bool:
        """True if entries lie below."""
        pack, name = self._entry()
        return pack.is_folder(name)

    def is_file(self, **_) -> bool:
        """True if it is an entry."""
        pack, name = self._entry()
        return pack.find(name) is not None

    def exists(self, **_) -> bool:
        """True if it is an entry or a folder of some."""
        return self.is_file() or self.is_dir()

    def is_symlink(self) -> bool:
        """Never: what a link led to was packed."""
        return False

    def resolve(self, strict: bool = False) -> "PackedPath":
        """Absolute; there are no links in a pack."""
        return type(self)(os.path.abspath(self))

    def stat(self, **_) -> os.stat_result:
        """Kind and bytes; whatever else a file has, an entry has not."""
        pack, name = self._entry()
        found = pack.find(name)
        if found is None and not pack.is_folder(name):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self))
        mode, size = (stat.S_IFDIR, 0) if found is None else (stat.S_IFREG, found[0].size(found[1]))
        return os.stat_result((mode | 0o444, 0, 0, 1, 0, 0, size, 0, 0, 0))

    def children(self) -> Iterator[tuple[str, int | None]]:
        """Names in this folder in ascending order, with their bytes; None for a folder."""
        pack, name = self._entry()
        return pack.children(name)

    def iterdir(self) -> Iterator["PackedPath"]:
        """The paths in this folder in ascending order."""
        return (self / name for name, _ in self.children())

    def open(self, mode="r", buffering=-1, encoding=None, errors=None, newline=None):  # type: ignore[no-untyped-def]
        """An entry to read from; nothing can be written into a pack."""
        if set(mode) - set("rbt"):
            raise PermissionError(errno.EROFS, "a pack is only read", str(self))
        pack, name = self._entry()
        file: BinaryIO = io.BytesIO(pack.read(name))
        return file if "b" in mode else io.TextIOWrapper(file, encoding, errors, newline)
