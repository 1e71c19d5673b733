"""From the ranks of a query's matches to AP, CMC, INP and more. Pure functions in float64.

A query's matches have ranks r_1 < … < r_G, counted from 1 after its junk is taken out. Ranks come
as rows padded with 0.

`METRICS` holds what a record tells beside mAP, whose form is the protocol's. One of one's own is a
function ``metric(ranks) -> [Q] values in [0, 1]``, put there by a plugin or by
``zoo.register("metric", function)``; a record tells its mean over queries.
"""

from collections.abc import Callable
from functools import partial

import numpy as np


def average_precision(ranks: np.ndarray, form: str) -> np.ndarray:
    """AP of each query.

    Args:
        ranks: [Q, M] ranks of the matches in ascending order, 0 where a query has fewer; a rank of
            infinity is a match that is never retrieved.
        form: ``std``: mean of i/r_i. ``trap``: area by trapezoids, as MARS's own evaluation has it:
            mean of (i/r_i + (i−1)/(r_i−1))/2, where the second is 1 for r_i = 1.

    Returns:
        [Q] in (0, 1].

    Raises:
        ValueError: a query has no match, so that it has no AP.
    """
    real = ranks > 0
    if not real.any(1).all():
        raise ValueError("a query without a match has no AP: drop it and count it")
    r = np.where(real, ranks, np.inf).astype(np.float64)
    i = np.arange(1, ranks.shape[1] + 1, dtype=np.float64)
    precision = i / r
    if form == "trap":
        with np.errstate(divide="ignore", invalid="ignore"):
            before = np.where(r == 1, 1.0, (i - 1) / (r - 1))
        precision = (precision + before) / 2
    elif form != "std":
        raise ValueError(f"unknown AP form {form!r}: expected std or trap")
    return np.where(real, precision, 0).sum(1) / real.sum(1)


def cmc(first: np.ndarray, length: int) -> np.ndarray:
    """Share of queries whose first match has rank ≤ 1, 2, …, length; [Q] -> [length].

    Beyond the end of a small gallery the curve keeps its last value.
    """
    counts = np.bincount(first[first <= length].astype(np.int64), minlength=length + 1)[1:]
    return np.cumsum(counts) / len(first)


def inverse_negative_penalty(ranks: np.ndarray) -> np.ndarray:
    """INP of each query, G/r_G: how much of what must be seen to find all is a match.

    Ye et al., 2021, "Deep Learning for Person Re-identification: A Survey and Outlook", eq. 5.
    """
    return (ranks > 0).sum(1) / ranks.max(1)


def solved_at(ranks: np.ndarray, k: int) -> np.ndarray:
    """Whether each query's first match has rank ≤ k; [Q, M] -> [Q], 0 or 1."""
    return (ranks[:, 0] <= k).astype(np.float64)


Metric = Callable[[np.ndarray], np.ndarray]
METRICS: dict[str, Metric] = {
    **{f"R{k}": partial(solved_at, k=k) for k in (1, 5, 10, 20)},
    "mINP": inverse_negative_penalty,
}
STANDARD = tuple(METRICS)  # those of every record
