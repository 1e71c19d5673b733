"""The pictures of a report: accuracy against cost, CMC curves, training curves.

Every function takes numbers and returns a figure; nothing is shown, written or kept. Colours are
those of Okabe and Ito, told apart by the colour-blind; markers and dashes tell the same in grey.
The title says what data, recipe and rules the numbers belong to.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from reports.analysis.groups import RANKS_SHOWN

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")  # 7 x 9 pairs before one comes again
DASHES = ("solid", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.5, 1.2, 1.5)))
_AXES = {
    "gmacs": "Computation per clip (GMACs)",
    "latency_ms": "Latency per clip, batch 1 (ms)",
}
TEXT, SMALL = 9.5, 8.5


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
            DASHES[i // len(_COLOURS) % len(DASHES)],
        )
        for i, name in enumerate(sorted(set(names)))
    }


def cmc(rows: pd.DataFrame, looks: Mapping[str, Style], title: str) -> Figure:
    """Share of queries solved at rank 1 to 20, mean over runs; rows without a curve left out."""
    rows = rows[rows["cmc"].notna()]
    lines = sum(1 + wrapped(name).count("\n") for name in rows["name"])
    figure, (axes,) = new_figure((6.6, max(4.1, 0.6 + 0.17 * lines)), 1, title)
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
            label=wrapped(row["name"]),
        )
    axes.set_xlabel("Rank", fontsize=TEXT)
    axes.set_ylabel("Queries solved up to this rank (%)", fontsize=TEXT)
    axes.set_xticks([1, 5, 10, 15, 20])
    axes.set_xlim(0.5, RANKS_SHOWN + 0.5)
    within_percent(axes)
    legend(figure, axes, "outside right upper", 1)
    return figure


def trend(
    rows: pd.DataFrame,
    looks: Mapping[str, Style],
    title: str,
    axis: str,
    printed: pd.DataFrame | None = None,
) -> Figure:
    """MAP and R1 along what varies, with 95 % bands where they are known.

    Args:
        rows: of a `reports.analysis.trends.Trend`.
        looks: style by name.
        title: what is the same along the axis.
        axis: what varies, in words.
        printed: the papers' trajectories over the same axis, see `reports.analysis.papers.points`.
    """
    printed = pd.DataFrame(columns=["line", "x"]) if printed is None else printed
    lines = rows["name"].nunique() + printed["line"].nunique()
    figure, panels = new_figure((8.4, 3.6 + 0.19 * -(-lines // 3)), 2, title)
    for axes, score in zip(panels, ("mAP", "R1"), strict=True):
        for name, series in rows.groupby("name", sort=True):
            look, percents = looks[name], 100 * series[score]
            ends = [100 * series[f"{score}_{end}"].fillna(series[score]) for end in ("low", "high")]
            axes.fill_between(series["x"], *ends, color=look.colour, alpha=0.07, linewidth=0)
            for end in ends:
                thin = {"color": look.colour, "ls": look.dash, "lw": 0.7, "alpha": 0.6}
                axes.plot(series["x"], end, label="_band", **thin)
            axes.plot(series["x"], percents, label=wrapped(name), **_line(look))
        for i, (name, series) in enumerate(printed.groupby("line", sort=True)):
            series = series.sort_values("x")
            marks = {
                "marker": _MARKERS[i % len(_MARKERS)],
                "mfc": "white",
                "ms": 6,
                "color": "0.35",
            }
            axes.plot(
                series["x"], series[score], ls=":", lw=1.1, label=f"published: {name}", **marks
            )
        axes.set_xlabel(axis, fontsize=TEXT)
        axes.set_ylabel(f"{score} (%)", fontsize=TEXT)
        axes.set_xticks(sorted({*rows["x"], *printed["x"]}))
        within_percent(axes)
    legend(figure, panels[0], "outside lower center", 3)
    return figure


def cost_trend(rows: pd.DataFrame, looks: Mapping[str, Style], title: str, axis: str) -> Figure:
    """GMACs, latency and memory along what varies."""
    told = {"gmacs": "GMACs", "latency_ms": "Latency (ms)", "peak_memory_mb": "Peak memory (MB)"}
    lines = rows["name"].nunique()
    figure, panels = new_figure((9.6, 3.4 + 0.19 * -(-lines // 4)), len(told), title)
    for axes, (column, words) in zip(panels, told.items(), strict=True):
        for name, series in rows.groupby("name", sort=True):
            axes.plot(series["x"], series[column], label=wrapped(name), **_line(looks[name]))
        axes.set_xlabel(axis, fontsize=TEXT)
        axes.set_ylabel(words, fontsize=TEXT)
        axes.set_xticks(sorted(set(rows["x"])))
        axes.set_ylim(bottom=0)
    legend(figure, panels[0], "outside lower center", 4)
    return figure


def growth(rows: pd.DataFrame, frames: int, height: int) -> Figure:
    """GMACs against T at one image size, and against the image's height at one T, both on logs.

    Args:
        rows: method, frames, height, width, gmacs.
        frames: T of the right panel.
        height: of the images of the left panel.
    """
    looks = styles(sorted(set(rows["method"])))
    figure, panels = new_figure((9.6, 4.4 + 0.19 * -(-len(looks) // 4)), 2, "GMACs of one clip")
    told = (
        ("frames", rows["height"] == height, f"Frames of a clip, T, at {height} x {height // 2}"),
        ("height", rows["frames"] == frames, f"Height of the images (pixels), at T = {frames}"),
    )
    for axes, (x, chosen, words) in zip(panels, told, strict=True):
        for name, series in rows[chosen].sort_values(x).groupby("method", sort=True):
            axes.plot(series[x], series["gmacs"], label=wrapped(name), **_line(looks[name]))
        ticks = sorted(set(rows.loc[chosen, x]))
        axes.set_xscale("log", base=2)
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda gmacs, _: f"{gmacs:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(words, fontsize=TEXT)
        axes.set_ylabel("GMACs", fontsize=TEXT)
    legend(figure, panels[0], "outside lower center", 4)
    return figure


def _line(look: Style) -> dict[str, object]:
    return {
        "color": look.colour,
        "linestyle": look.dash,
        "marker": look.marker,
        "markersize": 5,
        "linewidth": 1.5,
    }


def training(
    logs: Mapping[str, Sequence[pd.DataFrame]], looks: Mapping[str, Style], title: str
) -> Figure:
    """Loss and training accuracy against the epoch, for each method's runs.

    One thin line a run, one thick line their mean as far as all of them went.
    """
    figure, pair = new_figure((7.0, 3.4 + 0.2 * -(-len(logs) // 3)), 2, title)
    told = (("loss", "Training loss, all parts", 1), ("accuracy", "Training accuracy (%)", 100))
    for axes, (column, title, factor) in zip(pair, told, strict=True):
        for i, (name, runs) in enumerate(logs.items()):
            series = [log.set_index("epoch")[column].dropna() for log in runs if column in log]
            series = [factor * run for run in series if len(run)]
            _training_lines(axes, series, name, looks[name], i)
        axes.set_xlabel("Epoch", fontsize=TEXT)
        axes.set_ylabel(title, fontsize=TEXT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    legend(figure, pair[0], "outside lower center", 3)
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
        label=wrapped(name),
    )


def new_figure(inches: tuple[float, float], columns: int, title: str) -> tuple[Figure, list[Axes]]:
    """A figure that says what its numbers are of, since it is looked at without its report too."""
    figure = Figure(figsize=inches, dpi=200, layout="constrained", facecolor="white")
    title = wrapped(title, int(13.5 * inches[0]))
    figure.suptitle(title, x=0.01, ha="left", fontsize=SMALL, color="0.3")
    made = [figure.add_subplot(1, columns, i + 1) for i in range(columns)]
    for axes in made:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="0.9", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=SMALL)
    return figure, made


def within_percent(axes: Axes) -> None:
    """Percent lie between 0 and 100, with room for half a marker."""
    low, high = axes.get_ylim()
    low = max(low, -0.03 * (high - low))
    axes.set_ylim(low, min(high, 100 + 0.03 * (100 - low)))


def legend(figure: Figure, axes: Axes, where: str, columns: int) -> None:
    """Names of what was drawn, outside the axes."""
    handles, names = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        names,
        loc=where,
        ncols=columns,
        fontsize=SMALL,
        frameon=False,
        handlelength=2.6,
    )


def wrapped(name: str, width: int = 28) -> str:
    """A long name on several lines, broken after a comma, bracket or space."""
    lines = [""]
    for part in re.split(r"(?<=[,\[( ])", name):
        if len(lines[-1]) + len(part) > width and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)
