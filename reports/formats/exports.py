"""One DataFrame for everybody: the report's rows as CSV and JSON, published figures beside them.

Metrics are fractions in [0, 1], costs in the unit that their name ends with. What is missing is
blank in CSV and null in JSON, never 0.
"""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from reports.analysis import intervals
from reports.analysis.footnotes import footnotes
from reports.analysis.groups import Group, Key
from reports.analysis.papers import side_by_side
from reports.read.rows import COSTS, METRICS

PUBLISHED = (
    "paper", "table", "row", "system", "frames", "method", "dataset", "metric", "value", "protocol",
    "note", *(f"measured_{name}" for name in Key._fields), "measured", "measured_low",
    "measured_high", "difference",
)  # fmt: skip


def frame(tables: Sequence[Group]) -> pd.DataFrame:
    """One row a method within a table; rows of two tables do not compare."""
    parts = [_of_group(group) for group in tables]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_columns())


def _of_group(group: Group) -> pd.DataFrame:
    records = list(group.by_name.values())
    fields = {
        name: [_agreed(of_row[name]) for of_row in records]
        for name in ("gallery", "queries", "dropped")
    }
    runs = [" ".join(sorted(of_row["run"])) for of_row in records]
    notes = footnotes(group)
    fields |= {
        "level": group.key.level,
        "latency_unsteady": group.rows["unsteady"],
        "convergence": ["; ".join(verdicts) for verdicts in group.rows["convergence"]],
        "notes": [
            "; ".join(note.words for note in notes if name in note.names)
            for name in group.rows["name"]
        ],
    }
    return group.rows.assign(**fields, run_ids=runs)[_columns()]


def _columns() -> list[str]:
    who = [
        *Key._fields,
        "level",
        "name",
        "method",
        "built",
        "recipe",
        "origin",
        "runs",
        "seeds",
        "splits",
    ]
    scores = [f"{m}{end}" for m in METRICS for end in ("", "_sd", "_low", "_high")]
    against = ["mark", "behind", "behind_low", "behind_high"]
    scores += [f"{m}_{name}" for m in intervals.TESTED for name in against]
    sizes = ["gallery", "queries", "dropped"]
    costs = [*COSTS, "latency_unsteady", "best_batch"]
    about = ["mAP_letters", "convergence", "notes", "run_ids"]
    return [*who, *sizes, *scores, "resamples", *costs, *about]


def _agreed(values: pd.Series) -> float:
    """The value that all share, else missing."""
    return float(values.iloc[0]) if values.nunique() == 1 else np.nan


def published(tables: Sequence[Group]) -> pd.DataFrame:
    """Printed figures with what was measured, one row a pair; percent, as the papers print them."""
    return side_by_side(tables).reindex(columns=list(PUBLISHED))


def to_csv(data: pd.DataFrame) -> str:
    """CSV, numbers with ten significant digits, whole ones without a point."""
    return _whole(data).to_csv(index=False, float_format="%.10g", lineterminator="\n")


def to_json(tables: Sequence[Group]) -> str:
    """Both frames as lists of objects."""
    fields = {"results": _objects(frame(tables)), "published": _objects(published(tables))}
    return json.dumps(fields, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _objects(data: pd.DataFrame) -> list[dict]:
    return [
        {key: _plain(value) for key, value in row.items()}
        for row in _whole(data).astype(object).to_dict("records")
    ]


def _plain(value: object) -> object:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, float | np.floating):
        return float(f"{value:.10g}")
    if isinstance(value, bool | np.bool_):
        return bool(value)
    return int(value) if isinstance(value, int | np.integer) else value


def _whole(data: pd.DataFrame) -> pd.DataFrame:
    """Counts as whole numbers that may be missing."""
    counts = ("gallery", "queries", "dropped", "best_batch", "frames", "table", "row")
    found = [name for name in counts if name in data]
    return data.astype({name: "Int64" for name in found})
