"""One inspected query: its frames, what was retrieved, where the method looked.

`zoo.tools.inspect_query` fills an `Inspection` and saves it with the record as ``query-<row>.json``
and ``query-<row>.npz``, so that pictures of it can be drawn anywhere, without images or torch.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from benchmark.files import read_object, write_json, write_whole

SCHEMA = 1
KINDS = ("query", "right", "wrong", "junk")


@dataclass(frozen=True, kw_only=True, eq=False)
class Strip:
    """Frames of one track.

    Attributes:
        kind: ``query``, ``right`` (its person), ``wrong``, or ``junk``: neither.
        rank: place in the ranking, from 1; None for the query and for junk, which has none.
        row: of the track among the test tracks.
        pid: person; -1 junk, 0 distractor.
        camid: camera; None where cameras are not known.
        distance: from the query; None for the query itself.
        frames: [T, height, width, 3] uint8, those that the method saw.
        attention: the method's own arrays over these frames, by names that say what they are (see
            `reports.read.attention_kinds`); empty for most tracks.
    """

    kind: str
    rank: int | None
    row: int
    pid: int
    camid: int | None
    distance: float | None
    frames: np.ndarray
    attention: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inspection:
    """A query of one run under one label.

    Attributes:
        run: id of the run; ``method``, ``recipe``, ``seed``, ``split`` are the run's.
        dataset: canonical name; ``fingerprint``: which bits.
        label: the rules of the ranking.
        query: row of the query among the test tracks.
        ap: average precision of this query, a fraction.
        first: rank of the first right track.
        matches: right tracks in the gallery.
        strips: the query, then what was retrieved, nearest first.
        notes: what is not shown, and why.
    """

    run: str
    method: str
    recipe: str
    seed: int
    split: int
    dataset: str
    fingerprint: str
    label: str
    query: int
    ap: float
    first: float
    matches: int
    strips: tuple[Strip, ...]
    notes: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """What its files are called."""
        return f"query-{self.query:05d}"


def save(inspection: Inspection, folder: Path) -> Path:
    """Write the arrays, then the JSON file, which is returned."""
    arrays: dict[str, np.ndarray] = {}
    strips = []
    for i, strip in enumerate(inspection.strips):
        arrays[f"{i}/frames"] = strip.frames
        arrays |= {f"{i}/attention/{name}": array for name, array in strip.attention.items()}
        fields = {f.name: getattr(strip, f.name) for f in dataclasses.fields(Strip)}
        strips.append({**fields, "frames": None, "attention": list(strip.attention)})
    path = Path(folder) / f"{inspection.stem}.json"
    write_whole(path.with_suffix(".npz"), lambda part: np.savez_compressed(part, **arrays))
    fields = {f.name: getattr(inspection, f.name) for f in dataclasses.fields(Inspection)}
    write_json(path, {"schema": SCHEMA, **fields, "strips": strips})
    return path


def load(path: Path) -> Inspection:
    """Read what `save` wrote.

    Raises:
        ValueError: it is no inspection, or its arrays are missing or do not fit.
    """
    try:
        data = read_object(path)
        if data.pop("schema") != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        with np.load(Path(path).with_suffix(".npz"), allow_pickle=False) as arrays:
            strips = [
                Strip(
                    **strip
                    | {
                        "frames": arrays[f"{i}/frames"],
                        "attention": {n: arrays[f"{i}/attention/{n}"] for n in strip["attention"]},
                    }
                )
                for i, strip in enumerate(data["strips"])
            ]
        made = Inspection(**{**data, "strips": tuple(strips), "notes": tuple(data["notes"])})
        _check(made)
    except (ValueError, KeyError, TypeError, AttributeError, OSError, BadZipFile) as error:
        raise ValueError(f"{path} is no inspection: {' '.join(str(error).split())}") from None
    return made


def _check(made: Inspection) -> None:
    kinds = [strip.kind for strip in made.strips]
    if kinds[:1] != ["query"] or not set(kinds[1:]) <= set(KINDS[1:]):
        raise ValueError(f"its strips are {', '.join(kinds)}: expected a query, then others")
    for strip in made.strips:
        if strip.frames.ndim != 4 or strip.frames.shape[3] != 3 or strip.frames.dtype != np.uint8:
            raise ValueError(f"frames of row {strip.row} are no [T, height, width, 3] of uint8")
