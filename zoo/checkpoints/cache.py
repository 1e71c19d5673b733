"""The folder of fetched checkpoints: a verified file by name, or one clear line.

`ensure_local` gives a path whose bytes hash to what the table says, every time it is asked. A file
is whole or not there: it grows under another name, is hashed, synced and then renamed. While one
process fetches a file, a lock makes the others wait for it.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from benchmark.files import mark_used, sha256
from benchmark.progress import SILENT, Progress
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.config import Settings
from zoo.checkpoints.fetch import fetch, sources_to_try
from zoo.checkpoints.part_file import PartFile
from zoo.checkpoints.retry import RetryPolicy
from zoo.checkpoints.sources import LocalFile
from zoo.checkpoints.table import Table

_SUFFIX = ".safetensors"


class Verified(NamedTuple):
    """A file and what its bytes hash to."""

    path: Path
    sha256: str


def ensure_local(
    checkpoint: Checkpoint,
    settings: Settings,
    progress: Progress = SILENT,
    retry: RetryPolicy | None = None,
) -> Verified:
    """The checkpoint's file, verified; fetched if it is neither packaged nor in the cache.

    Args:
        checkpoint: whose file.
        settings: where files are kept and looked for.
        progress: shown what happens.
        retry: how long to try each address; None is the default.

    Raises:
        OSError: it cannot be had; the message says what every source answered.
    """
    packaged = checkpoint.packaged
    if packaged is not None:
        if sha256(packaged) == checkpoint.sha256:
            return Verified(packaged, checkpoint.sha256)
        progress.note(f"{packaged} is not {checkpoint.name}, its sha256 differs: looking elsewhere")
    if checkpoint.manual:
        return _converted(checkpoint, settings)
    path = settings.cache / checkpoint.file
    if _is_right(path, checkpoint):
        mark_used(path)
        return Verified(path, checkpoint.sha256)
    _check_sources(checkpoint, settings, path)
    _make_folder(settings.cache)
    with _locked(path, progress):
        if _is_right(path, checkpoint):  # another process was quicker
            return Verified(path, checkpoint.sha256)
        if path.is_symlink() or path.exists():
            progress.note(
                f"{path} is not {checkpoint.name}, its sha256 differs: deleted, fetching it again"
            )
            _delete(path)
        fetch(checkpoint, path, settings, progress, retry or RetryPolicy())
    return Verified(path, checkpoint.sha256)


def _check_sources(checkpoint: Checkpoint, settings: Settings, path: Path) -> None:
    """Say at once what cannot work, before a folder is made."""
    near = any(isinstance(s, LocalFile) for s in sources_to_try(checkpoint, settings))
    if settings.offline and not near:
        wrong = " (the file there has another sha256)" if path.exists() else ""
        raise OSError(
            f"{checkpoint.name} is not in {settings.cache}{wrong}, and the network is switched "
            f"off: run `zoo pull {checkpoint.name}` once while online"
        )


def _is_right(path: Path, checkpoint: Checkpoint) -> bool:
    return path.is_file() and sha256(path) == checkpoint.sha256


def _converted(checkpoint: Checkpoint, settings: Settings) -> Verified:
    """A file that a person has converted, against the hash that `zoo convert` wrote beside it."""
    path, how = settings.cache / checkpoint.file, instructions(checkpoint, settings)
    if not path.is_file():
        raise OSError(f"{checkpoint.name} cannot be fetched automatically: {how}")
    row = path.with_suffix(".json")
    try:
        expected = json.loads(row.read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise OSError(
            f"{row}, which holds its sha256, is missing or broken: convert it again: {how}"
        ) from None
    if sha256(path) != expected:
        raise OSError(f"{path} is not what was converted, its sha256 differs: {how}")
    return Verified(path, expected)


def instructions(checkpoint: Checkpoint, settings: Settings) -> str:
    """How a person gets the file, with the place where it must lie filled in."""
    return (checkpoint.how or "").replace("{file}", str(settings.cache / checkpoint.file))


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    """Only one process fetches; the others wait for it."""
    lock = lock_of(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.note(f"another process is fetching {path.stem}: waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def lock_of(path: Path) -> FileLock:
    """The lock that is held while ``path`` is fetched or deleted."""
    return FileLock(path.with_name(f".{path.stem}.lock"))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"{folder} cannot be created ({error.strerror or error}): set ZOO_CACHE to a folder "
            "that you can write to"
        ) from None


def _delete(path: Path) -> None:
    """A file, or a link to one, but never what a link leads to."""
    if path.is_dir() and not path.is_symlink():
        raise OSError(f"{path} is a folder, where a file should be: move it away")
    path.unlink(missing_ok=True)


# ---- listing and tidying -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CachedFile:
    """A file in the folder of checkpoints.

    Attributes:
        name: of its checkpoint.
        state: ``right``; ``wrong`` (its sha256 differs); ``unknown`` (no table names it); ``part``
            (of an interrupted download).
        bytes: its size.
        used: when it was last loaded, in seconds since 1970.
        refetchable: True if it can be fetched again.
        path: where it lies.
    """

    name: str
    state: str
    bytes: int
    used: float
    refetchable: bool
    path: Path
    kind: str = "checkpoint"

    @property
    def again(self) -> str:
        """How it is had again."""
        return "fetched" if self.refetchable else "by hand"


def cached_files(checkpoints: Table, settings: Settings) -> list[CachedFile]:
    """Every file of ours in the folder, hashed, in alphabetical order."""
    if not settings.cache.is_dir():
        return []
    found = []
    for path in sorted(settings.cache.iterdir()):
        if path.name.startswith(".") and path.name.endswith((".part", ".hub")):
            name, state, refetchable = path.name[1:].rpartition(".")[0], "part", True
        elif path.suffix == _SUFFIX and not path.name.startswith(".") and path.is_file():
            checkpoint = checkpoints.get(path.stem)
            name, state = path.stem, _state(path, checkpoint, settings)
            refetchable = checkpoint is not None and not checkpoint.manual
        else:
            continue
        files = [path] if not path.is_dir() else [p for p in path.rglob("*") if p.is_file()]
        size = sum(file.lstat().st_size for file in files)
        used = path.lstat().st_mtime
        found.append(
            CachedFile(
                name=name, state=state, bytes=size, used=used, refetchable=refetchable, path=path
            )
        )
    return found


def _state(path: Path, checkpoint: Checkpoint | None, settings: Settings) -> str:
    if checkpoint is None:
        return "unknown"
    if not checkpoint.manual:
        return "right" if _is_right(path, checkpoint) else "wrong"
    try:
        return "right" if _converted(checkpoint, settings).path == path else "wrong"
    except OSError:
        return "wrong"


def may_go(file: CachedFile, *, everything: bool) -> bool:
    """Whether a file is wrong or a part; with ``everything``, also what can be fetched again.

    Files that no table names stay: they may be somebody's.
    """
    useless = file.state in ("wrong", "part") or (everything and file.state == "right")
    return useless and file.refetchable


def delete(file: CachedFile, settings: Settings) -> bool:
    """Delete one; False, and nothing is touched, while another process fetches it."""
    try:
        with lock_of(settings.cache / f"{file.name}{_SUFFIX}").acquire(timeout=0):
            _remove(file.path)
    except Timeout:
        return False
    return True


def _remove(path: Path) -> None:
    if path.name.endswith(".part"):
        PartFile(path).delete()
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
