"""Tables to be printed, the same for Markdown, LaTeX and HTML: titles, cells and marks.

Cells are plain text. What was not measured is a blank cell. A cell is marked ``best`` in its
column, or ``tie`` where it cannot be distinguished from the best.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from reports.analysis import intervals
from reports.analysis.footnotes import UNSTEADY as SIGN
from reports.analysis.footnotes import legend, signs
from reports.analysis.groups import Group
from reports.read.rows import METRICS, UNSTEADY

# title, column, significant digits of the smallest value
COSTS = (
    ("Params (M)", "params_m", 3),
    ("GMACs", "gmacs", 4),
    ("Latency (ms)", "latency_ms", 3),
    ("Clips/s", "clips_per_s", 3),
    ("Peak memory (MB)", "peak_memory_mb", 3),
)
NO_INTERVAL = "none"
WHY_NO_INTERVAL = f"{NO_INTERVAL}: every draw gives the same, so that there is no interval"
MOST_PAIRS = 20  # methods in the table of pairs


class Cell(NamedTuple):
    """What stands in one place of a table.

    Attributes:
        text: plain.
        mark: ``best``, ``tie`` or nothing.
        sign: of footnotes, e.g. ``¹ †``.
    """

    text: str
    mark: str = ""
    sign: str = ""


class Column(NamedTuple):
    """One column.

    Attributes:
        title: of the column.
        cells: one a row.
        header: what several neighbouring columns have in common, e.g. ``published: mars``.
        kind: ``name`` (an identifier), ``words`` or ``number``.
    """

    title: str
    cells: list[Cell]
    header: str = ""
    kind: str = "number"

    @property
    def is_blank(self) -> bool:
        """No cell holds anything."""
        return not any(cell.text for cell in self.cells)


class Sheet(NamedTuple):
    """A table with what must stand beside it.

    Attributes:
        title: of what it is.
        columns: those with at least one filled cell.
        notes: how to read it, one sentence each.
    """

    title: str
    columns: list[Column]
    notes: list[str]


def accuracy(group: Group) -> list[Column]:
    """Who, and how well: metrics with spread, mark and interval, best mAP first."""
    rows = group.rows
    made = [names_column(group)]
    if group.key.level != "shared":
        made.append(Column("Recipe", [Cell(recipe) for recipe in rows["recipe"]], kind="name"))
    for metric in METRICS:
        made.append(Column(f"{metric} (%)", percent(rows, metric)))
        if metric in intervals.TESTED:
            made.append(Column(f"{metric} 95 %", intervals_of(rows, metric)))
        if metric == "mAP":
            made.append(Column("Group", [Cell(letters) for letters in rows["mAP_letters"]]))
    return [column for column in [*made, _runs(rows)] if not column.is_blank]


def names_column(group: Group) -> Column:
    """The methods with the signs of their footnotes."""
    at = signs(group)
    return Column("Method", [Cell(name, sign=at[name]) for name in group.rows["name"]], kind="name")


def _runs(rows: pd.DataFrame) -> Column:
    if (rows["splits"] > 1).any():
        counts = zip(rows["runs"], rows["splits"], rows["seeds"], strict=True)
        cells = [Cell(f"{n} ({splits} × {seeds})") for n, splits, seeds in counts]
        return Column("Runs (splits × seeds)", cells)
    return Column("Seeds", [Cell(str(seeds)) for seeds in rows["seeds"]])


def costs(group: Group) -> list[Column]:
    """What each method costs."""
    rows, made = group.rows, []
    for title, column, digits in COSTS:
        cells = numbers(rows[column], digits)
        if column == "latency_ms":
            cells = _bracketed(cells, numbers(rows["latency_iqr_ms"], digits - 1))
            cells = [
                cell._replace(sign=SIGN) if unsteady else cell
                for cell, unsteady in zip(cells, rows["unsteady"], strict=True)
            ]
        if column == "clips_per_s":
            cells = _bracketed(cells, numbers(rows["best_batch"], 1))
        made.append(Column(title, cells))
    return [column for column in made if not column.is_blank]


def accuracy_notes(group: Group, between: str) -> list[str]:
    """How to read `accuracy`; ``between`` says between what the spread is."""
    rows, notes = group.rows, []
    if rows["mAP_sd"].notna().any():
        notes.append(f"±: standard deviation (n − 1) {between}")
    draws = rows["resamples"].max()
    if draws and rows["tested"].any():
        seeds = " and seeds" if (rows["seeds"] > 1).any() else ""
        notes.append(f"95 %: bootstrap interval, test persons{seeds} drawn again {draws:,} times")
    if any(c.text == NO_INTERVAL for m in intervals.TESTED for c in intervals_of(rows, m)):
        notes.append(WHY_NO_INTERVAL)
    if len(rows) > 1:
        notes.append("bold: best in its column, as shown")
    if any((rows[f"{metric}_mark"] == intervals.TIE).any() for metric in intervals.TESTED):
        notes.append(
            "≈: not distinguishable from the best, the paired interval of their difference holds 0 "
            "(each against the best alone)"
        )
    if (rows["mAP_letters"] != "").any():
        notes.append("Group: methods that share a letter cannot be told apart by mAP")
    return [*notes, *legend(group), "blank: not measured"]


def cost_notes(group: Group) -> list[str]:
    """How to read `costs`."""
    notes = ["latency: median (interquartile range)"]
    if group.rows["unsteady"].any():
        share = f"{100 * UNSTEADY:.0f} %"
        notes.append(f"{SIGN} unsteady, the interquartile range is over {share} of the median")
    return notes


def better(group: Group) -> Sheet | None:
    """Who beats whom: the probability that a row's method has the higher mAP than a column's."""
    if group.pairs is None:
        return None
    names = group.pairs.names[:MOST_PAIRS]
    columns = [
        Column("", [Cell(str(i)) for i in range(1, len(names) + 1)], kind="words"),
        Column("Method", [Cell(name) for name in names], kind="name"),
    ]
    for j in range(len(names)):
        cells = [
            Cell("" if i == j else _probability(group.pairs.better[i, j]))
            for i in range(len(names))
        ]
        columns.append(Column(str(j + 1), cells))
    letters = [Cell(group.pairs.letters[name]) for name in names]
    notes = [
        "each cell: probability in percent that the method of the row has a higher mAP than that "
        f"of the column, test persons and seeds drawn again {group.pairs.resamples:,} times",
        "Group: methods that share a letter cannot be told apart, each pair tested by itself",
    ]
    if len(group.pairs.names) > MOST_PAIRS:
        notes.append(f"shown: the best {MOST_PAIRS} of {len(group.pairs.names)} methods")
    return Sheet("Who beats whom", [*columns, Column("Group", letters)], notes)


def _probability(share: float) -> str:
    """Percent; what no draw showed is not called impossible."""
    if share >= 0.995:
        return "> 99"
    return "< 1" if share < 0.005 else f"{100 * share:.0f}"


def percent(rows: pd.DataFrame, metric: str) -> list[Cell]:
    """Percent with one decimal, spread and mark."""
    means, spreads = rows[metric], rows[f"{metric}_sd"]
    marks = rows.get(f"{metric}_mark", pd.Series("", index=rows.index))
    shown = [f"{100 * mean:.1f}" if mean == mean else "" for mean in means]
    cells = []
    for text, spread, mark in zip(shown, spreads, marks, strict=True):
        with_spread = f"{text} ± {100 * spread:.1f}" if text and spread == spread else text
        cells.append(Cell(with_spread, mark if mark == intervals.TIE else ""))
    return bold_best(cells, shown)


def bold_best(cells: Sequence[Cell], shown: Sequence[str]) -> list[Cell]:
    """Mark those whose shown value is the highest, where there are several values."""
    values = [float(text) for text in shown if text]
    if len(values) < 2:
        return [cell._replace(mark="") for cell in cells]
    return [
        cell._replace(mark=intervals.BEST) if text and float(text) == max(values) else cell
        for cell, text in zip(cells, shown, strict=True)
    ]


def intervals_of(rows: pd.DataFrame, metric: str) -> list[Cell]:
    """The interval of each row; one that cannot be had, since every draw is the same, is none."""
    ends = zip(rows[f"{metric}_low"], rows[f"{metric}_high"], rows["tested"], strict=True)
    known = rows[metric].notna()
    return [
        Cell(interval(low, high) or (NO_INTERVAL if tested and scored else ""))
        for (low, high, tested), scored in zip(ends, known, strict=True)
    ]


def interval(low: float, high: float) -> str:
    """Percent, blank if not known."""
    return f"{100 * low:.1f}–{100 * high:.1f}" if low == low and high == high else ""


def points(fraction: float) -> str:
    """A difference in percentage points with its sign, blank if not known."""
    return f"{100 * fraction:+.1f}".replace("-", "−") if fraction == fraction else ""


def numbers(values: pd.Series, digits: int) -> list[Cell]:
    """All with as many decimals as give the smallest ``digits`` significant ones, within reason."""
    positive = values[values > 0]
    least = int(np.floor(np.log10(positive.min()))) if len(positive) else 0
    decimals = min(max(digits - 1 - least, 0), 2 if least >= 0 else 3)
    return [Cell(f"{value:,.{decimals}f}" if value == value else "") for value in values]


def _bracketed(cells: list[Cell], extra: list[Cell]) -> list[Cell]:
    pairs = zip(cells, extra, strict=True)
    return [Cell(f"{a.text} ({b.text})") if a.text and b.text else a for a, b in pairs]
