"""How sure a table's numbers are: confidence intervals, and which rows equal the best.

`benchmark.significance` does the statistics, from the per-query files beside the records. A row
whose files are missing, or are of other queries than the others', is not tested: its cells stay
missing, and a report says so.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark import significance
from reports.read.rows import METRICS

BEST, TIE, WORSE, UNTESTED = "best", "tie", "worse", ""
TESTED = ("mAP", "R1")  # what rows are compared by
LEVEL = significance.LEVEL
_MOST, _LEAST = 10_000, 1_000  # resamples
_CELLS = 2.5e8  # persons drawn in a whole report: some seconds
SAME = 1e-9  # an interval that is narrower is none: every draw gives the same
_LARGEST = 1e15  # no row, person or rank is larger
_COLUMNS = ["query", "pid", "AP", "first"]

Tables = Mapping[str, list[pd.DataFrame]]


def tables(by_name: Mapping[str, pd.DataFrame]) -> Tables:
    """The per-query tables of each row, by the row's name; one that lacks any is left out.

    Several splits have several test sets, which cannot be drawn as one, so they are left out too.

    Args:
        by_name: the records behind each row.
    """
    found = {}
    for name, records in by_name.items():
        read = [_read(path) for path in records["per_query"]]
        if all(table is not None for table in read) and records["split"].nunique() == 1:
            found[name] = read
    return found


def _read(path: object) -> pd.DataFrame | None:
    if path is None or not Path(path).is_file():  # a pipe may never end
        return None
    try:
        table = pd.read_csv(path)
        wanted = [*_COLUMNS, *(["INP"] if "INP" in table else [])]
        numbers = table[wanted].to_numpy(float)
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return None
    if len(table) == 0 or not np.isfinite(numbers).all() or np.abs(numbers).max() > _LARGEST:
        return None
    return table[wanted]


def resamples_for(of_groups: Sequence[Tables]) -> int:
    """As many as keep a report of this size within seconds; 10,000 for most."""
    persons = sum(
        3 * found[0]["pid"].nunique() * len(found)
        for of_group in of_groups
        for found in of_group.values()
    )
    if not persons:
        return 0
    return int(np.clip(_CELLS / persons // 1_000 * 1_000, _LEAST, _MOST))


def marked(rows: pd.DataFrame, found: Tables, resamples: int) -> pd.DataFrame:
    """The rows with ``<metric>_low`` and ``_high``, and with what `_against_best` adds.

    Both ends are NaN where every draw gives the same, e.g. where each query is solved; ``tested``
    says which rows have tables.

    A row is ``best`` by the highest mean, ``tie`` if the paired bootstrap interval of its distance
    from the best holds 0, else ``worse``; ``_behind`` is that distance, with the interval's ends.
    """
    intervals = _intervals(found, resamples)
    names, added = rows["name"].to_list(), {"resamples": resamples if intervals else 0}
    added["tested"] = [name in intervals for name in names]
    for metric in METRICS:
        result = [intervals.get(name) for name in names]
        for end in ("low", "high"):
            added[f"{metric}_{end}"] = [
                one.at[metric, end] if one is not None and metric in one.index else np.nan
                for one in result
            ]
    differences: dict[tuple[str, str], pd.DataFrame | None] = {}
    for metric in TESTED:
        found_here = {name: found[name] for name in names if name in intervals}
        added |= _against_best(rows, metric, found_here, resamples, differences)
    return rows.assign(**added)


def _intervals(found: Tables, resamples: int) -> dict[str, pd.DataFrame]:
    made = {}
    for name, of_seeds in found.items():
        try:
            found_here = significance.interval(of_seeds, resamples=resamples)
        except ValueError:  # its seeds were scored on different queries
            continue
        none = found_here["high"] - found_here["low"] < SAME
        found_here.loc[none, ["low", "high"]] = np.nan
        made[name] = found_here
    return made


def _against_best(
    rows: pd.DataFrame,
    metric: str,
    found: Tables,
    resamples: int,
    differences: dict[tuple[str, str], pd.DataFrame | None],
) -> dict[str, list]:
    """The columns ``_mark``, ``_behind``, ``_behind_low`` and ``_behind_high`` of one metric."""
    scores = rows[metric].to_numpy(float)
    compared = len(rows) > 1 and np.isfinite(scores).any()
    top = rows["name"].iloc[int(np.nanargmax(scores))] if compared else None
    marks, behind = [], []
    for name, score in zip(rows["name"], scores, strict=True):
        result = None
        if compared and score == np.nanmax(scores):
            marks.append(BEST)
        elif {name, top} <= set(found):
            if (top, name) not in differences:
                differences[top, name] = _difference(found[top], found[name], resamples)
            result = differences[top, name]
            marks.append(UNTESTED if result is None else _mark(result.at[metric, "low"]))
        else:
            marks.append(UNTESTED)
        behind.append([np.nan] * 3 if result is None else _span(result.loc[metric]))
    ends = zip(("behind", "behind_low", "behind_high"), zip(*behind, strict=True), strict=True)
    return {f"{metric}_mark": marks} | {f"{metric}_{name}": list(values) for name, values in ends}


def _span(result: pd.Series) -> list[float]:
    """The difference and its interval's ends; NaN where every draw gives the same."""
    low, high = result["low"], result["high"]
    return [result["difference"], *((low, high) if high - low > SAME else (np.nan, np.nan))]


def _mark(low: float) -> str:
    return TIE if low <= 0 else WORSE


def _difference(
    best: list[pd.DataFrame], other: list[pd.DataFrame], resamples: int
) -> pd.DataFrame | None:
    try:
        return significance.difference(best, other, resamples=resamples)
    except ValueError:  # scored on different queries
        return None
