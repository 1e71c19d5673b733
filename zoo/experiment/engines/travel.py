"""Files of a job that is carried out where the result folder cannot be seen.

They come from the driver when the job begins, and go back while it goes on: finished files whole
and soon, checkpoints every few minutes.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from filelock import FileLock, Timeout

from benchmark.files import inside

EVERY_S = 120.0  # between two times that files are sent while a job goes on
SCRATCH = "video-reid-zoo-scratch"
_PROBE = ".probe-"


class Home(Protocol):
    """The other end: where the user's result folder is."""

    def files(self, patterns: Sequence[str]) -> Mapping[str, bytes]:
        """What is there."""

    def store(self, name: str, data: bytes) -> None:
        """Keep a file; it is safe there when this returns."""

    def remove(self, name: str) -> None:
        """Forget a file."""


class Copy:
    """The files of a job in a folder of its own, kept equal to those at home.

    Args:
        root: a folder like the result folder.
        patterns: of the files, relative to it.
        home: where they come from and go to.
    """

    def __init__(self, root: Path, patterns: Sequence[str], home: Home):
        self.root, self.patterns, self.home = root, patterns, home
        self.known: dict[str, tuple[int, int]] = {}
        self.sent_at = time.monotonic()

    def fetch(self) -> None:
        """Take what is at home."""
        for name, data in self.home.files(self.patterns).items():
            path = inside(self.root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            self.known[name] = _state(path)

    def send(self) -> None:
        """Send what has changed, and what is gone.

        A checkpoint goes first: the log must not be behind it, but may be ahead.
        """
        names = sorted(found(self.root, self.patterns), key=lambda n: not n.endswith(".pt"))
        for name in names:
            path = self.root / name
            state = _state(path)
            if self.known.get(name) != state:
                self.home.store(name, path.read_bytes())
                self.known[name] = state
        for name in set(self.known) - set(names):
            self.home.remove(name)
            del self.known[name]
        self.sent_at = time.monotonic()

    def send_if_due(self) -> None:
        """Send, if the last time was long enough ago."""
        if time.monotonic() - self.sent_at >= EVERY_S:
            self.send()


def found(root: Path, patterns: Sequence[str]) -> list[str]:
    """Names of the files that fit, relative to the root; locks and parts of files left out."""
    paths = {path for pattern in patterns for path in Path(root).glob(pattern)}
    return sorted(
        path.relative_to(root).as_posix()
        for path in paths
        if path.is_file() and not path.name.startswith(".") and path.suffix != ".lock"
    )


def _state(path: Path) -> tuple[int, int]:
    known = path.stat()
    return known.st_mtime_ns, known.st_size


# ---- who sees what -------------------------------------------------------------------------------


def write_probe(out: Path) -> str:
    """Leave a file in the result folder that only who sees the folder can read; its token."""
    token = uuid4().hex
    (out / f"{_PROBE}{token}").write_text(token, encoding="utf-8")
    return token


def remove_probe(out: Path, token: str) -> None:
    """The file is no longer needed."""
    (out / f"{_PROBE}{token}").unlink(missing_ok=True)


def sees(out: Path, token: str) -> bool:
    """Whether this machine sees the result folder, and may write into it."""
    try:
        with tempfile.NamedTemporaryFile(dir=out, prefix=f"{_PROBE}{token}-"):
            return (out / f"{_PROBE}{token}").read_text(encoding="utf-8") == token
    except OSError:
        return False


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of one's own on this machine's disk; those that killed workers left are removed."""
    home = Path(tempfile.gettempdir()) / f"{SCRATCH}-{os.getuid()}"
    home.mkdir(mode=0o700, exist_ok=True)
    for lock in home.glob("*.lock"):
        _sweep(lock)
    with tempfile.TemporaryDirectory(dir=home, ignore_cleanup_errors=True) as folder:
        held = FileLock(f"{folder}.lock")
        with held:
            yield Path(folder)
        Path(held.lock_file).unlink(missing_ok=True)


def _sweep(lock: Path) -> None:
    """Remove a folder that nobody holds any longer."""
    try:
        with FileLock(lock, timeout=0):
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)
    except Timeout:
        return
