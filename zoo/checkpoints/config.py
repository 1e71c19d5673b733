"""What the user has set about checkpoints: where they are kept, and where else to look.

The environment comes first, then the configuration file:

    # ~/.config/video-reid-zoo/config.toml (the platform's place for configuration)
    [checkpoints]
    mirrors = ["https://mirror.example.org/zoo", "/shared/zoo"]
    offline = false
    tables = ["/shared/zoo/checkpoints.toml"]
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

import platformdirs

APP = "video-reid-zoo"
ORIGIN = "origin"  # among the mirrors: the place of a row's own sources
_KINDS = {"mirrors": list, "tables": list, "offline": bool, "cache": str}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the user has set.

    Attributes:
        cache: folder that checkpoints are kept in; `ZOO_CACHE` (its ``checkpoints``) or ``cache``.
        mirrors: where to look before a row's own sources: addresses, or folders; the word
            ``origin`` says where the row's own sources come among them. ``ZOO_MIRRORS``, separated
            by commas, or ``mirrors``.
        offline: use no network; ``ZOO_OFFLINE=1`` or ``offline``.
        tables: further tables of checkpoints; ``ZOO_CHECKPOINTS``, separated as ``PATH`` is, or
            ``tables``.
    """

    cache: Path
    mirrors: tuple[str, ...]
    offline: bool
    tables: tuple[Path, ...]


def settings(*, offline: bool = False) -> Settings:
    """What holds now.

    Args:
        offline: what the command line says; it can only add to what is set.

    Raises:
        ValueError: a setting is not understood; the message names the file or the variable.
    """
    told = _configuration(config_file())
    cache = os.environ.get("ZOO_CACHE") or told.get("cache")
    root = Path(cache).expanduser() if cache else platformdirs.user_cache_path(APP)
    mirrors = os.environ.get("ZOO_MIRRORS")
    tables = os.environ.get("ZOO_CHECKPOINTS")
    return Settings(
        cache=root / "checkpoints",
        mirrors=tuple(_split(mirrors, ",") if mirrors is not None else told.get("mirrors", ())),
        offline=offline or _switch("ZOO_OFFLINE", bool(told.get("offline", False))),
        tables=tuple(
            Path(t).expanduser()
            for t in (_split(tables, os.pathsep) if tables is not None else told.get("tables", ()))
        ),
    )


def config_file() -> Path:
    """Where the configuration file is looked for."""
    return platformdirs.user_config_path(APP) / "config.toml"


def _configuration(path: Path) -> dict:
    """The file's ``[checkpoints]``; other parts of the file are nobody's business here."""
    if not path.is_file():
        return {}
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8")).get("checkpoints", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML: {error}") from None
    if not isinstance(told, dict):
        raise ValueError(f"{path}: checkpoints must be a section, [checkpoints]")
    for key, value in told.items():
        if key not in _KINDS:
            known = ", ".join(sorted(_KINDS))
            raise ValueError(f"{path}: unknown setting {key!r}: there are {known}")
        texts = not isinstance(value, list) or all(isinstance(v, str) for v in value)
        if not isinstance(value, _KINDS[key]) or not texts:
            kind = {list: "a list of texts", bool: "true or false", str: "a text"}[_KINDS[key]]
            raise ValueError(f"{path}: {key} is {value!r}, expected {kind}")
    return told


def _split(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]


def _switch(variable: str, default: bool) -> bool:
    text = os.environ.get(variable, "").strip().lower()
    if text in ("", "0", "false", "no", "off"):
        return default if text == "" else False
    if text in ("1", "true", "yes", "on"):
        return True
    raise ValueError(f"{variable} is {text!r}, expected 1 or 0")
