"""Records: what was measured, one JSON file per run and label, written whole, never edited.

It imports no torch, so that reports can be made anywhere.
"""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmark.files import read_object, write_json
from benchmark.record_schema import fault_of

SCHEMA = 1
RANKS = (1, 5, 10, 20)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One result: a method, trained in one run, scored under one label.

    Attributes:
        origin: ``measured`` by this project or ``published`` in a paper; the two are never mixed
            unmarked.
        run: id of the run, the hash of its specification; a published figure names its source table
            instead.
        method: canonical method, e.g. ``sta[blocks=8]``.
        arguments: what the method was built with, backbone included.
        recipe: canonical recipe, e.g. ``quick`` or ``quick[epochs=3]``.
        dataset: canonical data set, e.g. ``synthetic[occlusion=0.6]``; ``fingerprint`` says which
            bits.
        split: number of the train/test split, from 0 (data sets with one split: 0).
        seed: seed of the training run.
        label: ``<protocol>@<version>/<distance>/<frames>[/rerank]``.
        gallery: tracks ranked against (before a query's own junk is taken out).
        queries: queries that count in the metrics; ``dropped``: those without a match, skipped.
        metrics: fractions in [0, 1]: R1, R5, R10, R20, mAP, mINP.
        cmc: share of counted queries solved at rank 1, 2, ….
        checkpoint: sha256 of the weights that were scored.
        per_query: file with one row a query, relative to the record's folder.
        cost: `benchmark.cost.timing.Cost` as a dict, or None.
        environment: packages, processor, GPU, precision.
        commit: revision of this project, with ``+changes`` if the tree was not clean.
        command: what to type to get it again.
        selection: how the epoch was chosen (never on the test set).
        processes: that shared the training, at its end; records of before it was counted have one.
        compiled: whether training steps were compiled.
        notes: what a reader must know, e.g. files that were rebuilt or images that were left out.
        schema: version of this layout.
    """

    origin: Literal["measured", "published"] = "measured"
    run: str
    method: str
    arguments: dict = field(default_factory=dict)
    recipe: str
    dataset: str
    fingerprint: str
    split: int = 0
    seed: int = 0
    label: str
    gallery: int
    queries: int
    dropped: int
    metrics: dict[str, float]
    cmc: list[float] = field(default_factory=list)
    checkpoint: str | None = None
    per_query: str | None = None
    cost: dict | None = None
    environment: dict = field(default_factory=dict)
    commit: str | None = None
    command: str | None = None
    selection: str | None = None
    processes: int = 1
    compiled: bool = False
    notes: list[str] = field(default_factory=list)
    schema: int = SCHEMA


def save(record: Record, path: Path) -> None:
    """Write the record to a JSON file, whole or not at all."""
    write_json(path, dataclasses.asdict(record))


def load(path: Path) -> Record:
    """Read one record.

    Raises:
        ValueError: the file is no record of this schema, a field is of another type or out of its
            range, or ``per_query`` is no file beside it; the message names the file and the field.
        OSError: the file cannot be read, or is no regular file.
    """
    try:
        data = read_object(path)
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    known = {f.name: f for f in dataclasses.fields(Record)}
    if type(data.get("schema")) is not int or data["schema"] != SCHEMA:
        raise ValueError(f"{path} is no record of schema {SCHEMA}")
    missing = [n for n, f in known.items() if n not in data and _required(f)]
    foreign = sorted(set(data) - set(known))
    if missing or foreign:
        raise ValueError(f"{path} is no record: missing {missing}, unknown {foreign}")
    if fault := fault_of(data) or _misplaced(data.get("per_query"), Path(path).parent):
        raise ValueError(f"{path}: {fault}")
    return Record(**data)


def _misplaced(per_query: str | None, folder: Path) -> str | None:
    """What is wrong with the table that a record names, if something is."""
    if per_query is None:
        return None
    path = folder / per_query
    beside = path.resolve().parent == folder.resolve()
    if path.exists() and not (beside and path.is_file()):
        return f"per_query is {per_query!r}, which is no file in the record's folder"
    return None


def _required(f: dataclasses.Field) -> bool:
    return f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
