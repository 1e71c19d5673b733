"""How far a score would move with other test persons or seeds, and whether two methods differ.

Everything starts from per-query rows, as `benchmark.protocols.Scores.per_query` has them and a
record's CSV file keeps them: one table a trained model, or several, one a seed. No torch.

**What is drawn.** A test set is a sample of persons, and the queries of one person resemble each
other, so whole persons (*identities*) are drawn with replacement, each with all its queries: the
cluster bootstrap (Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 3.8;
Field & Welsh, J. R. Statist. Soc. B 69, 2007). ``unit="query"`` draws queries one by one; where
persons have several, its intervals are too narrow. With several seeds, seeds are drawn with
replacement first and identities then, the same identities for every drawn seed: seeds and persons
are crossed, since every model meets the same test set, and drawing both independently errs, if at
all, on the wide side (the pigeonhole bootstrap: Owen, Ann. Appl. Statist. 1, 2007; why seeds belong
in: Bouthillier et al., MLSys 2021). A few seeds say little about seeds, however they are drawn: of
three, the spread between them comes out too small by √(2/3). Intervals are percentiles.

**Two methods** are compared on the same drawn persons (paired), their seeds drawn separately. The
permutation test exchanges the two methods' results person by person, each with probability ½, over
the mean of the seeds: it asks whether *these* trained models differ by more than such exchanges do
(Fisher, The Design of Experiments, 1935; for rankings Smucker, Allan & Carterette, CIKM 2007). The
gallery stays as it is: what other distractors would do is in neither.

The same tables and seed give the same figures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

RESAMPLES = 10_000
LEVEL = 0.95
SEED = 0
RANKS = (1, 5, 10, 20)
_CELLS = 2_000_000  # random draws held at a time

Tables = pd.DataFrame | Sequence[pd.DataFrame]


def interval(
    tables: Tables,
    unit: str = "identity",
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = SEED,
) -> pd.DataFrame:
    """Bootstrap confidence interval of every metric of one method.

    Args:
        tables: per-query rows, one table or one a seed, with columns ``query``, ``AP``, ``first``
            and, to draw identities, ``pid``; mINP is told where there is ``INP``.
        unit: ``identity`` or ``query``: what is drawn.
        resamples: how many times.
        level: share of the resamples that the interval holds.
        seed: of the random draws.

    Returns:
        One row a metric (R1, R5, R10, R20, mAP, mINP): ``value``, ``low``, ``high``.

    Raises:
        ValueError: tables of different queries, a column that is missing, a number out of range.
    """
    _check(resamples, level)
    sample = _sample(_list(tables), unit)
    rng = np.random.default_rng(seed)
    drawn = np.concatenate(
        [sample.resampled(counts, rng) for counts in _draws(sample.units, resamples, rng)]
    )
    low, high = _percentiles(drawn, level)
    return pd.DataFrame({"value": sample.means(), "low": low, "high": high}, index=sample.metrics)


def difference(
    a: Tables,
    b: Tables,
    unit: str = "identity",
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = SEED,
) -> pd.DataFrame:
    """What method ``a`` is ahead of ``b``, its paired bootstrap interval and two p-values.

    Args:
        a: per-query rows as of `interval`, one table or one a seed.
        b: the other method's, of the same queries; the number of seeds may differ.
        unit: ``identity`` or ``query``: what is drawn and what is exchanged.
        resamples: how many bootstrap samples, and how many permutations.
        level: share of the resamples that the interval holds.
        seed: of the random draws.

    Returns:
        One row a metric: ``a``, ``b``, ``difference`` (a − b), ``low``, ``high``,
        ``p_bootstrap`` (two-sided; seeds drawn too) and ``p_permutation`` (two-sided, of these
        trained models).

    Raises:
        ValueError: as `interval`; also if the methods were not scored on the same queries.
    """
    _check(resamples, level)
    tables = _list(a)
    both = _sample(tables + _list(b), unit)
    left, right = both.of(slice(0, len(tables))), both.of(slice(len(tables), None))
    rng = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            left.resampled(counts, rng) - right.resampled(counts, rng)
            for counts in _draws(both.units, resamples, rng)
        ]
    )
    low, high = _percentiles(drawn, level)
    beyond = np.minimum((drawn <= 0).sum(0), (drawn >= 0).sum(0))
    return pd.DataFrame(
        {
            "a": left.means(),
            "b": right.means(),
            "difference": left.means() - right.means(),
            "low": low,
            "high": high,
            "p_bootstrap": np.minimum(1, 2 * (1 + beyond) / (1 + resamples)),
            "p_permutation": _permutation(left, right, resamples, rng),
        },
        index=both.metrics,
    )


@dataclass(frozen=True, eq=False)
class _Sample:
    """Sums of every metric over the queries of each unit.

    Attributes:
        sums: [seeds, units, metrics].
        sizes: [units] queries.
        metrics: their names.
    """

    sums: np.ndarray
    sizes: np.ndarray
    metrics: pd.Index

    @property
    def units(self) -> int:
        return len(self.sizes)

    def of(self, seeds: slice) -> "_Sample":
        """The same with some of the seeds."""
        return _Sample(self.sums[seeds], self.sizes, self.metrics)

    def means(self) -> np.ndarray:
        """Each metric, mean of the seeds."""
        return self.sums.mean(0).sum(0) / self.sizes.sum()

    def resampled(self, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """[resamples, metrics] for units drawn ``counts`` [resamples, units] times.

        Seeds are drawn here, with replacement.
        """
        seeds = len(self.sums)
        shares = _counts(seeds, len(counts), rng) / seeds
        total = sum(shares[:, s, None] * (counts @ self.sums[s]) for s in range(seeds))
        return total / (counts @ self.sizes)[:, None]


def _list(tables: Tables) -> list[pd.DataFrame]:
    found = [tables] if isinstance(tables, pd.DataFrame) else list(tables)
    if not found:
        raise ValueError("no per-query table: expected one, or one a seed")
    return found


def _sample(tables: list[pd.DataFrame], unit: str) -> _Sample:
    """Check that the tables are of the same queries and sum them up by unit."""
    columns = {"identity": ["query", "AP", "first", "pid"], "query": ["query", "AP", "first"]}
    if unit not in columns:
        raise ValueError(f"unknown unit {unit!r}: expected identity or query")
    for table in tables:
        missing = [name for name in columns[unit] if name not in table]
        if missing:
            hint = "; unit='query' needs no pid" if missing == ["pid"] else ""
            raise ValueError(f"a per-query table has no column {', '.join(missing)}{hint}")
        if len(table) == 0 or table["query"].duplicated().any():
            raise ValueError("a per-query table is empty or holds a query twice")
    tables = [table.sort_values("query", ignore_index=True) for table in tables]
    key = ["query", "pid"] if unit == "identity" else ["query"]
    for table in tables[1:]:
        if not table[key].equals(tables[0][key].astype(table[key].dtypes)):
            raise ValueError(
                f"tables of different queries ({len(tables[0])} and {len(table)}) cannot be "
                f"compared: score them under one protocol on one data set"
            )
    with_inp = all("INP" in table for table in tables)
    numbers = ["AP", "first", *(["INP"] if with_inp else [])]
    if any(table[numbers].isna().any(axis=None) for table in tables):
        raise ValueError(f"a per-query table holds NaN in {', '.join(numbers)}")
    values = np.stack([_values(table, with_inp) for table in tables])
    _, codes = np.unique(tables[0][key[-1]].to_numpy(), return_inverse=True)
    sums = np.zeros((len(tables), codes.max() + 1, values.shape[2]))
    np.add.at(sums, (slice(None), codes), values)
    names = [*(f"R{k}" for k in RANKS), "mAP", *(["mINP"] if with_inp else [])]
    return _Sample(sums, np.bincount(codes).astype(np.float64), pd.Index(names, name="metric"))


def _values(table: pd.DataFrame, with_inp: bool) -> np.ndarray:
    """[queries, metrics]: what each query contributes to each mean."""
    first = table["first"].to_numpy(dtype=np.float64)
    solved = [first <= k for k in RANKS]
    others = [table[name].to_numpy(dtype=np.float64) for name in ("AP", "INP")[: 1 + with_inp]]
    return np.stack([*solved, *others], axis=1).astype(np.float64)


def _draws(units: int, resamples: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each unit is drawn, [some resamples, units], until there are enough."""
    step = max(1, _CELLS // units)
    for start in range(0, resamples, step):
        yield _counts(units, min(step, resamples - start), rng)


def _counts(units: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    """[rows, units] multinomial: how often each comes up in as many draws as there are units."""
    drawn = rng.integers(units, size=(rows, units)) + units * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(float)


def _permutation(
    left: _Sample, right: _Sample, permutations: int, rng: np.random.Generator
) -> np.ndarray:
    """Two-sided p of the difference if each unit's results might as well be exchanged."""
    gaps = left.sums.mean(0) - right.sums.mean(0)
    limit = np.abs(gaps.sum(0)) * (1 - 1e-12)  # sums in another order must not count as smaller
    step = max(1, _CELLS // left.units)
    extreme = np.zeros(len(limit))
    for start in range(0, permutations, step):
        rows = min(step, permutations - start)
        signs = 2.0 * rng.integers(2, size=(rows, left.units), dtype=np.int8) - 1
        extreme += (np.abs(signs @ gaps) >= limit).sum(0)
    return (1 + extreme) / (1 + permutations)


def _percentiles(drawn: np.ndarray, level: float) -> np.ndarray:
    """[2, metrics]: the ends of the middle ``level`` of the resamples."""
    return np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)


def _check(resamples: int, level: float) -> None:
    if resamples < 1:
        raise ValueError(f"resamples is {resamples}, expected 1 or more")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}, expected a share between 0 and 1, e.g. 0.95")
