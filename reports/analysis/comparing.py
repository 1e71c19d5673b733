"""What two or more systems differ by: in the mean, from query to query, by camera and by length."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from benchmark import significance
from reports.analysis.cautions import FEW_PERSONS
from reports.analysis.intervals import SAME
from reports.analysis.markup import code
from reports.analysis.sheets import (
    NO_INTERVAL,
    WHY_NO_INTERVAL,
    Cell,
    Column,
    Sheet,
    bold_best,
    interval,
    points,
)
from reports.read.compared import Compared, System

METRICS = ("mAP", "R1", "mINP")
MOST_FILMS = 10
_LENGTHS = 4  # groups of tracklet lengths


def differences(systems: Sequence[System], resamples: int = significance.RESAMPLES) -> pd.DataFrame:
    """Every pair under every metric, over the same drawn persons.

    Args:
        systems: scored on the same queries.
        resamples: of the bootstrap, and permutations.

    Returns:
        One row a pair and metric: ``a``, ``b`` (names), ``metric``, ``score_a``, ``score_b``,
        ``difference`` (a − b), ``low``, ``high`` (95 %; NaN where every draw is the same),
        ``p_bootstrap``, ``p_permutation``. Scores are fractions.

    Raises:
        ValueError: they were not scored on the same queries.
    """
    rows = []
    for a, b in combinations(systems, 2):
        found = significance.difference(a.queries, b.queries, resamples=resamples)
        for metric in METRICS:
            if metric in found.index:
                row = found.loc[metric].rename({"a": "score_a", "b": "score_b"}).to_dict()
                if row["high"] - row["low"] < SAME:
                    row |= {"low": np.nan, "high": np.nan}
                rows.append({"a": a.name, "b": b.name, "metric": metric, **row})
    return pd.DataFrame(rows)


def widest(systems: Sequence[System], count: int = MOST_FILMS) -> list[int]:
    """The queries whose AP differs most between the best and the worst system, the widest first."""
    each = pd.concat([system.mean("AP") for system in systems], axis=1)
    spread = each.max(axis=1) - each.min(axis=1)
    ordered = spread[spread > 0].sort_index().sort_values(ascending=False, kind="stable")
    return [int(query) for query in ordered.index[:count]]


def sentences(of: Compared, found: pd.DataFrame) -> list[str]:
    """The comparison in a few sentences of Markdown, the caution first."""
    lines = []
    if of.persons < FEW_PERSONS:
        lines.append(
            f"Only {of.persons} test persons: intervals from so few are not to be relied on."
        )
    for row in found[found["metric"] == "mAP"].to_dict("records"):
        lines.append(_in_words(row))
    once = [system.name for system in of.systems if len(system.seeds) == 1]
    if once:
        whose = "each system has" if len(once) == len(of.systems) else "some systems have"
        lines.append(f"Other seeds may give another difference: {whose} one alone.")
    return lines


def _in_words(row: dict) -> str:
    ahead, behind = (row["a"], row["b"]) if row["difference"] >= 0 else (row["b"], row["a"])
    gap = f"{100 * abs(row['difference']):.1f} points of mAP"
    if np.isnan(row["low"]):
        return f"{code(row['a'])} and {code(row['b'])} differ by {gap}; an interval cannot be had."
    ends = sorted(abs(100 * row[end]) for end in ("low", "high"))
    if row["low"] <= 0 <= row["high"]:
        return (
            f"{code(row['a'])} and {code(row['b'])} cannot be told apart by mAP: "
            f"{points(row['difference'])} points, 95 % interval {points(row['low'])} to "
            f"{points(row['high'])}."
        )
    return f"{code(ahead)} is ahead of {code(behind)} by {gap} ({ends[0]:.1f} to {ends[1]:.1f})."


def difference_sheet(found: pd.DataFrame) -> Sheet:
    """Every pair with its interval."""
    rows = found.to_dict("records")
    columns = [
        Column("System", [Cell(row["a"]) for row in rows], kind="name"),
        Column("Against", [Cell(row["b"]) for row in rows], kind="name"),
        Column("Metric", [Cell(row["metric"]) for row in rows], kind="words"),
        Column("System (%)", [Cell(f"{100 * row['score_a']:.1f}") for row in rows]),
        Column("Against (%)", [Cell(f"{100 * row['score_b']:.1f}") for row in rows]),
        Column("Difference (points)", [Cell(points(row["difference"])) for row in rows]),
        Column("95 %", [Cell(_ends(row)) for row in rows]),
        Column("p, bootstrap", [Cell(_p(row["p_bootstrap"])) for row in rows]),
        Column("p, permutation", [Cell(_p(row["p_permutation"])) for row in rows]),
    ]
    notes = [
        "difference: system minus against, over the same queries; 95 %: bootstrap interval, test "
        "persons and seeds drawn again",
        "p, permutation: results exchanged person by person; of these trained networks, not of "
        "other seeds",
        "each pair is tested by itself, uncorrected for their number",
    ]
    if any(np.isnan(row["low"]) for row in rows):
        notes.append(WHY_NO_INTERVAL)
    return Sheet("Differences", columns, notes)


def _ends(row: dict) -> str:
    if np.isnan(row["low"]):
        return NO_INTERVAL
    return f"{points(row['low'])} to {points(row['high'])}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def score_sheet(of: Compared) -> Sheet:
    """Each system by itself, with the interval of each score."""
    columns = [Column("System", [Cell(name) for name in of.names], kind="name")]
    intervals = [significance.interval(system.queries) for system in of.systems]
    for metric in METRICS:
        if any(metric not in one.index for one in intervals):
            continue
        texts = [f"{100 * one.at[metric, 'value']:.1f}" for one in intervals]
        columns.append(Column(f"{metric} (%)", bold_best([Cell(t) for t in texts], texts)))
        ends = [(one.at[metric, "low"], one.at[metric, "high"]) for one in intervals]
        cells = [
            Cell(interval(*pair) if pair[1] - pair[0] > SAME else NO_INTERVAL) for pair in ends
        ]
        columns.append(Column(f"{metric} 95 %", cells))
    gmacs = [f"{s.gmacs:.4g}" if s.gmacs == s.gmacs else "" for s in of.systems]
    nearer = [s.distances.nearer if s.distances else np.nan for s in of.systems]
    shares = [f"{100 * share:.2g}" if share == share else "" for share in nearer]
    columns += [
        Column("Wrong pairs nearer (%)", [Cell(share) for share in shares]),
        Column("GMACs", [Cell(text) for text in gmacs]),
        Column("Seeds", [Cell(", ".join(map(str, s.seeds))) for s in of.systems], kind="words"),
        Column("Recipe", [Cell(s.recipe) for s in of.systems], kind="name"),
    ]
    notes = ["bold: highest in its column; 95 %: bootstrap interval over test persons and seeds"]
    if any(cell.text == NO_INTERVAL for column in columns for cell in column.cells):
        notes.append(WHY_NO_INTERVAL)
    if any(shares):
        notes.append("wrong pairs nearer: share of them that is nearer than half of the right ones")
    return Sheet("Scores", [c for c in columns if not c.is_blank], notes)


def camera_sheet(of: Compared) -> Sheet | None:
    """The mAP of each pair of cameras; None where cameras are not known."""
    tables = [system.cameras for system in of.systems]
    if any(table is None for table in tables):
        return None
    keyed = [table.set_index(["query", "gallery"]) for table in tables if table is not None]
    pairs = [pair for pair in keyed[0].index if all(pair in one.index for one in keyed)]
    if not pairs:
        return None
    columns = [
        Column("Query camera", [Cell(str(query)) for query, _ in pairs]),
        Column("Gallery camera", [Cell(str(gallery)) for _, gallery in pairs]),
        Column("Queries", [Cell(str(int(keyed[0].at[pair, "queries"]))) for pair in pairs]),
    ]
    scores = [[one.at[pair, "mAP"] for pair in pairs] for one in keyed]
    notes = [
        "the gallery is cut down to the tracks of one camera, so these are not the scores above",
        "AP is the mean precision at the matches; bold: highest of its row",
    ]
    return Sheet("mAP by camera pair (%)", [*columns, *_by_system(of, scores)], notes)


def length_groups(of: Compared) -> pd.DataFrame | None:
    """The mean AP of queries by the length of their tracklet: at most four groups, equally large.

    Returns:
        One row a group: ``low``, ``high`` (frames), ``queries``, and a column of fractions for each
        system; None where lengths are not known or all are the same.
    """
    if of.frames is None or of.frames.nunique() < 2:
        return None
    each = pd.concat([system.mean("AP") for system in of.systems], axis=1, keys=of.names)
    frames = of.frames.loc[each.index]
    group = pd.qcut(frames, min(_LENGTHS, frames.nunique()), labels=False, duplicates="drop")
    rows = []
    for _, found in frames.groupby(group):
        means = each.loc[found.index].mean()
        ends = {"low": int(found.min()), "high": int(found.max()), "queries": len(found)}
        rows.append(ends | means.to_dict())
    return pd.DataFrame(rows)


def length_sheet(of: Compared) -> Sheet | None:
    """`length_groups` as a table."""
    groups = length_groups(of)
    if groups is None:
        return None
    columns = [
        Column("Frames of the query", [Cell(frames_text(row)) for _, row in groups.iterrows()]),
        Column("Queries", [Cell(str(int(n))) for n in groups["queries"]]),
    ]
    scores = [list(groups[name]) for name in of.names]
    notes = ["mean AP of the queries of each group; bold: highest of its row"]
    return Sheet("mAP by tracklet length (%)", [*columns, *_by_system(of, scores)], notes)


def frames_text(row: pd.Series) -> str:
    """A group of lengths in words."""
    low, high = int(row["low"]), int(row["high"])
    return str(low) if low == high else f"{low} to {high}"


def _by_system(of: Compared, scores: Sequence[Sequence[float]]) -> list[Column]:
    """A column a system, [systems][rows] of fractions; the highest of each row is marked."""
    texts = [[f"{100 * score:.1f}" for score in of_one] for of_one in scores]
    rows = [bold_best([Cell(t) for t in row], row) for row in zip(*texts, strict=True)]
    by_column = zip(*rows, strict=True)
    return [Column(name, list(cells)) for name, cells in zip(of.names, by_column, strict=True)]
