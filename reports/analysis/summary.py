"""What a table says in words, and what it does not allow to be said. Computed, never typed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from reports.analysis import intervals
from reports.analysis.cautions import conditions, grouped
from reports.analysis.fronts import front
from reports.analysis.groups import Group
from reports.analysis.markup import code, names

_LEVEL_WORDS = {
    "paper": "Each method ran under its own recipe, so this ranks method and recipe as one.",
    "tuned": "Each method ran with hyperparameters chosen for it alone.",
}
COST_NAMES = {"gmacs": "GMACs", "latency_ms": "latency"}


class Behind(NamedTuple):
    """What a row is behind the best, with the interval of that; fractions."""

    name: str
    by: float
    low: float
    high: float


class Lead(NamedTuple):
    """Who is ahead by one score, and who cannot be told apart from that.

    Attributes:
        best: names of the best, several if exactly equal.
        value: their score, a fraction, with its interval ``low`` to ``high``; NaN if not known.
        close: those whose distance from the best may be 0.
        unknown: names of those that could not be tested.
        beaten: those that are behind, the nearest first.
    """

    best: tuple[str, ...]
    value: float
    low: float
    high: float
    close: tuple[Behind, ...]
    unknown: tuple[str, ...]
    beaten: tuple[Behind, ...]


def lead(rows: pd.DataFrame, score: str) -> Lead | None:
    """Compare every row with the best one, by the marks of `reports.analysis.intervals`.

    None if no row has this score.
    """
    rows = rows[rows[score].notna()].sort_values([score, "name"], ascending=[False, True])
    if rows.empty:
        return None
    top = rows.iloc[0]
    found: dict[str, list] = {intervals.TIE: [], intervals.WORSE: [], intervals.UNTESTED: []}
    for _, row in rows[rows[score] < top[score]].iterrows():
        ends = (row[f"{score}_{end}"] for end in ("behind", "behind_low", "behind_high"))
        found[row[f"{score}_mark"]].append(Behind(row["name"], *ends))
    return Lead(
        best=tuple(rows.loc[rows[score] == top[score], "name"]),
        value=top[score],
        low=top[f"{score}_low"],
        high=top[f"{score}_high"],
        close=tuple(found[intervals.TIE]),
        unknown=tuple(row.name for row in found[intervals.UNTESTED]),
        beaten=tuple(found[intervals.WORSE]),
    )


def sentences(group: Group) -> list[str]:
    """The group in a few sentences of Markdown."""
    rows, lines = group.rows, []
    if len(rows) == 1:
        row = rows.iloc[0]
        scores = [
            f"{s} {_value(row[s], row[f'{s}_low'], row[f'{s}_high'])}"
            for s in ("mAP", "R1")
            if row[s] == row[s]
        ]
        lines.append(
            f"Only {code(row['name'])} was scored, {' and '.join(scores) or 'without mAP'}."
        )
        return lines + _about_seeds(group)
    if group.key.level in _LEVEL_WORDS:
        lines.append(_LEVEL_WORDS[group.key.level])
    for score in ("mAP", "R1"):
        found = lead(rows, score)
        lines += [_lead_in_words(found, score, rows)] if found else []
    lines += _about_seeds(group)
    return lines + _about_convergence(group) + _fronts(group)


def _value(value: float, low: float, high: float) -> str:
    between = "" if np.isnan(low) else f" ({100 * low:.1f} to {100 * high:.1f})"
    return f"{100 * value:.1f} %{between}"


def _fronts(group: Group) -> list[str]:
    """The Pareto fronts; that of latency only if all were measured alike."""
    fronts = [
        (name, tuple(group.rows.loc[front(group.rows, cost), "name"]))
        for cost, name in COST_NAMES.items()
        if cost != "latency_ms" or len(conditions(group)) == 1
    ]
    return [
        f"On the Pareto front of mAP against {' and against '.join(costs)}: {names(on_front)}."
        for on_front, costs in grouped(fronts)
        if on_front
    ]


def _about_convergence(group: Group) -> list[str]:
    """Which methods did not converge, and whether they may stand on the fronts."""
    marked = group.rows[[bool(verdicts) for verdicts in group.rows["convergence"]]]
    if marked.empty:
        return []
    left_out = "" if marked["on_fronts"].all() else ", so left out of the Pareto fronts"
    reasons = "; ".join(
        f"{names(who)} ({', '.join(verdicts)})"
        for verdicts, who in grouped(zip(marked["name"], marked["convergence"], strict=True))
    )
    return [f"Not converged{left_out}: {reasons}."]


def _lead_in_words(found: Lead, score: str, rows: pd.DataFrame) -> str:
    tied = [*found.best, *(row.name for row in found.close)]
    once = rows.loc[rows["name"].isin(tied) & (rows["seeds"] == 1), "name"]
    if len(tied) > 1 and len(once):
        return _refusal(found, score, tied, once)
    verb = "is best" if len(found.best) == 1 else "are best, exactly equal,"
    words = f"By {score} {names(found.best)} {verb} at {_span(found)}"
    if found.close:
        behind = "; ".join(_behind(row) for row in found.close)
        words += f"; not distinguishable from {'it' if len(found.best) == 1 else 'them'}: {behind}"
    if found.beaten:
        others = "the nearest that is behind" if found.close or found.unknown else "the next"
        words += f"; {others} is {_behind(found.beaten[0])}"
    if found.unknown:
        words += f"; not tested against it: {names(found.unknown)}"
    return words + "."


def _refusal(found: Lead, score: str, tied: Sequence[str], once: Sequence[str]) -> str:
    """Of methods that are as good as equal nobody is called the best where one ran only once."""
    of = "one seed each" if len(once) == len(tied) else f"one seed of {names(once)}"
    words = (
        f"By {score} no best method is named: {names(tied)} cannot be told apart, and with {of} "
        f"they are not ranked; the highest is {_span(found)}"
    )
    if found.beaten:
        words += f"; the nearest that is behind {names(found.best)} is {_behind(found.beaten[0])}"
    return words + "."


def _span(found: Lead) -> str:
    return _value(found.value, found.low, found.high)


def _behind(row: Behind) -> str:
    if np.isnan(row.low):
        return f"{code(row.name)}, {100 * row.by:.1f} points lower (every draw gives the same)"
    return (
        f"{code(row.name)}, {100 * row.by:.1f} points lower ({100 * row.low:.1f} "
        f"to {100 * row.high:.1f})".replace("(-", "(−")
    )


def spread_of(group: Group) -> str:
    """Between what the spread is."""
    several = {c: (group.rows[c] > 1).any() for c in ("seeds", "splits")}
    if several["splits"]:
        return "between splits and seeds" if several["seeds"] else "between splits"
    return "between seeds"


def _about_seeds(group: Group) -> list[str]:
    once = group.rows.loc[group.rows["runs"] == 1, "name"]
    if not len(once):
        return []
    if len(once) < len(group.rows):
        return [
            f"Run once, so that nothing is known of other seeds: {names(once)}. A difference from "
            f"{'it' if len(once) == 1 else 'them'} may be the seed's."
        ]
    return ["With one seed nothing is known of other seeds: differences may be the seed's."]
