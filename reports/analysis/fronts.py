"""Pareto fronts: which methods are worth what they cost."""

import numpy as np
import pandas as pd


def pareto(frame: pd.DataFrame, cost: str = "gmacs", score: str = "mAP") -> np.ndarray:
    """Which rows no other row beats: at most as costly, at least as good, one of it strictly.

    A row without its cost or score is not on the front.
    """
    costs, scores = frame[cost].to_numpy(float), frame[score].to_numpy(float)
    no_worse = (costs[:, None] <= costs) & (scores[:, None] >= scores)  # [i, j]: i against j
    better = (costs[:, None] < costs) | (scores[:, None] > scores)
    return ~(no_worse & better).any(axis=0) & np.isfinite(costs) & np.isfinite(scores)


def front(rows: pd.DataFrame, cost: str = "gmacs", score: str = "mAP") -> np.ndarray:
    """The Pareto front of a table's rows, of those that may stand on it.

    Left out, as if they had not been measured: methods that did not converge (``on_fronts``) and,
    against latency, those whose latency is ``unsteady``.

    Args:
        rows: of `reports.analysis.groups.groups`.
        cost: a column of costs.
        score: a metric.
    """
    may = rows["on_fronts"].to_numpy(dtype=bool, copy=True)
    if cost == "latency_ms":
        may &= ~rows["unsteady"].to_numpy(bool)
    found = np.zeros(len(rows), dtype=bool)
    found[may] = pareto(rows[may], cost, score)
    return found
