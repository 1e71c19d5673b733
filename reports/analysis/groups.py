"""The tables of a report: the one place where splits and seeds are averaged."""

import json
from typing import NamedTuple

import numpy as np
import pandas as pd

from reports.analysis import intervals
from reports.analysis.pairs import Pairs, compare
from reports.read.results import collect
from reports.read.rows import COSTS, METRICS, is_unsteady

__all__ = ["Group", "Key", "collect", "comparison", "groups"]

_SAME = ["method", "built", "recipe", "origin"]  # what the runs behind one row share


class Key(NamedTuple):
    """What all that is ranked in one table has in common."""

    dataset: str
    fingerprint: str
    training: str  # the recipe; ``paper`` for each method's own; ``tuned quick`` for tuned ones
    label: str
    source: str = ""  # the data set that was trained on, where it is another

    @property
    def level(self) -> str:
        """Which of `reports.read.rows.LEVELS` is compared here."""
        if self.training == "paper":
            return "paper"
        return "tuned" if self.training.startswith("tuned ") else "shared"


class Group(NamedTuple):
    """One table.

    Attributes:
        key: what all in it have in common.
        rows: one row a method.
        records: all that are behind it; ``by_name``: those behind each row, in the rows' order.
        pairs: who beats whom by mAP; None where fewer than two rows can be compared.
    """

    key: Key
    rows: pd.DataFrame
    records: pd.DataFrame
    by_name: dict[str, pd.DataFrame]
    pairs: Pairs | None = None


def groups(
    frame: pd.DataFrame, resamples: int | None = None, *, keep_unconverged: bool = False
) -> list[Group]:
    """The tables of a report, each with the records behind it, in a fixed order.

    The rows are those of `comparison` with the columns of `reports.analysis.intervals`, the letters
    of `reports.analysis.pairs`, and ``on_fronts``: whether a row may stand on a Pareto front. What
    a sweep scored is left out: it belongs to `reports.analysis.trends`.

    Args:
        frame: records as `collect` reads them.
        resamples: of each bootstrap; None takes what the size of the report allows.
        keep_unconverged: let methods that did not converge stand on Pareto fronts.
    """
    frame = frame[~frame["swept"]] if len(frame) else frame
    if frame.empty:
        return []
    rows = comparison(frame)
    found = []
    for key, records in frame.groupby(list(Key._fields), sort=True):
        own = rows[list(Key._fields)].eq(list(key)).all(axis=1)
        found.append(Group(Key(*key), rows.loc[own], records, _by_name(rows.loc[own], records)))
    work = [(intervals.tables(group.by_name), group) for group in found]
    if resamples is None:
        resamples = intervals.resamples_for([tables for tables, _ in work])
    return [_tested(group, tables, resamples, keep_unconverged) for tables, group in work]


def _tested(
    group: Group, tables: intervals.Tables, resamples: int, keep_unconverged: bool
) -> Group:
    rows = intervals.marked(group.rows, tables, resamples)
    pairs = compare(list(rows["name"]), tables, resamples)
    letters = pairs.letters if pairs else {}
    converged = [keep_unconverged or not verdicts for verdicts in rows["convergence"]]
    rows = rows.assign(
        mAP_letters=[letters.get(name, "") for name in rows["name"]], on_fronts=converged
    )
    return group._replace(rows=rows, pairs=pairs)


def _by_name(rows: pd.DataFrame, records: pd.DataFrame) -> dict[str, pd.DataFrame]:
    parts = dict(list(records.groupby(_SAME, sort=False)))
    keys = rows[_SAME].itertuples(index=False, name=None)
    return {name: parts[key] for name, key in zip(rows["name"], keys, strict=True)}


def comparison(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a method within a data set, its fingerprint, training and label.

    The one place where runs become a number. A metric is the mean over the runs (split x seed),
    ``<metric>_sd`` the standard deviation over split and seed (n - 1; NaN for one of them), a cost
    the median over the runs, ``convergence`` what `reports.analysis.convergence` says of any of
    them. Best mAP first within a group.
    """
    rows = []
    for key, group in frame.groupby(list(Key._fields), sort=True):
        found = []
        for _, runs in group.groupby(_SAME, sort=True):
            found.append(dict(zip(Key._fields, key, strict=True)) | _averaged(runs))
        _name(found)
        found.sort(key=lambda row: (-row["mAP"] if row["mAP"] == row["mAP"] else 2, row["name"]))
        rows += found
    return pd.DataFrame(rows)


def _averaged(runs: pd.DataFrame) -> dict:
    row = {name: runs[name].iloc[0] for name in _SAME}
    row |= {name: runs[name].mean() for name in METRICS}
    each = runs.groupby(["split", "seed"])[list(METRICS)].mean()  # one seed twice is no spread
    row |= {f"{name}_sd": each[name].std(ddof=1) for name in METRICS}
    row |= {name: runs[name].median() for name in COSTS}
    unsteady = is_unsteady(row["latency_ms"], row["latency_iqr_ms"])
    verdicts = runs.get("convergence", [])
    batches = runs["best_batch"].dropna().unique()
    curves = [curve for curve in runs["cmc"] if curve is not None]
    return row | {
        "unsteady": unsteady,
        "convergence": tuple(dict.fromkeys(verdict for found in verdicts for verdict in found)),
        "best_batch": batches[0] if len(batches) == 1 else np.nan,
        "cmc": np.mean(curves, axis=0) if curves else None,
        "runs": len(runs),
        "seeds": runs["seed"].nunique(),
        "splits": runs["split"].nunique(),
    }


def _name(rows: list[dict]) -> None:
    """Give each row of a group a name of its own: its method, and what sets it apart if need be."""
    for row in rows:
        twins = [other for other in rows if other["method"] == row["method"]]
        own, built = json.loads(row["built"]), [json.loads(other["built"]) for other in twins]
        keys = sorted(set().union(*built))
        parts = [f"{k}={own.get(k)}" for k in keys if any(b.get(k) != own.get(k) for b in built)]
        if len({other["recipe"] for other in twins}) > 1:
            parts.append(row["recipe"])
        if row["origin"] == "published":
            parts.append("published")
        row["name"] = row["method"] + (f" ({', '.join(parts)})" if parts else "")
