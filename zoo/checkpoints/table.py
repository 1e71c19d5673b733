"""The table of checkpoints: one row each in ``zoo/checkpoints.toml``.

    row = find("stenvan.synthetic")
    row.method, row.sha256, row.scores()

A row says how to build the network, which clips it takes, where the file comes from and what its
bytes must hash to. Its scores are read from committed records, never typed. This module loads no
torch.
"""

import dataclasses
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmark import files, record, variants
from benchmark.datasets.base import inside
from benchmark.record import Record
from zoo.checkpoints.config import Settings, settings
from zoo.checkpoints.sources import MANUAL, Beside, Manual, Source, parse

TABLE = Path(__file__).parent / "checkpoints.toml"
TOLERANCE = 0.5  # points, unless a row states another
_WORD = r"[a-z0-9][a-z0-9_]*"
_NAME = re.compile(rf"(?P<method>{_WORD})\.(?P<dataset>{_WORD})(-(?P<tag>[a-z0-9][a-z0-9_-]*))?")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One row of the table.

    Attributes:
        name: ``method.dataset`` or ``method.dataset-tag``.
        method: canonical variant.
        backbone: canonical variant of the timm network.
        dataset: canonical data set that it was trained on.
        recipe: canonical recipe that it was trained with.
        frames: frame rule in test, e.g. ``chunk-first8``.
        height: of the images, in pixels; ``width`` likewise.
        mean: of the normalisation, of RGB in [0, 1]; ``std`` likewise.
        distance: ``cos-bn``, ``cos-raw``, ``l2sq-bn`` or ``l2sq-raw``.
        sources: where its file comes from, in this order.
        licence: SPDX name, or words.
        origin: who trained it, and where that is told.
        fingerprint: of the data set; None where it is not known; ``split``: which of its splits.
        seed: of the training run.
        bytes: of the file; None if `sources` is ``manual``, as is ``sha256``.
        sha256: of the file.
        records: files beside the table, one `benchmark.record.Record` each.
        training: file beside the table: ``run.json`` of the training run.
        golden: file beside the table: the embedding of the golden clip.
        tolerance: points by which a verified score may miss.
        how: for a person, how to come by a ``manual`` file.
        notes: what a user must know.
        home: folder of the table.
    """

    name: str
    method: str
    backbone: str
    dataset: str
    recipe: str
    frames: str
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    distance: str
    sources: tuple[str, ...]
    licence: str
    origin: str
    fingerprint: str | None = None
    split: int = 0
    seed: int = 0
    bytes: int | None = None
    sha256: str | None = None
    records: tuple[str, ...] = ()
    training: str | None = None
    golden: str | None = None
    tolerance: float = TOLERANCE
    how: str | None = None
    notes: tuple[str, ...] = ()
    home: Path

    @property
    def file(self) -> str:
        """Name of its file in a folder of checkpoints."""
        return f"{self.name}.safetensors"

    @cached_property
    def places(self) -> tuple[Source, ...]:
        """The sources, read."""
        return tuple(parse(text, self.home) for text in self.sources)

    @property
    def manual(self) -> bool:
        """True if no machine can fetch it."""
        return all(isinstance(place, Manual) for place in self.places)

    @property
    def packaged(self) -> Path | None:
        """The file that came with the table, if it did."""
        beside = [place.path for place in self.places if isinstance(place, Beside)]
        return next((path for path in beside if path.is_file()), None)

    def beside(self, text: str) -> Path:
        """A file that the row names."""
        return inside(self.home, text)

    def scores(self) -> dict[str, Record]:
        """Its records by label.

        Raises:
            ValueError: a record cannot be read, or belongs to other weights.
        """
        found = [record.load(self.beside(text)) for text in self.records]
        for entry in found:
            if entry.origin == "measured" and entry.checkpoint != self.sha256:
                raise ValueError(f"a record of {self.name} was measured with other weights")
        return {entry.label: entry for entry in found}

    def trained(self) -> dict:
        """``run.json`` of the training run; empty where there is none."""
        if self.training is None:
            return {}
        return json.loads(self.beside(self.training).read_text(encoding="utf-8"))


Table = Mapping[str, Checkpoint]


def table(where: Settings | None = None) -> dict[str, Checkpoint]:
    """The project's rows and those of the user's own tables, by name in alphabetical order.

    Raises:
        ValueError: a row is wrong, or a name is taken; the message names table, row and field.
        FileNotFoundError: one of the user's tables is not there.
    """
    where = where or settings()
    rows: dict[str, Checkpoint] = {}
    for path in (TABLE, *where.tables):
        for name, row in read_table(path).items():
            if name in rows:
                raise ValueError(f"{path}: {name!r} stands in {rows[name].home}, too: rename it")
            rows[name] = row
    return dict(sorted(rows.items()))


def find(name: str, rows: Table | None = None) -> Checkpoint:
    """A row by name.

    Raises:
        LookupError: there is none; the message lists near misses.
    """
    return variants.choose(name, table() if rows is None else rows, "checkpoint")


def read_table(path: Path) -> dict[str, Checkpoint]:
    """The rows of one file.

    Raises:
        ValueError: the file or a row of it is wrong.
        FileNotFoundError: there is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} does not exist: it is set as a table of checkpoints")
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML: {error}") from None
    rows = {}
    for name, told in data.items():
        try:
            rows[name] = _row(name, told, Path(path).resolve().parent)
        except (ValueError, LookupError) as error:
            raise ValueError(f"{path}: [{name}]: {error}") from None
    return rows


