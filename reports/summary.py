"""What a table says in words, and what it does not allow to be said. Computed, never typed."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from reports.markup import code, names
from reports.tables import Group, pareto

COST_NAMES = {"gmacs": "GMACs", "latency_ms": "latency"}


class Lead(NamedTuple):
    """Who is ahead by one score, and who cannot be told apart from that.

    Attributes:
        best: names of the best, several if exactly equal.
        value: their score, a fraction.
        close: name, difference and spread of those that differ by no more than the spread.
        unknown: names of those whose spread, or that of the best, is not known.
        beaten: name, difference and spread of those that differ by more.
    """

    best: tuple[str, ...]
    value: float
    close: tuple[tuple[str, float, float], ...]
    unknown: tuple[str, ...]
    beaten: tuple[tuple[str, float, float], ...]


def lead(rows: pd.DataFrame, score: str) -> Lead | None:
    """Compare every row with the best one; the spread of two is the larger standard deviation.

    None if no row has this score.
    """
    rows = rows[rows[score].notna()].sort_values([score, "name"], ascending=[False, True])
    if rows.empty:
        return None
    top = rows.iloc[0]
    equal = rows[rows[score] == top[score]]
    close, unknown, beaten = [], [], []
    for _, row in rows.iloc[len(equal) :].iterrows():
        spread = np.maximum(row[f"{score}_sd"], top[f"{score}_sd"])  # NaN if either is not known
        told = (row["name"], top[score] - row[score], spread)
        if np.isnan(spread):
            unknown.append(row["name"])
        else:
            (close if told[1] <= spread else beaten).append(told)
    return Lead(tuple(equal["name"]), top[score], tuple(close), tuple(unknown), tuple(beaten))


def sentences(group: Group) -> list[str]:
    """The group in a few sentences of Markdown."""
    rows, told = group.rows, []
    if len(rows) == 1:
        row = rows.iloc[0]
        scores = [f"{s} {100 * row[s]:.1f} %" for s in ("mAP", "R1") if row[s] == row[s]]
        told.append(
            f"Only {code(row['name'])} was scored, {' and '.join(scores) or 'without mAP'}."
        )
        return told + _about_spread(group)
    if group.key.training == "paper":
        told.append("Each method ran under its own recipe, so this ranks method and recipe as one.")
    for score in ("mAP", "R1"):
        found = lead(rows, score)
        told += [_lead_in_words(found, score, spread_of(group))] if found else []
    told += _about_spread(group)
    return told + _fronts(group)


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


def _lead_in_words(found: Lead, score: str, between: str) -> str:
    value = f"{100 * found.value:.1f} %"
    verb = "is best" if len(found.best) == 1 else "are best, exactly equal,"
    text = f"By {score} {names(found.best)} {verb} ({value})"
    if found.close:
        apart = "; ".join(
            f"{code(name)} ({_points(difference)}, spread {100 * spread:.1f})"
            for name, difference, spread in found.close
        )
        text += (
            f", but not told apart, since the difference is within the spread {between}: {apart}"
        )
    elif found.beaten:
        name, difference, spread = found.beaten[0]
        text += f", {_points(difference)} ahead of {code(name)}; the spread {between} is "
        text += f"{100 * spread:.1f}"
    return text + "."


def _points(difference: float) -> str:
    return f"{100 * difference:.1f} points"


def spread_of(group: Group) -> str:
    """Between what the spread is."""
    several = {c: (group.rows[c] > 1).any() for c in ("seeds", "splits")}
    if several["splits"]:
        return "between splits and seeds" if several["seeds"] else "between splits"
    return "between seeds"


def _about_spread(group: Group) -> list[str]:
    once = group.rows.loc[group.rows["runs"] == 1, "name"]
    if not len(once):
        return []
    if len(once) < len(group.rows):
        return [
            f"With one run the spread is unknown: {names(once)}. A difference from "
            f"{'it' if len(once) == 1 else 'them'} may be chance."
        ]
    tail = " Differences may be chance." if len(once) > 1 else ""
    return [f"With one seed the spread between seeds is unknown.{tail}"]


def cautions(group: Group) -> list[str]:
    """What makes the rows of this table less comparable than they look."""
    found, records = [], group.records
    cells = {
        name: set(zip(runs["split"], runs["seed"], strict=True))
        for name, runs in records_by_name(group)
    }
    if len({frozenset(c) for c in cells.values()}) > 1:
        which = grouped((name, _cells(c)) for name, c in cells.items())
        parts = "; ".join(f"{who}: {cell}" for cell, who in shortened(which))
        found.append(f"Not all methods ran with the same seeds and splits: {parts}.")
    doubled = [n for n, runs in records_by_name(group) if len(runs) > len(cells[n])]
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


def records_by_name(group: Group) -> list[tuple[str, pd.DataFrame]]:
    """The records of each row, in the rows' order."""
    same = ["method", "built", "recipe", "origin"]
    return [
        (row["name"], group.records[group.records[same].eq(row[same].to_list()).all(axis=1)])
        for _, row in group.rows.iterrows()
    ]


def conditions(group: Group) -> dict[str, list[str]]:
    """Under what conditions costs were measured, with the methods: one entry if all are alike."""
    pairs = [
        (name, _condition(row))
        for name, runs in records_by_name(group)
        for _, row in runs.iterrows()
        if row["cost"]
    ]
    return {condition: list(dict.fromkeys(found)) for condition, found in grouped(pairs)}


def _condition(row: pd.Series) -> str:
    cost, environment = row["cost"], row["environment"]
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
