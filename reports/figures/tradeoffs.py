"""Accuracy against cost: mAP and R1, the Pareto front, and what the papers print.

Methods on the front are filled, the others hollow. Whiskers are 95 % intervals of accuracy, or the
standard deviation over runs where there is none, and the interquartile range of latency. Published
figures have markers of their own, are joined where a paper varies the number of frames, and never
count in the front.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from reports.analysis.convergence import SIGN
from reports.analysis.footnotes import UNSTEADY
from reports.analysis.fronts import front
from reports.analysis.papers import SHORT
from reports.figures.name_placement import place
from reports.figures.style import (
    SMALL,
    TEXT,
    Style,
    name_with_sign,
    new_figure,
    within_percent,
    wrapped,
)

AXES = {
    "gmacs": "Computation per clip (GMACs)",
    "latency_ms": "Latency per clip, batch 1 (ms)",
    "peak_memory_mb": "Peak memory, one clip (MB)",
}
SCORES = ("mAP", "R1")
MOST_NAMES = 16  # more of them would hide each other
PUBLISHED = "0.35"  # grey
_PAPER_MARKERS = dict(zip(SHORT, "*XPdhpv^<>8", strict=True))


def tradeoff(
    rows: pd.DataFrame,
    cost: str,
    style_of: Mapping[str, Style],
    title: str,
    printed: pd.DataFrame | None = None,
) -> Figure:
    """MAP and R1 against a cost of `AXES`, each with its Pareto front.

    Args:
        rows: of `reports.analysis.groups.groups`; those without the cost or the score are left out.
        cost: a key of `AXES`.
        style_of: style by name.
        title: what the numbers are of.
        printed: published points, see `reports.analysis.papers.points`; for GMACs only.
    """
    printed = pd.DataFrame() if printed is None or cost != "gmacs" else printed
    scores = [s for s in SCORES if shown(rows, cost, s).any() or _has(printed, s)]
    figure, panels = new_figure((8.8 if len(scores) > 1 else 6.6, 4.5), len(scores), title)
    drawn = [
        _panel(axes, rows[shown(rows, cost, score)], cost, score, style_of, printed)
        for axes, score in zip(panels, scores, strict=True)
    ]
    _key(figure, rows, cost, printed)
    figure.draw_without_rendering()  # lays the figure out, so that the axes have their final size
    for axes, (points, lines) in zip(panels, drawn, strict=True):
        place(axes, points, lines, SMALL)
    return figure


def shown(rows: pd.DataFrame, cost: str, score: str) -> pd.Series:
    """Which rows can be drawn."""
    if rows.empty:
        return pd.Series(False, index=rows.index)
    return rows[cost].notna() & rows[score].notna()


def _has(printed: pd.DataFrame, score: str) -> bool:
    return not printed.empty and printed[[score, "gmacs"]].notna().all(axis=1).any()


def _panel(
    axes: Axes,
    rows: pd.DataFrame,
    cost: str,
    score: str,
    style_of: Mapping[str, Style],
    printed: pd.DataFrame,
) -> tuple[list[tuple[float, float, str]], np.ndarray]:
    """Draw one score; returns the points to be named, and points along lines to keep clear."""
    is_on_front = front(rows, cost, score) if len(rows) else np.array([], dtype=bool)
    for on_front, (_, row) in zip(is_on_front, rows.iterrows(), strict=True):
        _point(axes, row, cost, score, style_of[row["name"]], on_front)
    points = _printed(axes, printed, score) if _has(printed, score) else []
    axes.set_xlabel(AXES[cost], fontsize=TEXT)
    axes.set_ylabel(f"{score} (%)", fontsize=TEXT)
    _cost_axis(
        axes, [*rows[cost], *(x for x, *_ in points)] if len(rows) else [p[0] for p in points]
    )
    axes.margins(x=0.16, y=0.16)
    within_percent(axes)
    steps = np.empty((0, 2))
    if is_on_front.any():
        steps = _staircase(axes, rows[is_on_front].sort_values([cost, score]), cost, score)
    named = rows
    if len(rows) > MOST_NAMES:  # what stands on the front; where nothing may, the best
        named = rows[is_on_front] if is_on_front.any() else rows.nlargest(MOST_NAMES, score)
    own = [(row[cost], 100 * row[score], _name(row, cost)) for _, row in named.iterrows()]
    bars = _bars(rows, cost, score) if len(rows) else np.empty((0, 2))
    return own + points, np.vstack([steps, bars])


def _name(row: pd.Series, cost: str) -> str:
    """A point's name with its signs."""
    unsteady = f" {UNSTEADY}" if cost == "latency_ms" and row["unsteady"] else ""
    return wrapped(name_with_sign(row) + unsteady, 22)


def _point(axes: Axes, row: pd.Series, cost: str, score: str, style: Style, on_front: bool) -> None:
    x, y = [row[cost]], [100 * row[score]]
    low, high = _ends(row, score)
    bars = {"fmt": "none", "ecolor": style.colour, "elinewidth": 1.1, "capsize": 2.5}
    if high > low:
        axes.errorbar(x, y, [[max(0, y[0] - low)], [max(0, high - y[0])]], **bars)
    if cost == "latency_ms" and row["latency_iqr_ms"] > 0:
        axes.errorbar(x, y, xerr=row["latency_iqr_ms"] / 2, **bars)
    axes.plot(
        x,
        y,
        color=style.colour,
        marker=style.marker,
        markersize=7.5,
        markerfacecolor=style.colour if on_front else "white",
        markeredgewidth=1.4,
        linestyle="none",
        label=row["name"],
        zorder=4 if on_front else 3,
    )


