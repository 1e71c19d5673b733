"""The pictures of a report: accuracy against cost, CMC curves, training curves.

Every function takes numbers and returns a figure; nothing is shown, written or kept. Colours are
those of Okabe and Ito, told apart by the colour-blind; markers and dashes tell the same in grey.
The title says what data, recipe and rules the numbers belong to.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from reports.labels import place
from reports.tables import RANKS_SHOWN, pareto

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")  # 7 x 9 pairs before one comes again
_DASHES = ("solid", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.5, 1.2, 1.5)))
_AXES = {
    "gmacs": "Computation per clip (GMACs)",
    "latency_ms": "Latency per clip, batch 1 (ms)",
}
_TEXT, _SMALL = 9.5, 8.5


class Style(NamedTuple):
    """How one method is drawn in all figures of a report."""

    colour: str
    marker: str
    dash: object


def styles(names: Iterable[str]) -> dict[str, Style]:
    """A style for each name; the same names get the same styles, in whatever order they come."""
    return {
        name: Style(
            _COLOURS[i % len(_COLOURS)],
            _MARKERS[i % len(_MARKERS)],
            _DASHES[i // len(_COLOURS) % len(_DASHES)],
        )
        for i, name in enumerate(sorted(set(names)))
    }


def tradeoff(rows: pd.DataFrame, cost: str, looks: Mapping[str, Style], title: str) -> Figure:
    """MAP against a cost, ``gmacs`` or ``latency_ms``, with the Pareto front drawn.

    Rows of `reports.tables.comparison`; those without the cost or mAP are left out. Methods on
    the front are filled, the others hollow; bars are the standard deviation over runs.
    """
    rows = rows[np.isfinite(rows[cost]) & np.isfinite(rows["mAP"])]
    front = pareto(rows, cost)
    figure, (axes,) = _figure((6.6, 4.5), 1, title)
    for on_front, (_, row) in zip(front, rows.iterrows(), strict=True):
        _point(axes, row, cost, looks[row["name"]], on_front)
    axes.set_xlabel(_AXES[cost], fontsize=_TEXT)
    axes.set_ylabel("mAP (%)", fontsize=_TEXT)
    _cost_axis(axes, rows[cost])
    axes.margins(x=0.16, y=0.16)
    _end_at_all(axes)
    steps = _front(axes, rows[front].sort_values([cost, "mAP"]), cost)
    _key(axes, bool(rows["mAP_sd"].notna().any()))
    figure.draw_without_rendering()  # lays the figure out, so that the axes have their final size
    names = [_wrapped(name) for name in rows["name"]]
    points = list(zip(rows[cost], 100 * rows["mAP"], names, strict=True))
    place(axes, points, np.vstack([steps, _bars(points, rows["mAP_sd"])]), _SMALL)
    return figure


def _point(axes: Axes, row: pd.Series, cost: str, look: Style, on_front: bool) -> None:
    x, y = [row[cost]], [100 * row["mAP"]]
    if np.isfinite(row["mAP_sd"]):
        spread = [100 * row["mAP_sd"]]
        axes.errorbar(x, y, spread, fmt="none", ecolor=look.colour, elinewidth=1.1, capsize=2.5)
    axes.plot(
        x,
        y,
        color=look.colour,
        marker=look.marker,
        markersize=7.5,
        markerfacecolor=look.colour if on_front else "white",
        markeredgewidth=1.4,
        linestyle="none",
        label=row["name"],
        zorder=4 if on_front else 3,
    )


def _key(axes: Axes, spread: bool) -> None:
    """Say above the axes what filled markers, the dashed line and bars are."""
    front = axes.get_lines()[-1]
    axes.legend(
        [front],
        ["Pareto front (filled: on it)" + "; bars: ± standard deviation over runs" * spread],
        loc="lower right",
        bbox_to_anchor=(1, 1),
        fontsize=_SMALL,
        frameon=False,
        borderaxespad=0.2,
    )


def _end_at_all(axes: Axes) -> None:
    """Percent end at 100, with room for half a marker."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, min(high, 100 + 0.03 * (100 - low)))


def _cost_axis(axes: Axes, costs: pd.Series) -> None:
    """Logarithmic where the costs lie more than a factor of 10 apart."""
    if costs.min() > 0 and costs.max() > 10 * costs.min():
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.set_xlabel(f"{axes.get_xlabel()}, logarithmic", fontsize=_TEXT)


