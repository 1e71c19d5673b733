"""Trained once, scored on test sets that differ in one knob: ``--sweep occlusion=0:0.8:0.2``.

Nothing is trained on a point: of a set that makes itself, the test part alone is made. A point's
record carries the data set that it was scored on and the run that it was trained in;
``sweeps/<knob>.json`` in the run's folder says which records are points, and of which knob.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from benchmark.datasets.base import Dataset
from benchmark.files import write_json
from benchmark.record import Record
from benchmark.rules import PROTOCOLS
from benchmark.variants import Variant, parse, parse_value
from zoo.experiment.data import is_same, name_of_test_part
from zoo.experiment.folder import read_json
from zoo.experiment.options import Scoring
from zoo.experiment.run import Run

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
    if step <= 0 or step == math.inf or last <= first:
        raise ValueError(f"--sweep {text!r}: STEP must be above 0 and LAST above FIRST; {_HINT}")
    count = _steps(first, last, step)
    if not math.isfinite(count) or count >= MOST_POINTS:
        shown = f"{int(count) + 1} points" if math.isfinite(count) else "too many points"
        raise ValueError(f"--sweep {text!r} has {shown}, {MOST_POINTS} at the most: {_HINT}")
    return knob, [round(first + i * step, 9) + 0 for i in range(int(count) + 1)]


def _steps(first: float, last: float, step: float) -> float:
    """Steps from first to last; infinity where no number tells them."""
    try:
        return (last - first) / step + 1e-9
    except OverflowError:
        return math.inf


def swept(dataset: str, knob: str, value: float) -> str:
    """The data set with one knob turned."""
    asked = parse(dataset)
    return str(Variant(asked.name, {**asked.arguments, knob: value}))


def open_sweep(
    text: str, trained_on: Dataset, dataset: str, opener: Callable[[str], Dataset]
) -> Sweep:
    """Open every test set of a sweep.

    Args:
        text: what the user typed.
        trained_on: the data set of the runs.
        dataset: the same as the user named it.
        opener: opens a data set by name, with the user's root and limit.

    Raises:
        LookupError: the data set has no such knob.
        ValueError: the text is no sweep, or a value does not fit.
        OSError: data are missing.
    """
    knob, values = parse_sweep(text)
    if trained_on.splits > 1:
        raise ValueError(f"--sweep needs a data set with one split, {dataset} has several")
    names = {value: swept(dataset, knob, value) for value in values}
    points = tuple(
        (value, trained_on if is_same(name, dataset) else opener(name_of_test_part(name)))
        for value, name in names.items()
    )
    return Sweep(knob=knob, points=points)


def score_sweep(run: Run, scoring: Scoring, sweep: Sweep) -> list[Record]:
    """Score a finished run on every test set of a sweep.

    The set that the run was trained on has its records already, and they are its point. So has one
    that was scored as a whole, as sweeps once were.

    Returns:
        The records that were written, one a point and protocol.

    Raises:
        ImageError: an image cannot be read.
        ValueError: a protocol cannot score a test set.
    """
    path = run.folder.sweep(sweep.knob)
    earlier = (read_json(path) or {"points": []})["points"]
    points = {point["value"]: point for point in earlier}
    records = []
    for value, dataset in sweep.points:
        if value in points and _is_scored(run, scoring, points[value], dataset):
            continue
        if dataset.fingerprint != run.spec.fingerprint:
            records += run.score(scoring, dataset)
        points[value] = {
            "value": value,
            "dataset": dataset.name,
            "fingerprint": dataset.fingerprint,
        }
    trained_on = {"dataset": run.spec.dataset, "fingerprint": run.spec.fingerprint}
    ordered = [points[value] for value in sorted(points)]
    write_json(path, {"knob": sweep.knob, "trained_on": trained_on, "points": ordered})
    return records


def _is_scored(run: Run, scoring: Scoring, point: dict, dataset: Dataset) -> bool:
    """Whether the run was scored on the whole data set whose test part this is.

    Args:
        run: the run.
        scoring: what it is to be scored under.
        point: of an earlier sweep, with the same value.
        dataset: of the point today.
    """
    if dataset.name in (point["dataset"], run.spec.dataset):
        return False
    if name_of_test_part(point["dataset"]) != dataset.name:
        return False
    own = [one for one in run.folder.read_records() if one.fingerprint == point["fingerprint"]]
    same_renderer = {one.label for one in own if set(dataset.notes) <= set(one.notes)}
    return _labels(run, scoring) <= same_renderer


def _labels(run: Run, scoring: Scoring) -> set[str]:
    """The labels of all records that a scoring gives."""
    evaluation, rule = scoring.evaluation, str(run.rule(scoring.evaluation))
    return {
        str(PROTOCOLS[name].label(evaluation.distance, rule, rerank))
        for name in scoring.protocols
        for rerank in (None, scoring.rerank)
    }
