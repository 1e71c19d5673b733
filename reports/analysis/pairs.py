"""Who beats whom: the probability that one method is better than another, and groups of equals.

Everything is drawn again together: the same persons for all methods (each with all its queries),
and for each method its own seeds, as in `benchmark.significance`. The share of the draws in which
``a`` scores higher than ``b``, equal scores counting half, is the probability that ``a`` is better
(Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice, NeurIPS 2021,
call it the probability of improvement). Two methods can be told apart where the 95 % interval of
their paired difference leaves out 0. Each pair is tested by itself, uncorrected for their number.

Letters are a compact letter display by insertion and absorption (Piepho, J. Comput. Graph. Stat.
13, 2004): two methods share a letter if and only if they cannot be told apart.
"""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmark.significance import LEVEL, SEED

_CELLS = 2_000_000  # random draws held at a time


class Pairs(NamedTuple):
    """Every pair of methods that were scored on the same queries.

    Attributes:
        names: of the methods, in the order of the table.
        better: [methods, methods] probability that the row's method is better than the column's.
        distinct: [methods, methods] whether the two can be told apart.
        letters: of each method; those that share one cannot be told apart.
        resamples: how often persons and seeds were drawn.
    """

    names: tuple[str, ...]
    better: np.ndarray
    distinct: np.ndarray
    letters: dict[str, str]
    resamples: int


def compare(
    names: Sequence[str],
    tables: Mapping[str, Sequence[pd.DataFrame]],
    resamples: int,
    metric: str = "AP",
    seed: int = SEED,
) -> Pairs | None:
    """Compare all methods that were scored on the same queries as the first of them.

    Args:
        names: of the methods, the best first.
        tables: per-query rows of each, one table a seed; a method without any is left out.
        resamples: how often persons and seeds are drawn.
        metric: column whose mean is compared.
        seed: of the random draws.

    Returns:
        None where fewer than two methods can be compared.
    """
    sorted_tables = {
        name: [table.sort_values("query", ignore_index=True) for table in tables[name]]
        for name in names
        if name in tables
    }
    first = next(iter(sorted_tables.values()), None)
    kept = {
        name: found
        for name, found in sorted_tables.items()
        if all(_same_queries(table, first[0]) for table in found)
    }
    if len(kept) < 2 or resamples < 1:
        return None
    means = _resampled_means(list(kept.values()), metric, resamples, seed)  # [methods, resamples]
    better, distinct = _matrices(means)
    letters = dict(zip(kept, compact_letters(distinct), strict=True))
    return Pairs(tuple(kept), better, distinct, letters, resamples)


def _same_queries(table: pd.DataFrame, other: pd.DataFrame) -> bool:
    key = ["query", "pid"]
    return len(table) == len(other) and bool((table[key].to_numpy() == other[key].to_numpy()).all())


def _resampled_means(
    methods: Sequence[Sequence[pd.DataFrame]], metric: str, resamples: int, seed: int
) -> np.ndarray:
    """[methods, resamples] mean of the metric with persons and seeds drawn with replacement."""
    _, person = np.unique(methods[0][0]["pid"].to_numpy(), return_inverse=True)
    sizes = np.bincount(person).astype(float)  # [persons] queries
    # for each method [seeds, persons]
    sums = [
        np.stack([np.bincount(person, table[metric].to_numpy(float)) for table in of_seeds])
        for of_seeds in methods
    ]
    rng = np.random.default_rng(seed)
    persons, step = len(sizes), max(1, _CELLS // len(sizes))
    parts = []
    for start in range(0, resamples, step):
        n = min(step, resamples - start)
        drawn = rng.multinomial(persons, np.full(persons, 1 / persons), size=n)  # [n, persons]
        queries = drawn @ sizes
        part = []
        for of_method in sums:
            seeds = len(of_method)
            shares = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=n) / seeds  # [n, seeds]
            part.append((shares * (drawn @ of_method.T)).sum(1) / queries)
        parts.append(np.stack(part))
    return np.concatenate(parts, axis=1)


def _matrices(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and who can be told apart, from [methods, resamples]."""
    n = len(means)
    better, distinct = np.full((n, n), 0.5), np.zeros((n, n), dtype=bool)
    tail = (1 - LEVEL) / 2
    for i in range(n):
        for j in range(i + 1, n):
            ahead = means[i] - means[j]
            low, high = np.quantile(ahead, [tail, 1 - tail])
            better[i, j] = (ahead > 0).mean() + (ahead == 0).mean() / 2
            better[j, i] = 1 - better[i, j]
            distinct[i, j] = distinct[j, i] = low > 0 or high < 0
    return better, distinct


def compact_letters(distinct: np.ndarray) -> list[str]:
    """Letters for each of n methods, so that two share one exactly if they are not distinct.

    Args:
        distinct: [n, n] symmetric; whether two methods can be told apart.
    """
    n = len(distinct)
    columns = [frozenset(range(n))]
    for i, j in zip(*np.nonzero(np.triu(distinct)), strict=True):
        split = [part for column in columns for part in _split(column, int(i), int(j))]
        columns = [
            column
            for place, column in enumerate(split)
            if not any(
                column < other or (column == other and k < place) for k, other in enumerate(split)
            )
        ]
    columns.sort(key=sorted)  # the letter a goes to the group of the best
    return [
        "".join(_letter(k) for k, column in enumerate(columns) if place in column)
        for place in range(n)
    ]


def _split(column: frozenset[int], i: int, j: int) -> list[frozenset[int]]:
    return [column - {i}, column - {j}] if {i, j} <= column else [column]


def _letter(place: int) -> str:
    """A to z, then a2 to z2 and so on."""
    turn, letter = divmod(place, len(ascii_lowercase))
    return ascii_lowercase[letter] + (str(turn + 1) if turn else "")
