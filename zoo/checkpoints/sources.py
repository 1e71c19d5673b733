"""Where a checkpoint's file may come from, as it stands in the table.

``weights/NAME.safetensors``     a file beside the table, which comes with the package
``hf://owner/repo/file@revision``  a file on the Hugging Face hub
``https://host/path``            an address; ``http://`` will do, since every byte is verified
``manual``                       only a person can fetch it; the table says how
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from benchmark.files import inside
from zoo.checkpoints.config import ORIGIN

MANUAL = "manual"
_HUB = re.compile(r"hf://(?P<repo>[\w.-]+/[\w.-]+)/(?P<file>[^@?#]+)@(?P<revision>[\w./-]+)")


@dataclass(frozen=True)
class LocalFile:
    """A file beside the table, or in a mirror that is a folder."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class Hub:
    """A file in a repository of the Hugging Face hub, at one revision."""

    repo: str
    file: str
    revision: str

    def __str__(self) -> str:
        return f"hf://{self.repo}/{self.file}@{self.revision}"


@dataclass(frozen=True)
class Web:
    """An address. What is shown of it holds no password and no signature."""

    url: str

    def __str__(self) -> str:
        return shown(self.url)


@dataclass(frozen=True)
class Manual:
    """Nothing that can be fetched automatically."""

    def __str__(self) -> str:
        return MANUAL


Source = LocalFile | Hub | Web | Manual


def parse(text: str, home: Path) -> Source:
    """Read a source of a table that lies in ``home``.

    Raises:
        ValueError: it is none, or it climbs out of where it belongs.
    """
    if text == MANUAL:
        return Manual()
    if text.startswith("hf://"):
        found = _HUB.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is no hf://owner/repo/file@revision")
        inside(home, found["file"])  # it is fetched into a folder of ours under this name
        return Hub(found["repo"], found["file"], found["revision"])
    if "://" in text:
        return Web(checked_address(text))
    return LocalFile(inside(home, text))


def checked_address(url: str) -> str:
    """The address, if it is one of http or https.

    Raises:
        ValueError: it is not.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{shown(url)!r} is no https:// address")
    return url


def in_order(own: tuple[Source, ...], mirrors: tuple[str, ...], file: str) -> list[Source]:
    """Every source in the order to be tried.

    The package's own file comes first, since it is there. Then come the mirrors in the user's
    order, each of which is tried with the file's name, and the checkpoint's own sources where the
    user lists ``origin``, else last.

    Args:
        own: the checkpoint's sources.
        mirrors: what the user has set.
        file: name of the file in a mirror.

    Raises:
        ValueError: a mirror is neither an address of http or https nor a folder.
    """
    packaged = [source for source in own if isinstance(source, LocalFile)]
    others = [source for source in own if not isinstance(source, LocalFile | Manual)]
    found: list[Source] = list(packaged)
    for mirror in mirrors if ORIGIN in mirrors else (*mirrors, ORIGIN):
        if mirror == ORIGIN:
            found += others
        elif "://" in mirror:
            found.append(Web(checked_address(f"{mirror.rstrip('/')}/{file}")))
        else:
            found.append(LocalFile(Path(mirror).expanduser() / file))
    return list(dict.fromkeys(found))


def shown(url: str) -> str:
    """An address without user, password, query and fragment: fit for logs."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that cannot be read"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return urlunsplit((parts.scheme, f"{host}{port}", parts.path, "", ""))
