"""Files: written whole or not at all, hashed, kept inside a folder, and cached in one place."""

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath

import platformdirs

APP = "video-reid-zoo"


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file in the same folder, then put it in place in one step.

    A reader never sees half a file, and an interruption at any moment leaves the old one.

    Raises:
        OSError: the disk is full; every library says that in its own way, this in one line.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        prefix=f".{path.stem[:40]}.", suffix=f".part{path.suffix}", dir=path.parent
    )
    os.close(handle)
    part = Path(name)
    try:
        write(part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except Exception as error:
        if _disk_is_full(error):
            raise OSError(
                f"the disk is full, {path} cannot be written: make room and type the same command "
                "again; what is finished is kept",
            ) from None
        raise
    finally:
        part.unlink(missing_ok=True)


def _disk_is_full(error: Exception) -> bool:
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return full or "No space left" in str(error)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all."""
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8", newline="\n"))


def write_json(path: Path, data: object) -> None:
    """Write JSON whole or not at all; NaN is refused, since JSON has none."""
    write_text(path, json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def remove_parts(folder: Path) -> None:
    """Delete the temporary files that a killed writer left under ``folder``."""
    for part in Path(folder).rglob(".*.part*"):
        part.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """Hash of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_of(data: object) -> str:
    """First 12 hexadecimal digits of the sha256 of the data as JSON with sorted keys."""
    text = json.dumps(data, sort_keys=True, allow_nan=False, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def inside(root: Path, name: str) -> Path:
    """``root / name`` for a name that a file gives, which must not lead out of ``root``.

    Raises:
        ValueError: it is absolute, empty, or climbs out.
    """
    parts = PureWindowsPath(name).parts if os.sep == "\\" else PurePosixPath(name).parts
    leaves = ".." in PurePosixPath(name).parts or ".." in PureWindowsPath(name).parts
    anchored = PurePosixPath(name).anchor or PureWindowsPath(name).anchor
    if not parts or leaves or anchored or "\0" in name:
        raise ValueError(f"{name!r} leads out of {root}: expected a path below it")
    return root.joinpath(*parts)


def cache_root() -> Path:
    """The user's cache folder: ``$ZOO_CACHE``, or the platform's place for caches."""
    cache = os.environ.get("ZOO_CACHE")
    return Path(cache).expanduser() if cache else platformdirs.user_cache_path(APP)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
