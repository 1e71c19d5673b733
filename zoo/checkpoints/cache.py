"""The folder of fetched checkpoints: a verified file by name, or one clear line.

``obtain`` gives a path whose bytes hash to what the table says, every time it is asked. A file is
whole or not there: it grows under another name, is hashed, synced and then renamed. A lock keeps
other processes waiting, so that a file is fetched once.
"""

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from benchmark.files import sha256
from zoo.checkpoints import hub
from zoo.checkpoints.config import Settings
from zoo.checkpoints.http import Patience, Unavailable, fetch, forget
from zoo.checkpoints.sources import Beside, Hub, Source, Web, order
from zoo.checkpoints.table import Checkpoint, Table

_SUFFIX = ".safetensors"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who is told what happens: nobody, unless somebody asks."""

    progress: Callable[[str, int, int], None] = lambda what, done, total: None
    note: Callable[[str], None] = lambda line: None
    patience: Patience = field(default_factory=Patience)


class Verified(NamedTuple):
    """A file and what its bytes hash to."""

    path: Path
    sha256: str


def obtain(row: Checkpoint, where: Settings, watch: Watch | None = None) -> Verified:
    """The checkpoint's file, verified; fetched if it is neither packaged nor kept.

    Raises:
        OSError: it cannot be had; the message says what every source answered.
    """
    watch = watch or Watch()
    packaged = row.packaged
    if packaged is not None:
        if sha256(packaged) == row.sha256:
            return Verified(packaged, row.sha256)
        watch.note(f"{packaged} is not {row.name}, its sha256 differs: looking elsewhere")
    if row.manual:
        return _by_hand(row, where)
    path = where.cache / row.file
    if _is_right(path, row):
        return Verified(path, row.sha256)
    _refuse_to_fetch(row, where, path)
    _make_folder(where.cache)
    with _locked(path, watch):
        if _is_right(path, row):  # another process was quicker
            return Verified(path, row.sha256)
        if path.is_symlink() or path.exists():
            watch.note(f"{path} is not {row.name}, its sha256 differs: deleted, fetching it again")
            _delete(path)
        _fetch(row, path, where, watch)
    return Verified(path, row.sha256)


def _refuse_to_fetch(row: Checkpoint, where: Settings, path: Path) -> None:
    """Say at once what cannot work, before a folder is made."""
    if where.offline and not any(_near(source) for source in _order(row, where)):
        wrong = " (what lies there has another sha256)" if path.exists() else ""
        raise OSError(
            f"{row.name} is not kept in {where.cache}{wrong}, and the network is switched off: "
            f"`zoo pull {row.name}` once while online"
        )


def _order(row: Checkpoint, where: Settings) -> list[Source]:
    """Sources to be tried now; the packaged file has been looked at before."""
    places = order(row.places, where.mirrors, row.file)
    places = [p for p in places if not (isinstance(p, Beside) and p in row.places)]
    return [p for p in places if _near(p) or not where.offline]


def _near(source: Source) -> bool:
    return isinstance(source, Beside)


def _is_right(path: Path, row: Checkpoint) -> bool:
    return path.is_file() and sha256(path) == row.sha256


def _by_hand(row: Checkpoint, where: Settings) -> Verified:
    """A file that a person has converted, against the hash that `zoo convert` wrote beside it."""
    path = where.cache / row.file
    if not path.is_file():
        raise OSError(f"{row.name} cannot be fetched by a machine: {instructions(row, where)}")
    try:
        told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise OSError(
            f"{path.with_suffix('.json')}, which holds its sha256, is missing or broken: convert "
            f"it again: {instructions(row, where)}"
        ) from None
    if sha256(path) != told:
        raise OSError(
            f"{path} is not what was converted, its sha256 differs: {instructions(row, where)}"
        )
    return Verified(path, told)


def instructions(row: Checkpoint, where: Settings) -> str:
    """How a person comes by the file, with the place where it must lie filled in."""
    return (row.how or "").replace("{file}", str(where.cache / row.file))


# ---- fetching ------------------------------------------------------------------------------------


def _fetch(row: Checkpoint, path: Path, where: Settings, watch: Watch) -> None:
    """Try every source; a wrong file is deleted and fetched once more from the same one."""
    part = path.with_name(f".{row.name}.part")
    told = []
    for source in _order(row, where):
        for _ in range(2):
            try:
                _fetch_from(source, row, part, watch)
            except Unavailable as error:
                told.append(f"{source} {error}")
                break
            found = sha256(part)
            if found == row.sha256:
                _put(part, path)
                return
            forget(part)
            hub.forget(part)
            told.append(f"{source} gives sha256 {found[:12]}…, expected {row.sha256[:12]}…")
            watch.note(f"  {told[-1]}: deleted")
    told = list(dict.fromkeys(told)) or ["no source is left to try"]
    raise OSError(f"{row.name} cannot be had: {'; '.join(told)}")


def _fetch_from(source: Source, row: Checkpoint, part: Path, watch: Watch) -> None:
    if shutil.disk_usage(part.parent).free < row.bytes:
        raise OSError(f"{part.parent} has no room for the {row.bytes} bytes of {row.name}")
    total = -(-row.bytes // 1000)

    def told(there: int) -> None:
        watch.progress(f"pull {row.name} (kB)", -(-there // 1000), total)

    watch.note(f"{row.name} from {source}")
    if isinstance(source, Web):
        fetch(source.url, part, row.bytes, told=told, noted=watch.note, patience=watch.patience)
        return
    forget(part)  # what was left of an address is of no use to others
    if isinstance(source, Hub):
        hub.fetch(source, part)
    elif isinstance(source, Beside):
        _copy(source.path, part, row.bytes)
    told(row.bytes)


def _copy(source: Path, part: Path, size: int) -> None:
    """From a mirror that is a folder."""
    try:
        found = source.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size != size:
            raise Unavailable(f"is no file of {size} bytes")
        shutil.copyfile(source, part)
    except FileNotFoundError:
        raise Unavailable("is not there") from None
    except PermissionError:
        raise Unavailable("cannot be read") from None


def _put(part: Path, path: Path) -> None:
    """The one step that makes the file appear."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)
    forget(part)
    hub.forget(part)
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _locked(path: Path, watch: Watch) -> Iterator[None]:
    """Only one process fetches; the others wait for it."""
    lock = _lock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        watch.note(f"another process is fetching {path.stem}: waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _lock(path: Path) -> FileLock:
    return FileLock(path.with_name(f".{path.stem}.lock"))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"{folder} cannot be made ({error.strerror or error}): set ZOO_CACHE to a folder of "
            f"yours"
        ) from None


