"""Trained once, scored on test sets that differ in one knob: ``--sweep occlusion=0:0.8:0.2``.

A point's record carries the data set that it was scored on and the run that it was trained in;
``sweeps/<knob>.json`` in the run's folder says which records are points, and of which knob.
"""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.files import write_json
from benchmark.recipes import recipe
from benchmark.record import Record
from benchmark.variants import Variant, format_value, parse, parse_value
from zoo.experiment.run import OnProgress, commit, embed_test, score_test
from zoo.experiment.spec import Conditions, RunSpec

MOST_POINTS = 50
_HINT = "expected KNOB=FIRST:LAST:STEP, e.g. occlusion=0:0.8:0.2"


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Test sets by the value of a knob.

    Attributes:
        knob: name of the data set's setting.
        points: its values, ascending, each with the data set whose test part is scored.
    """

    knob: str
    points: tuple[tuple[float, Dataset], ...]


def parse_sweep(text: str) -> tuple[str, list[float]]:
    """``occlusion=0:0.8:0.2`` as the knob and its values, the last one included.

    Raises:
        ValueError: the text is no sweep.
    """
    knob, equals, rest = text.partition("=")
    numbers = [parse_value(part) for part in rest.split(":")]
    fits = all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)
    if not (equals and knob.isidentifier() and len(numbers) == 3 and fits):
        raise ValueError(f"--sweep {text!r}: {_HINT}")
    first, last, step = numbers
    if step <= 0 or last <= first:
        raise ValueError(
            f"--sweep {text!r}: the step must be above 0 and LAST above FIRST; {_HINT}"
        )
    count = int((last - first) / step + 1e-9) + 1
    if count > MOST_POINTS:
        raise ValueError(f"--sweep {text!r} has {count} points, {MOST_POINTS} at the most: {_HINT}")
    return knob, [round(first + i * step, 9) for i in range(count)]


def swept(dataset: str, knob: str, value: float) -> str:
    """The data set with one knob turned."""
    asked = parse(dataset)
    return str(Variant(asked.name, {**asked.arguments, knob: value}))


def open_sweep(text: str, trained_on: Dataset, dataset: str, opened: Callable) -> Sweep:
    """Open every test set of a sweep.

    Args:
        text: what the user typed.
        trained_on: the data set of the runs.
        dataset: the same as the user named it.
        opened: opens a data set by name, with the user's root and limit.

    Raises:
        LookupError: the data set has no such knob.
        ValueError: the text is no sweep, or a value does not fit.
        OSError: data are missing.
    """
    knob, values = parse_sweep(text)
    if trained_on.splits > 1:
        raise ValueError(f"--sweep needs a data set with one split, {dataset} has several")
    return Sweep(
        knob=knob, points=tuple((value, opened(swept(dataset, knob, value))) for value in values)
    )


def score_sweep(
    spec: RunSpec,
    folder: Path,
    sweep: Sweep,
    conditions: Conditions,
    on_progress: OnProgress,
) -> list[Record]:
    """Score a finished run on every test set of a sweep.

    The set that the run was trained on has its records already, and they are its point.

    Returns:
        The records that were written, one a point and protocol.

    Raises:
        ImageError: an image cannot be read.
        ValueError: a protocol cannot score a test set.
    """
    chosen = recipe(spec.recipe)
    summary = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    summary |= {"command": conditions.command, "commit": commit()}
    records, points = [], _points(folder, sweep.knob)
    for value, dataset in sweep.points:
        at = f"{sweep.knob}={format_value(value)}"

        def progress(what: str, done: int, total: int, at: str = at) -> None:
            on_progress(f"{what}, {at}", done, total)

        if dataset.fingerprint != spec.fingerprint:
            note = f"trained on {spec.dataset} ({spec.fingerprint}), scored on {at}"
            noted = dataclasses.replace(dataset, notes=(*dataset.notes, note))
            apart = f"--{at.replace('=', '-')}-{dataset.fingerprint[:6]}"
            weights = folder / "weights.safetensors"
            embeddings = embed_test(
                spec, folder, chosen, noted, weights, conditions, progress, apart=apart
            )
            records += score_test(
                spec, folder, chosen, noted, embeddings, summary, conditions, apart=apart
            )
        points[value] = {"dataset": dataset.name, "fingerprint": dataset.fingerprint}
    told = [{"value": value, **points[value]} for value in sorted(points)]
    trained_on = {"dataset": spec.dataset, "fingerprint": spec.fingerprint}
    found = {"knob": sweep.knob, "trained_on": trained_on, "points": told}
    write_json(folder / "sweeps" / f"{sweep.knob}.json", found)
    return records


def _points(folder: Path, knob: str) -> dict[float, dict]:
    """The points of an earlier sweep of the same knob, by value."""
    path = folder / "sweeps" / f"{knob}.json"
    if not path.is_file():
        return {}
    earlier = json.loads(path.read_text(encoding="utf-8"))["points"]
    return {point.pop("value"): point for point in earlier}
