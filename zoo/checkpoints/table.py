"""The table of checkpoints: one entry each in ``zoo/checkpoints/checkpoints.toml``.

    checkpoint = find("stenvan.synthetic")
    checkpoint.method, checkpoint.sha256, checkpoint.scores()

This module loads no torch.
"""

import dataclasses
import json
import re
import typing
from collections.abc import Mapping
from pathlib import Path

from benchmark import files, variants
from zoo.checkpoints.checkpoint import Checkpoint, split_name
from zoo.checkpoints.config import Settings, read_settings
from zoo.checkpoints.sources import MANUAL

TABLE = Path(__file__).parent / "checkpoints.toml"
_NOT_WRITTEN = ("name", "home")  # the section's title, and where the table lies
Table = Mapping[str, Checkpoint]


def table(settings: Settings | None = None) -> dict[str, Checkpoint]:
    """The project's checkpoints and those of the user's own tables, by name, in alphabetical order.

    Args:
        settings: name the user's tables; None reads them.

    Raises:
        ValueError: an entry is wrong, or a name is taken; the message names table, entry and field.
        FileNotFoundError: one of the user's tables is not there.
    """
    settings = settings or read_settings()
    found: dict[str, Checkpoint] = {}
    for path in (TABLE, *settings.tables):
        for name, checkpoint in read_table(path).items():
            if name in found:
                raise ValueError(f"{path}: {name!r} is also in {found[name].home}: rename it")
            found[name] = checkpoint
    return dict(sorted(found.items()))


def find(name: str, checkpoints: Table | None = None) -> Checkpoint:
    """A checkpoint by name.

    Args:
        name: e.g. ``stenvan.synthetic``.
        checkpoints: to look in; None takes `table`.

    Raises:
        LookupError: there is none; the message lists near misses.
    """
    return variants.choose(name, table() if checkpoints is None else checkpoints, "checkpoint")


# ---- reading -------------------------------------------------------------------------------------


def read_table(path: Path) -> dict[str, Checkpoint]:
    """The checkpoints of one file.

    Raises:
        ValueError: the file or an entry of it is wrong.
        FileNotFoundError: there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: it is set as a table of checkpoints")
    try:
        sections = files.read_toml(path)
    except ValueError as error:
        raise ValueError(f"{path} is no TOML: {error}") from None
    found = {}
    for name, fields in sections.items():
        try:
            found[name] = _read(name, fields, path.resolve().parent)
        except (ValueError, LookupError) as error:
            raise ValueError(f"{path}: [{name}]: {error}") from None
    return found


def _read(name: str, fields: object, home: Path) -> Checkpoint:
    method, dataset, _ = split_name(name)
    if not isinstance(fields, dict):
        raise ValueError("expected a section of fields")
    allowed = _fields()
    for key in fields:
        variants.choose(key, allowed, "field")
    missing = [key for key, field in allowed.items() if _required(field) and key not in fields]
    if missing:
        raise ValueError(f"{', '.join(missing)} missing")
    kinds = typing.get_type_hints(Checkpoint)
    given = {key: variants.coerce(value, kinds[key], key) for key, value in fields.items()}
    checkpoint = Checkpoint(name=name, home=home, **given)
    named = {"method": (checkpoint.method, method), "dataset": (checkpoint.dataset, dataset)}
    for field, (value, expected) in named.items():
        if variants.parse(value).name != expected:
            raise ValueError(f"{field} is {value!r}, the name says {expected!r}")
    _check(checkpoint)
    return checkpoint


def _check(checkpoint: Checkpoint) -> None:
    if not checkpoint.sources:
        raise ValueError(f"sources is empty, expected at least {MANUAL!r}")
    for text in (*checkpoint.records, checkpoint.training, checkpoint.golden):
        if text is not None:
            checkpoint.beside(text)
    if checkpoint.manual:
        if checkpoint.how is None:
            raise ValueError("how is missing: a manual source needs instructions for a person")
        return
    if checkpoint.sha256 is None or not re.fullmatch(r"[0-9a-f]{64}", checkpoint.sha256):
        raise ValueError("sha256 must be 64 hexadecimal digits")
    if checkpoint.bytes is None or checkpoint.bytes < 1:
        raise ValueError("bytes must be the size of the file")


def _fields() -> dict[str, dataclasses.Field]:
    """The fields that stand in a table, by name."""
    fields = dataclasses.fields(Checkpoint)
    return {field.name: field for field in fields if field.name not in _NOT_WRITTEN}


def _required(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING


# ---- writing -------------------------------------------------------------------------------------


def write_table(path: Path, checkpoints: Table) -> None:
    """Write a table in alphabetical order; the comment at the head of the old file stays.

    The same checkpoints give the same bytes.
    """
    path = Path(path)
    old = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    head = []
    for line in old:
        if line and not line.startswith("#"):
            break
        head.append(line)
    while head and not head[-1]:
        head.pop()
    parts = ["\n".join(head) + "\n"] if head else []
    parts += [to_toml(checkpoints[name]) for name in sorted(checkpoints)]
    files.write_text(path, "\n".join(parts))


def to_toml(checkpoint: Checkpoint) -> str:
    """One entry; fields at their default are left out."""
    lines = [f"[{json.dumps(checkpoint.name)}]"]
    for name, field in _fields().items():
        value = getattr(checkpoint, name)
        if _required(field) or value != field.default:
            lines.append(f"{name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """Texts, numbers and lists of them: what JSON writes of these, TOML reads."""
    if isinstance(value, tuple):
        items = [_toml(v) for v in value]
        one_line = f"[{', '.join(items)}]"
        return one_line if len(one_line) < 80 else "[\n  " + ",\n  ".join(items) + ",\n]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
