"""Packages that one feature alone needs, and what to type where they are missing."""

import importlib.util
import shlex
import sys


def require(feature: str, *packages: str) -> None:
    """Refuse a feature whose packages are not installed.

    Args:
        feature: as the message calls it, e.g. ``ONNX files``.
        packages: by the names that they are imported and installed by.

    Raises:
        RuntimeError: some are missing; the message is the command that installs them here.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        command = shlex.join([sys.executable, "-m", "pip", "install", *missing])
        raise RuntimeError(f"{feature} need {', '.join(missing)}; type {command}")
