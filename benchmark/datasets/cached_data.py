"""Rendered sets and indexes in the user's cache: what there is, and what may go.

All of it can be made again. What is still being rendered is held by a lock.
"""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from benchmark import variants
from benchmark.datasets.synthetic.dataset import MANIFEST, RENDERER, SYNTHETIC, UNFINISHED
from benchmark.files import cache_root, read_object
from benchmark.variants import Variant

USELESS = ("old", "part")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CachedData:
    """A rendered set or an index.

    Attributes:
        kind: ``data`` or ``index``.
        name: of the data set; of an index, its file.
        state: ``right``; ``old`` (of another renderer: nobody opens it); ``part`` (of an
            interrupted rendering); ``damaged``.
        bytes: of all its files.
        used: when it was last opened, in seconds since 1970.
        again: how it is made again.
        path: where it lies.
    """

    kind: str
    name: str
    state: str
    bytes: int
    used: float
    again: str
    path: Path


def cached_data() -> list[CachedData]:
    """Everything there is, in alphabetical order of the files."""
    root = cache_root()
    return [*_sets(root / "data"), *_indexes(root / "indexes")]


def _sets(home: Path) -> Iterator[CachedData]:
    for path in sorted(home.glob("*synthetic-*")):
        if not path.is_dir() or path.is_symlink():
            continue
        name, state, used = path.name, "part", path.stat().st_mtime
        if not path.name.startswith("."):
            name, state, used = _told(path)
        elif not path.name.endswith(UNFINISHED):
            continue
        yield CachedData(
            kind="data",
            name=name,
            state=state,
            bytes=sum(file.lstat().st_size for file in path.rglob("*") if file.is_file()),
            used=used,
            again="goes on" if state == "part" else "rendered",
            path=path,
        )


def _told(path: Path) -> tuple[str, str, float]:
    """Name, state and last use of a rendered set."""
    file = path / MANIFEST
    try:
        manifest = read_object(file)
        knobs = variants.checked(manifest["knobs"], SYNTHETIC.knobs, "synthetic")
        name = str(Variant("synthetic", knobs)) + ("" if "fingerprint" in manifest else ":test")
        state = "right" if manifest["renderer"] == RENDERER else "old"
        return name, state, file.stat().st_mtime
    except (OSError, ValueError, LookupError, TypeError):
        return path.name, "damaged", path.stat().st_mtime


def _indexes(home: Path) -> Iterator[CachedData]:
    for path in sorted(home.glob("*.index")):
        found = path.stat()
        yield CachedData(
            kind="index",
            name=path.name,
            state="right",
            bytes=found.st_size,
            used=found.st_mtime,
            again="read anew",
            path=path,
        )


def delete(item: CachedData) -> bool:
    """Delete one; False, and nothing is touched, while another process renders it."""
    if item.kind == "index":
        item.path.unlink(missing_ok=True)
        return True
    whole = item.path.name.removeprefix(".").removesuffix(UNFINISHED)
    try:
        with FileLock(item.path.with_name(f".{whole}.lock"), timeout=0):
            doomed = item.path.with_name(f".{whole}{UNFINISHED}")
            if doomed != item.path:  # in one step, so that nobody opens half of it
                shutil.rmtree(doomed, ignore_errors=True)
                item.path.rename(doomed)
            shutil.rmtree(doomed)
    except Timeout:
        return False
    return True
