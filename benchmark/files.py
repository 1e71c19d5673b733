"""Files: written whole or not at all, hashed, kept inside a folder, and cached in one place."""

import errno
import hashlib
import json
import math
import os
import stat
import tempfile
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

import platformdirs

APP = "video-reid-zoo"
MOST_JSON_BYTES = 64 << 20  # of a file that may come from anybody


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


def set_aside(path: Path, why: object) -> str:
    """Rename a damaged file, so that it is made anew and can still be looked at; the line to tell.

    Args:
        path: a file that is there.
        why: what is wrong with it.
    """
    path = Path(path)
    kept = path.with_name(f"{path.name}.damaged")
    path.replace(kept)
    return f"{path} is damaged ({' '.join(str(why).split())[:200]}): set aside as {kept.name}"


def read_object(path: Path) -> dict:
    """A JSON object of a file that may come from anybody.

    Raises:
        ValueError: the file holds none, or what no file of ours holds, see `parse_object`.
        OSError: it cannot be read, or is no regular file.
    """
    with open_regular(path) as file:
        data = file.read(MOST_JSON_BYTES + 1)
    if len(data) > MOST_JSON_BYTES:
        raise ValueError(f"it has more than {MOST_JSON_BYTES} bytes")
    return parse_object(data.decode("utf-8"))


def read_toml(path: Path) -> dict:
    """A TOML file that may come from anybody.

    Raises:
        ValueError: it is no TOML, or is nested too deep; without the path.
        OSError: it cannot be read, or is no regular file.
    """
    with open_regular(path) as file:
        data = file.read(MOST_JSON_BYTES + 1)
    if len(data) > MOST_JSON_BYTES:
        raise ValueError(f"it has more than {MOST_JSON_BYTES} bytes")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def parse_object(text: str) -> dict:
    """A JSON object whose numbers are finite and of ordinary size, and whose texts can be written.

    Raises:
        ValueError: it is no JSON, is nested too deep, or holds NaN, infinity, a whole number beyond
            2⁵³ or half a character.
    """
    try:
        found = json.loads(text, parse_constant=_no_number, parse_int=_whole, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError(f"it is a {type(found).__name__}, expected a JSON object")
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("a text in it holds half a character (a lone surrogate)") from None
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no finite number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text[:20])


def _whole(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > 2**53:
        raise ValueError(f"{text[:20]}… is too large a number")
    return int(text)


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading; a pipe or a device, which may never end, is refused unopened.

    Raises:
        OSError: it is no regular file, or cannot be opened.
    """
    path = Path(path)
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(f"{path} is no regular file")
    return path.open("rb")


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


def mark_used(path: Path) -> None:
    """Set a cached file's time to now, which `zoo cache` tells as its last use."""
    with suppress(OSError):  # a cache that cannot be written
        os.utime(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