def _front(axes: Axes, front: pd.DataFrame, cost: str) -> np.ndarray:
    """Draw the best mAP that can be had for at most a cost; points along it, for the names."""
    low, right = axes.get_ylim()[0], axes.get_xlim()[1]
    costs, scores = front[cost].to_numpy(), 100 * front["mAP"].to_numpy()
    limits = axes.get_xlim(), axes.get_ylim()
    xs = np.repeat([*costs, right], 2)[:-1]
    ys = np.array([low, *np.repeat(scores, 2)])
    axes.plot(xs, ys, color="0.45", linewidth=1.1, linestyle=(0, (4, 2)), zorder=2, label="front")
    axes.set(xlim=limits[0], ylim=limits[1])
    share = np.linspace(0, 1, 25)[:, None]
    ends = np.column_stack([xs, ys])
    return np.vstack([a + share * (b - a) for a, b in pairwise(ends)])


def _bars(points: Sequence[tuple[float, float, str]], spreads: pd.Series) -> np.ndarray:
    """Points along the error bars."""
    along = [
        (x, y + share * 100 * spread)
        for (x, y, _), spread in zip(points, spreads.fillna(0), strict=True)
        for share in np.linspace(-1, 1, 9)
    ]
    return np.array(along, dtype=float)


def cmc(rows: pd.DataFrame, looks: Mapping[str, Style], title: str) -> Figure:
    """Share of queries solved at rank 1 to 20, mean over runs; rows without a curve left out."""
    rows = rows[rows["cmc"].notna()]
    lines = sum(1 + _wrapped(name).count("\n") for name in rows["name"])
    figure, (axes,) = _figure((6.6, max(4.1, 0.6 + 0.17 * lines)), 1, title)
    ranks = np.arange(1, RANKS_SHOWN + 1)
    for i, (_, row) in enumerate(rows.iterrows()):
        look = looks[row["name"]]
        axes.plot(
            ranks,
            100 * np.asarray(row["cmc"]),
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker,
            markersize=5,
            markevery=(i % 4, 4),
            linewidth=1.5,
            label=_wrapped(row["name"]),
        )
    axes.set_xlabel("Rank", fontsize=_TEXT)
    axes.set_ylabel("Queries solved up to this rank (%)", fontsize=_TEXT)
    axes.set_xticks([1, 5, 10, 15, 20])
    axes.set_xlim(0.5, RANKS_SHOWN + 0.5)
    _end_at_all(axes)
    _legend(figure, axes, "outside right upper", 1)
    return figure


def training(
    logs: Mapping[str, Sequence[pd.DataFrame]], looks: Mapping[str, Style], title: str
) -> Figure:
    """Loss and training accuracy against the epoch, for each method's runs.

    One thin line a run, one thick line their mean as far as all of them went.
    """
    figure, pair = _figure((7.0, 3.4 + 0.2 * -(-len(logs) // 3)), 2, title)
    told = (("loss", "Training loss, all parts", 1), ("accuracy", "Training accuracy (%)", 100))
    for axes, (column, title, factor) in zip(pair, told, strict=True):
        for i, (name, runs) in enumerate(logs.items()):
            series = [log.set_index("epoch")[column].dropna() for log in runs if column in log]
            series = [factor * run for run in series if len(run)]
            _training_lines(axes, series, name, looks[name], i)
        axes.set_xlabel("Epoch", fontsize=_TEXT)
        axes.set_ylabel(title, fontsize=_TEXT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    _legend(figure, pair[0], "outside lower center", 3)
    return figure


def _training_lines(
    axes: Axes, runs: Sequence[pd.Series], name: str, look: Style, place_in_order: int
) -> None:
    if not runs:
        return
    if len(runs) > 1:
        for run in runs:
            axes.plot(run.index, run, color=look.colour, linewidth=0.7, alpha=0.45, label="_run")
    mean = pd.concat(runs, axis=1, join="inner").mean(axis=1)
    every = max(1, len(mean) // 6)
    axes.plot(
        mean.index,
        mean,
        color=look.colour,
        linestyle=look.dash,
        marker=look.marker,
        markersize=4,
        markevery=(place_in_order % every, every),
        linewidth=1.5,
        label=_wrapped(name),
    )


def _figure(inches: tuple[float, float], columns: int, title: str) -> tuple[Figure, list[Axes]]:
    """A figure that says what its numbers are of, since it is looked at without its report too."""
    figure = Figure(figsize=inches, dpi=200, layout="constrained", facecolor="white")
    figure.suptitle(_wrapped(title, 90), x=0.01, ha="left", fontsize=_SMALL, color="0.3")
    made = [figure.add_subplot(1, columns, i + 1) for i in range(columns)]
    for axes in made:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="0.9", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=_SMALL)
    return figure, made


def _legend(figure: Figure, axes: Axes, where: str, columns: int) -> None:
    handles, names = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        names,
        loc=where,
        ncols=columns,
        fontsize=_SMALL,
        frameon=False,
        handlelength=2.6,
    )


def _wrapped(name: str, width: int = 28) -> str:
    """A long name on several lines, broken after a comma, bracket or space."""
    lines = [""]
    for part in re.split(r"(?<=[,\[( ])", name):
        if len(lines[-1]) + len(part) > width and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)
