"""What a table says in words, and what it does not allow to be said. Computed, never typed."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from reports.analysis import intervals as ties
from reports.analysis.groups import Group, pareto
from reports.formats.markup import code, names

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
    found: dict[str, list] = {ties.TIE: [], ties.WORSE: [], ties.UNTESTED: []}
    for _, row in rows[rows[score] < top[score]].iterrows():
        ends = (row[f"{score}_{end}"] for end in ("behind", "behind_low", "behind_high"))
        found[row[f"{score}_mark"]].append(Behind(row["name"], *ends))
    return Lead(
        best=tuple(rows.loc[rows[score] == top[score], "name"]),
        value=top[score],
        low=top[f"{score}_low"],
        high=top[f"{score}_high"],
        close=tuple(found[ties.TIE]),
        unknown=tuple(row.name for row in found[ties.UNTESTED]),
        beaten=tuple(found[ties.WORSE]),
    )


def sentences(group: Group) -> list[str]:
    """The group in a few sentences of Markdown."""
    rows, told = group.rows, []
    if len(rows) == 1:
        row = rows.iloc[0]
        scores = [
            f"{s} {_value(row[s], row[f'{s}_low'], row[f'{s}_high'])}"
            for s in ("mAP", "R1")
            if row[s] == row[s]
        ]
        told.append(
            f"Only {code(row['name'])} was scored, {' and '.join(scores) or 'without mAP'}."
        )
        return told + _about_seeds(group)
    if group.key.training == "paper":
        told.append("Each method ran under its own recipe, so this ranks method and recipe as one.")
    for score in ("mAP", "R1"):
        found = lead(rows, score)
        told += [_lead_in_words(found, score)] if found else []
    told += _about_seeds(group)
    return told + _fronts(group)


def _value(value: float, low: float, high: float) -> str:
    between = "" if np.isnan(low) else f" ({100 * low:.1f} to {100 * high:.1f})"
    return f"{100 * value:.1f} %{between}"


def _fronts(group: Group) -> list[str]:
    """The Pareto fronts; that of latency only if all were measured alike."""
    fronts = [
        (name, tuple(group.rows.loc[pareto(group.rows, cost), "name"]))
        for cost, name in COST_NAMES.items()
        if cost != "latency_ms" or len(conditions(group)) == 1
    ]
    return [
        f"On the Pareto front of mAP against {' and against '.join(costs)}: {names(front)}."
        for front, costs in grouped(fronts)
        if front
    ]


def _lead_in_words(found: Lead, score: str) -> str:
    verb = "is best" if len(found.best) == 1 else "are best, exactly equal,"
    value = _value(found.value, found.low, found.high)
    text = f"By {score} {names(found.best)} {verb} at {value}"
    if found.close:
        behind = "; ".join(_behind(row) for row in found.close)
        text += f"; not distinguishable from {'it' if len(found.best) == 1 else 'them'}: {behind}"
    if found.beaten:
        others = "the nearest that is behind" if found.close or found.unknown else "the next"
        text += f"; {others} is {_behind(found.beaten[0])}"
    if found.unknown:
        text += f"; not tested against it: {names(found.unknown)}"
    return text + "."


def _behind(row: Behind) -> str:
    return (
        f"{code(row.name)}, {100 * row.by:.1f} points lower "
        f"({100 * row.low:.1f} to {100 * row.high:.1f})".replace("(-", "(−")
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


def cautions(group: Group) -> list[str]:
    """What makes the rows of this table less comparable than they look."""
    found, records = [], group.records
    cells = {
        name: set(zip(runs["split"], runs["seed"], strict=True))
        for name, runs in group.by_name.items()
    }
    if len({frozenset(c) for c in cells.values()}) > 1:
        which = grouped((name, _cells(c)) for name, c in cells.items())
        parts = "; ".join(f"{who}: {cell}" for cell, who in shortened(which))
        found.append(f"Not all methods ran with the same seeds and splits: {parts}.")
    doubled = [n for n, runs in group.by_name.items() if len(runs) > len(cells[n])]
    if doubled:
        found.append(f"Several runs share one seed and split: {names(doubled)}.")
    gpus = conditions(group)
    if len(gpus) > 1:
        found.append("Latencies were measured under different conditions: compare them not at all.")
    sizes = {(r["frames"], r["height"], r["width"]) for r in records["cost"] if "frames" in r}
    if len(sizes) > 1:
        found.append("GMACs are per clip, and the clips differ in size (see the cost notes).")
    return found


def _cells(cells: Iterable[tuple[int, int]]) -> str:
    cells = sorted(cells)
    if {split for split, _ in cells} == {0}:
        return f"seed{'s' * (len(cells) > 1)} {', '.join(str(seed) for _, seed in cells)}"
    return ", ".join(f"split {split} seed {seed}" for split, seed in cells)


def conditions(group: Group) -> dict[str, list[str]]:
    """Under what conditions costs were measured, with the methods: one entry if all are alike."""
    pairs = [
        (name, _condition(cost, environment))
        for name, runs in group.by_name.items()
        for cost, environment in zip(runs["cost"], runs["environment"], strict=True)
        if cost
    ]
    return {condition: list(dict.fromkeys(found)) for condition, found in grouped(pairs)}


def _condition(cost: dict, environment: dict) -> str:
    precision = {"no": "fp32"}.get(cost.get("precision"), cost.get("precision"))
    machine = environment.get("gpu") or environment.get("processor")
    size = " × ".join(str(cost.get(name, "?")) for name in ("frames", "height", "width"))
    parts = (cost.get("device"), machine, precision, f"clips of {size} (frames × height × width)")
    return ", ".join(str(part) for part in dict.fromkeys(parts) if part)


def grouped(pairs: Iterable[tuple[str, object]]) -> list[tuple[object, list[str]]]:
    """The names that share a value, by value, both in the order of their first coming."""
    found: dict[object, list[str]] = {}
    for name, value in pairs:
        found.setdefault(value, []).append(name)
    return list(found.items())


def shortened(found: list[tuple[object, list[str]]]) -> list[tuple[object, str]]:
    """Values with who has them, in Markdown; the largest of several is "the other N", and last."""
    largest = max(found, key=lambda pair: len(pair[1]))
    if len(found) == 1 or len(largest[1]) < 4:
        return [(value, names(who)) for value, who in found]
    few = [(value, names(who)) for value, who in found if value != largest[0]]
    return [*few, (largest[0], f"the other {len(largest[1])}")]
