"""Whose fault an error is: a run's, which the other runs outlive, or the disk's, which ends all."""

import errno
import sysconfig
import tempfile
import traceback
from pathlib import Path

import torch

from benchmark import interrupts
from benchmark.contract import BrokenContract
from benchmark.pixels import ImageError
from benchmark.train import Diverged

# what a full, lost or read-only disk answers with
_DISK = ("ENOSPC", "EDQUOT", "EROFS", "EIO", "ENODEV", "ENXIO", "ESTALE", "ENOTCONN")
_DISK_CODES = {getattr(errno, name) for name in _DISK if hasattr(errno, name)}


class MethodFault(RuntimeError):
    """What went wrong in a method's code when it was tried before any training, in one line."""


# their messages say all there is to say
_TOLD = (ImageError, Diverged, BrokenContract, MethodFault)
_ROOT, _INSTALLED = Path(__file__).parents[2], Path(torch.__file__).parents[1]
_HARNESS = [_ROOT / name for name in ("zoo", "benchmark", "reports")]
_NAMES = ("torch", "torchvision", "timm", "accelerate", "fvcore")
_LIBRARIES = [_INSTALLED / name for name in _NAMES]
_STANDARD = Path(sysconfig.get_path("stdlib"))


def ends_the_plan(error: BaseException, out: Path) -> bool:
    """Whether no further run of a plan can be carried out: the disk is full or lost.

    Whatever else a run raises, its method's code or its data raised it, and the next run may well
    come to its end. An interrupt is no error, and passes by itself.

    Args:
        error: what a run raised.
        out: the result folder.
    """
    if interrupts.received():  # of which a library has made another error
        return True
    if not isinstance(error, OSError) or isinstance(error, ImageError):
        return False
    full = error.errno in _DISK_CODES or "the disk is full" in str(error)
    return full or not _can_be_written(out)


def _can_be_written(out: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=out):
            return True
    except OSError:
        return False


def reason_of(error: BaseException) -> str:
    """What an error says, in one line; with its kind and its place, where code raised it.

    The place is where the method's own code was: the innermost that is neither ours, torch's nor
    another library's.
    """
    if isinstance(error, _TOLD):
        return one_line(error)
    place = place_in_method(error)
    refused = isinstance(error, ValueError) and Path(str(place)).is_relative_to(_ROOT / "methods")
    if place is None or refused:  # our methods refuse what does not fit in words of their own
        expected = isinstance(error, ValueError | LookupError | RuntimeError | OSError)
        return one_line(error) if expected else f"{_named(error)} ({_innermost(error)})"
    return f"{_named(error)} ({place})"


def place_in_method(error: BaseException) -> str | None:
    """``file:line`` of the method's code that an error came out of; None if it came from none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not _is_foreign(frame.filename)]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else None


def _is_foreign(file: str) -> bool:
    """Whether a file is ours or a library's, so that no method's code stands in it."""
    path = Path(file)
    standard = path.is_relative_to(_STANDARD) and "site-packages" not in path.parts
    inside = any(path.is_relative_to(folder) for folder in (*_HARNESS, *_LIBRARIES))
    return file.startswith("<") or standard or inside


def _innermost(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "no place is known"


def _named(error: BaseException) -> str:
    text = one_line(error)
    name = type(error).__name__
    return name if text == name else f"{name}: {text}"


def one_line(error: BaseException) -> str:
    """What an error says, in one line."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    return " ".join(text.split()) or type(error).__name__