def _delete(path: Path) -> None:
    """A file, or a link to one, but never what a link leads to."""
    if path.is_dir() and not path.is_symlink():
        raise OSError(f"{path} is a folder, where a file should be: take it away")
    path.unlink(missing_ok=True)


# ---- looking and tidying -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What lies in the folder of checkpoints.

    Attributes:
        state: ``right``; ``wrong`` (its sha256 differs); ``unknown`` (no row names it); ``part``
            (of an interrupted fetch).
        again: True if it can be fetched again.
    """

    name: str
    state: str
    bytes: int
    again: bool
    path: Path


def kept(rows: Table, where: Settings) -> list[Kept]:
    """Every file of ours in the folder, hashed, in alphabetical order."""
    if not where.cache.is_dir():
        return []
    found = []
    for path in sorted(where.cache.iterdir()):
        if path.name.startswith(".") and path.name.endswith((".part", ".hub")):
            name = path.name[1:].rpartition(".")[0]
            found.append(_kept(path, name, "part", again=True))
        elif path.suffix == _SUFFIX and not path.name.startswith(".") and path.is_file():
            row = rows.get(path.stem)
            state = "unknown" if row is None else "right" if _whole(path, row, where) else "wrong"
            again = row is not None and not row.manual
            found.append(_kept(path, path.stem, state, again=again))
    return found


def _kept(path: Path, name: str, state: str, *, again: bool) -> Kept:
    files = [path] if not path.is_dir() else [p for p in path.rglob("*") if p.is_file()]
    size = sum(p.lstat().st_size for p in files)
    return Kept(name=name, state=state, bytes=size, again=again, path=path)


def _whole(path: Path, row: Checkpoint, where: Settings) -> bool:
    if not row.manual:
        return _is_right(path, row)
    try:
        return _by_hand(row, where).path == path
    except OSError:
        return False


def prune(rows: Table, where: Settings, *, everything: bool) -> tuple[list[Kept], list[Kept]]:
    """Delete what is of no use: wrong files and parts; with ``everything`` what can be refetched.

    Files that no row names stay: they may be somebody's. What another process is fetching stays.

    Returns:
        What was deleted, and what was busy.
    """
    deleted, busy = [], []
    for item in kept(rows, where):
        useless = item.state in ("wrong", "part") and item.again
        if not (useless or (everything and item.state == "right" and item.again)):
            continue
        lock = _lock(where.cache / f"{item.name}{_SUFFIX}")
        try:
            with lock.acquire(timeout=0):
                _remove(item.path)
                deleted.append(item)
        except Timeout:
            busy.append(item)
    return deleted, busy


def _remove(path: Path) -> None:
    if path.name.endswith(".part"):
        forget(path)
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