def split_name(name: str) -> tuple[str, str, str | None]:
    """Method, data set and tag.

    Raises:
        ValueError: it is no name; names become file names, so nothing else will do.
    """
    found = _NAME.fullmatch(name)
    if not found or len(name) > 100:
        raise ValueError(
            f"{name!r} is no name of a checkpoint: expected method.dataset or method.dataset-tag "
            f"in small letters, digits, _ and -"
        )
    return found["method"], found["dataset"], found["tag"]


def _row(name: str, told: object, home: Path) -> Checkpoint:
    method, dataset, _ = split_name(name)
    if not isinstance(told, dict):
        raise ValueError("expected a table of fields")
    allowed = _fields()
    for key in told:
        variants.choose(key, allowed, "field")
    needed = [f.name for f in dataclasses.fields(Checkpoint) if _required(f)]
    missing = [key for key in needed if key in allowed and key not in told]
    if missing:
        raise ValueError(f"{', '.join(missing)} missing")
    given = {key: variants.coerce(told[key], allowed[key][0], key) for key in told}
    row = Checkpoint(name=name, home=home, **given)
    owners = {"method": (row.method, method), "dataset": (row.dataset, dataset)}
    for field, (value, named) in owners.items():
        if variants.parse(value).name != named:
            raise ValueError(f"{field} is {value!r}, the name says {named!r}")
    _check(row)
    return row


def _check(row: Checkpoint) -> None:
    if not row.sources:
        raise ValueError(f"sources is empty, expected {MANUAL!r} at least")
    for text in (*row.records, row.training, row.golden):
        if text is not None:
            row.beside(text)
    if row.manual:
        if row.how is None:
            raise ValueError("how is missing: a manual source needs words for a person")
        return
    if row.sha256 is None or not re.fullmatch(r"[0-9a-f]{64}", row.sha256):
        raise ValueError("sha256 must be 64 hexadecimal digits")
    if row.bytes is None or row.bytes < 1:
        raise ValueError("bytes must be the size of the file")


def _fields() -> dict[str, tuple[object, object]]:
    import typing

    hints = typing.get_type_hints(Checkpoint)
    fields = dataclasses.fields(Checkpoint)
    return {f.name: (hints[f.name], f.default) for f in fields if f.name not in ("name", "home")}


def _required(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING


def write_table(path: Path, rows: Table) -> None:
    """Write rows in alphabetical order; the comment at the head of the old file stays.

    The same rows give the same bytes.
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
    parts += [row_text(rows[name]) for name in sorted(rows)]
    files.write_text(path, "\n".join(parts))


def row_text(row: Checkpoint) -> str:
    """One row as TOML; fields at their default are left out."""
    lines = [f"[{json.dumps(row.name)}]"]
    for field in dataclasses.fields(Checkpoint):
        value = getattr(row, field.name)
        if field.name in ("name", "home") or (not _required(field) and value == field.default):
            continue
        lines.append(f"{field.name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """Texts, numbers and lists of them: what JSON writes of these, TOML reads."""
    if isinstance(value, tuple):
        inside_ = [_toml(v) for v in value]
        one_line = f"[{', '.join(inside_)}]"
        return one_line if len(one_line) < 80 else "[\n  " + ",\n  ".join(inside_) + ",\n]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
