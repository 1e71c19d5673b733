"""A file that is still being downloaded, and a note beside it that says of what it is a part.

The note holds a hash of the address and the version that the server named, so that a part is only
ever continued with bytes of the same file.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from benchmark.files import write_json


@dataclass(frozen=True)
class PartFile:
    """The part and its note."""

    path: Path

    @property
    def note(self) -> Path:
        """The file beside it."""
        return self.path.with_name(self.path.name + ".json")

    @property
    def length(self) -> int:
        """Bytes that are there; 0 if there is no such file."""
        try:
            return self.path.lstat().st_size
        except OSError:
            return 0

    def resumable(self, url: str, size: int) -> tuple[int, str | None]:
        """How many bytes of that very file are there, and its version; else 0 and None."""
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
            same = note["address"] == _digest(url) and isinstance(note["version"], str)
        except (OSError, ValueError, KeyError, TypeError):
            same = False
        have = self.length
        return (have, note["version"]) if same and 0 < have <= size else (0, None)

    def begin(self, url: str, version: str | None) -> None:
        """Note of which address and version the part will be."""
        write_json(self.note, {"address": _digest(url), "version": version})

    def open(self, start: int) -> BinaryIO:
        """Open it for writing from byte ``start`` on; a link in its place is deleted."""
        if self.path.is_symlink():
            self.path.unlink()
        flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        file = os.fdopen(os.open(self.path, flags, 0o666), "wb")
        file.truncate(start)
        file.seek(start)
        return file

    def delete(self) -> None:
        """Delete the part and its note."""
        for path in (self.path, self.note):
            path.unlink(missing_ok=True)


def _digest(url: str) -> str:
    """What stands for an address in a file: it may hold a password or a signature."""
    return hashlib.sha256(url.encode()).hexdigest()