def _ends(row: pd.Series, score: str) -> tuple[float, float]:
    """Percent between which a whisker goes: the interval, or the spread over runs, or nothing."""
    value, low, high = row[score], row[f"{score}_low"], row[f"{score}_high"]
    if np.isfinite([low, high]).all():
        return 100 * low, 100 * high
    spread = row[f"{score}_sd"] if np.isfinite(row[f"{score}_sd"]) else 0.0
    return 100 * (value - spread), 100 * (value + spread)


def _printed(axes: Axes, printed: pd.DataFrame, score: str) -> list[tuple[float, float, str]]:
    """Draw published points, those of one trajectory joined; returns them with their names."""
    kept = printed[printed[[score, "gmacs"]].notna().all(axis=1)]
    for _, line in kept[kept["line"] != ""].groupby("line", sort=True):
        line = line.sort_values("frames")
        axes.plot(line["gmacs"], line[score], color=PUBLISHED, lw=0.9, ls=":", zorder=1)
    for paper, of_paper in kept.groupby("paper", sort=True):
        axes.plot(
            of_paper["gmacs"],
            of_paper[score],
            color=PUBLISHED,
            marker=_PAPER_MARKERS.get(paper, "x"),
            markersize=7,
            markerfacecolor="white",
            linestyle="none",
            label=f"published {paper}",
            zorder=2,
        )
    return list(zip(kept["gmacs"], kept[score], kept["label"], strict=True))


def _key(figure: Figure, rows: pd.DataFrame, cost: str, printed: pd.DataFrame) -> None:
    """Say below the axes what filled markers, lines, whiskers and signs are."""
    handles, words = [], []
    if len(rows):
        handles.append(Line2D([], [], color="0.45", lw=1.1, ls=(0, (4, 2))))
        words.append("Pareto front (filled: on it)")
        whisker = Line2D([], [], color="0.2", marker="|", lw=1.1)
        for text in _whiskers(rows, cost):
            handles.append(whisker)
            words.append(text)
    if len(rows) and any(rows["convergence"]):
        handles.append(Line2D([], [], ls="none"))
        in_front = " (on no front)" if not rows["on_fronts"].all() else ""
        words.append(f"{SIGN} not converged{in_front}")
    if cost == "latency_ms" and len(rows) and rows["unsteady"].any():
        handles.append(Line2D([], [], ls="none"))
        words.append(f"{UNSTEADY} unsteady latency (on no front)")
    for paper in sorted(set(printed["paper"])) if len(printed) else ():
        marker = _PAPER_MARKERS.get(paper, "x")
        handles.append(Line2D([], [], color=PUBLISHED, marker=marker, mfc="white", lw=0.9, ls=":"))
        words.append(f"published, {printed.loc[printed['paper'] == paper, 'short'].iloc[0]}")
    figure.legend(
        handles, words, loc="outside lower center", ncols=3, fontsize=SMALL, frameon=False
    )


def _whiskers(rows: pd.DataFrame, cost: str) -> list[str]:
    known = rows["mAP_low"].notna()
    found = ["95 % interval"] if known.any() else []
    if (~known & rows["mAP_sd"].notna()).any():
        found.append("± standard deviation over runs")
    if cost == "latency_ms" and (rows["latency_iqr_ms"] > 0).any():
        found.append("interquartile range of latency")
    return found


def _cost_axis(axes: Axes, costs: Sequence[float]) -> None:
    """Logarithmic where the costs lie more than a factor of 10 apart."""
    if min(costs) > 0 and max(costs) > 10 * min(costs):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.set_xlabel(f"{axes.get_xlabel()}, logarithmic", fontsize=TEXT)


def _staircase(axes: Axes, front: pd.DataFrame, cost: str, score: str) -> np.ndarray:
    """Draw the best score that can be had for at most a cost; points along it, for the names."""
    low, right = axes.get_ylim()[0], axes.get_xlim()[1]
    costs, scores = front[cost].to_numpy(), 100 * front[score].to_numpy()
    limits = axes.get_xlim(), axes.get_ylim()
    xs = np.repeat([*costs, right], 2)[:-1]
    ys = np.array([low, *np.repeat(scores, 2)])
    axes.plot(xs, ys, color="0.45", linewidth=1.1, linestyle=(0, (4, 2)), zorder=2, label="front")
    axes.set(xlim=limits[0], ylim=limits[1])
    share = np.linspace(0, 1, 25)[:, None]
    ends = np.column_stack([xs, ys])
    return np.vstack([a + share * (b - a) for a, b in pairwise(ends)])


def _bars(rows: pd.DataFrame, cost: str, score: str) -> np.ndarray:
    """Points along the whiskers."""
    along = []
    for _, row in rows.iterrows():
        along += [(row[cost], value) for value in np.linspace(*_ends(row, score), 17)]
        if cost == "latency_ms" and row["latency_iqr_ms"] > 0:
            half = row["latency_iqr_ms"] / 2
            across = np.linspace(row[cost] - half, row[cost] + half, 17)
            along += [(value, 100 * row[score]) for value in across]
    return np.array(along, dtype=float)
