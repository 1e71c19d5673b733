"""The user's settings for checkpoints: where they are kept, and where else to look.

The environment comes first, then the configuration file:

    # ~/.config/video-reid-zoo/config.toml (the platform's place for configuration)
    [checkpoints]
    mirrors = ["https://mirror.example.org/zoo", "/shared/zoo"]
    offline = false
    tables = ["/shared/zoo/checkpoints.toml"]
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from benchmark.files import read_toml

APP = "video-reid-zoo"
ORIGIN = "origin"  # among the mirrors: where a checkpoint's own sources come
_KINDS = {"mirrors": list, "tables": list, "offline": bool, "cache": str}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the user has set.

    Attributes:
        cache: folder that checkpoints are kept in; `ZOO_CACHE` (its ``checkpoints``) or ``cache``.
        mirrors: where to look before a checkpoint's own sources: addresses, or folders; the word
            ``origin`` says where the own sources come among them. ``ZOO_MIRRORS``, separated by
            commas, or ``mirrors``.
        offline: use no network; ``ZOO_OFFLINE=1`` or ``offline``.
        tables: further tables of checkpoints; ``ZOO_CHECKPOINTS``, separated as ``PATH`` is, or
            ``tables``.
    """

    cache: Path
    mirrors: tuple[str, ...]
    offline: bool
    tables: tuple[Path, ...]


def read_settings(*, offline: bool = False) -> Settings:
    """The environment and the configuration file, read now.

    Args:
        offline: True switches the network off, whatever is set.

    Raises:
        ValueError: a setting is not understood; the message names the file or the variable.
    """
    values = _configuration(config_file())
    cache = os.environ.get("ZOO_CACHE") or values.get("cache")
    root = Path(cache).expanduser() if cache else platformdirs.user_cache_path(APP)
    tables = _list("ZOO_CHECKPOINTS", os.pathsep, values.get("tables", ()))
    return Settings(
        cache=root / "checkpoints",
        mirrors=_list("ZOO_MIRRORS", ",", values.get("mirrors", ())),
        offline=offline or _switch("ZOO_OFFLINE", bool(values.get("offline", False))),
        tables=tuple(Path(table).expanduser() for table in tables),
    )


def config_file() -> Path:
    """Where the configuration file is looked for."""
    return platformdirs.user_config_path(APP) / "config.toml"


def _configuration(path: Path) -> dict:
    """The section ``[checkpoints]`` of the file; other sections are ignored."""
    if not path.is_file():
        return {}
    try:
        values = read_toml(path).get("checkpoints", {})
    except ValueError as error:
        raise ValueError(f"{path} is no TOML: {error}") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path}: checkpoints must be a section, [checkpoints]")
    for key, value in values.items():
        if key not in _KINDS:
            known = ", ".join(sorted(_KINDS))
            raise ValueError(f"{path}: unknown setting {key!r}: expected one of {known}")
        texts = not isinstance(value, list) or all(isinstance(v, str) for v in value)
        if not isinstance(value, _KINDS[key]) or not texts:
            kind = {list: "a list of strings", bool: "true or false", str: "a string"}[_KINDS[key]]
            raise ValueError(f"{path}: {key} is {value!r}, expected {kind}")
    return values


def _list(variable: str, separator: str, default: Iterable[str]) -> tuple[str, ...]:
    """An environment variable's parts; what the file says where it is not set."""
    text = os.environ.get(variable)
    if text is None:
        return tuple(default)
    return tuple(part.strip() for part in text.split(separator) if part.strip())


def _switch(variable: str, default: bool) -> bool:
    text = os.environ.get(variable, "").strip().lower()
    if text in ("", "0", "false", "no", "off"):
        return default if text == "" else False
    if text in ("1", "true", "yes", "on"):
        return True
    raise ValueError(f"{variable} is {text!r}, expected 1 or 0")
