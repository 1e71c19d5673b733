"""One record as one row of a table."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmark.record import Record

METRICS = ("R1", "R5", "R10", "R20", "mAP", "mINP")
COSTS = ("params_m", "gmacs", "latency_ms", "latency_iqr_ms", "clips_per_s", "peak_memory_mb")
RANKS_SHOWN = 20
UNSTEADY = 0.10  # a latency whose interquartile range is a larger share of it is unsteady
LEVELS = ("paper", "shared", "tuned")  # of comparison; never ranked together


class Point(NamedTuple):
    """A test set that a run was also scored on, with a knob of the data set at some value."""

    knob: str
    value: float
    dataset: str
    fingerprint: str


_KEPT = ("dataset", "fingerprint", "recipe", "label", "method", "origin", "run", "split", "seed")
_KEPT += ("gallery", "queries", "dropped", "metrics", "environment", "notes")
_WORDS = ("checkpoint", "commit", "command", "selection")


def row(record: Record, run_summary: dict, points: Sequence[Point], path: Path) -> dict:
    """One record as a flat row; the run's cost serves a record that has none.

    Args:
        record: what was read from ``path``.
        run_summary: the run's ``run.json``, or empty.
        points: of the run's sweeps.
        path: the record's file.
    """
    cost = record.cost or run_summary.get("cost") or {}
    fields = {name: getattr(record, name) for name in _KEPT}
    fields |= {name: getattr(record, name) or "" for name in _WORDS}
    fields |= {name: record.metrics.get(name, np.nan) for name in METRICS}
    fields |= {name: _number(cost.get(name)) for name in (*COSTS, "best_batch")}
    spec = run_summary.get("spec", {})
    trained_on = spec.get("dataset", record.dataset)
    trained_bits = spec.get("fingerprint", record.fingerprint)
    source = ""
    if trained_bits != record.fingerprint:
        same_name = trained_on == record.dataset
        source = f"{trained_on} ({trained_bits})" if same_name else trained_on
    swept = {(point.dataset, point.fingerprint) for point in points}
    return fields | {
        "level": level(record),
        "training": _training(record),
        "trained_on": trained_on,
        "trained_bits": trained_bits,
        "source": source,
        "swept": bool(source) and (record.dataset, record.fingerprint) in swept,
        "built": json.dumps(record.arguments, sort_keys=True),
        "cmc": padded(record.cmc),
        "cost": cost,
        "folder": path.parent.parent.name,
        "per_query": path.parent / record.per_query if record.per_query else None,
    }


def level(record: Record) -> str:
    """Which of `LEVELS` a record belongs to.

    ``paper``: each method's own published recipe; ``shared``: one recipe for all methods;
    ``tuned``: one recipe with hyperparameters chosen for each method.
    """
    if record.recipe.startswith("paper/"):
        return "paper"
    return "tuned" if (record.selection or "").startswith("tuned") else "shared"


def _training(record: Record) -> str:
    """What all records of one table are trained by: a recipe, or how each method got its own."""
    found = level(record)
    if found == "tuned":
        return f"tuned {base(record.recipe)}"
    return "paper" if found == "paper" else record.recipe


def base(name: str) -> str:
    """The name of a recipe or a data set without its arguments."""
    return re.split(r"[\[:]", name, maxsplit=1)[0]


def is_unsteady(latency_ms: float, iqr_ms: float) -> bool:
    """Whether a latency's spread is too wide for it to be compared; False where it is unknown."""
    return bool(latency_ms > 0 and iqr_ms / latency_ms > UNSTEADY)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else np.nan


def padded(cmc: Sequence[float]) -> np.ndarray | None:
    """The first `RANKS_SHOWN` ranks; a small gallery's curve goes on with its last value."""
    if not len(cmc):
        return None
    return np.array([cmc[min(rank, len(cmc) - 1)] for rank in range(RANKS_SHOWN)], dtype=float)
