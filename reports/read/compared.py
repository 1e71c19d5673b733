"""Runs side by side: what `zoo.tools.compare` measures of them and `reports.comparison` shows.

Everything is an array or a table here, so that pages can be made without torch, images or weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reports.read.inspection import Inspection


@dataclass(frozen=True, kw_only=True, eq=False)
class Distances:
    """How far tracks of the same person and of others lie from the queries; junk is left out.

    Attributes:
        edges: [B + 1] of the bins; what lies beyond the last edge is in the last bin.
        right: [B] pairs of a query and a gallery track of its person.
        wrong: [B] pairs of a query and a gallery track of somebody else.
    """

    edges: np.ndarray
    right: np.ndarray
    wrong: np.ndarray

    @property
    def nearer(self) -> float:
        """Share of wrong pairs that are nearer than half of the right ones; NaN without any."""
        if not self.right.sum() or not self.wrong.sum():
            return float("nan")
        half = int(np.searchsorted(np.cumsum(self.right), self.right.sum() / 2))
        below = self.wrong[:half].sum() + self.wrong[half] / 2  # of its own bin, half
        return float(below / self.wrong.sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class System:
    """One of those that are compared: a method trained once, or once a seed.

    Attributes:
        name: unlike that of any other.
        method: canonical; ``recipe``: its name.
        seeds: of its runs; ``folders``: of its runs, as they are typed.
        queries: per-query rows, one table a seed, as `benchmark.significance` takes them.
        gmacs: of one clip; NaN where it was not counted.
        distances: over all seeds; None where the vectors have gone.
        cameras: mAP and R1 of queries of one camera among the tracks of one other: ``query``,
            ``gallery``, ``queries``, ``mAP``, ``R1``; None where vectors or cameras are not known.
    """

    name: str
    method: str
    recipe: str
    seeds: tuple[int, ...]
    folders: tuple[str, ...]
    queries: tuple[pd.DataFrame, ...]
    gmacs: float = float("nan")
    distances: Distances | None = None
    cameras: pd.DataFrame | None = None

    def mean(self, column: str) -> pd.Series:
        """A column of the per-query rows by query, the mean over seeds."""
        each = [table.set_index("query")[column].sort_index() for table in self.queries]
        return pd.concat(each, axis=1).mean(axis=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Film:
    """One query as every system ranks it.

    Attributes:
        query: row of the query among the test tracks.
        shown: one inspection a system, in their order; a run of the first seed of each.
    """

    query: int
    shown: tuple[Inspection, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """Two or more systems that were scored on the same queries under the same rules.

    Attributes:
        dataset: canonical name; ``fingerprint``: which bits; ``split``: which of its splits.
        label: the rules.
        systems: highest mAP first.
        frames: frames of each query's tracklet, by query; None where the data were not opened.
        films: the queries that differ most, the one that differs most first.
        looked: inspections that lie with the runs, by system; of queries that were looked at.
        notes: what is not shown, and why.
    """

    dataset: str
    fingerprint: str
    split: int
    label: str
    systems: tuple[System, ...]
    frames: pd.Series | None = None
    films: tuple[Film, ...] = ()
    looked: Sequence[tuple[str, Inspection]] = ()
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the systems."""
        return tuple(system.name for system in self.systems)

    @property
    def persons(self) -> int:
        """Persons that are asked for."""
        return int(self.systems[0].queries[0]["pid"].nunique())
