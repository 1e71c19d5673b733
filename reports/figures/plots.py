"""Curves of a report: CMC, and accuracy or cost along what varies.

Every function takes numbers and returns a figure; nothing is shown, written or kept.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from reports.figures.style import (
    MARKERS,
    TEXT,
    Style,
    legend,
    line_style,
    name_with_sign,
    new_figure,
    styles,
    within_percent,
    wrapped,
)
from reports.read.rows import RANKS_SHOWN

_INTERVAL_RANKS = (1, 5, 10, 20)  # whose intervals a table holds


def cmc(rows: pd.DataFrame, style_of: Mapping[str, Style], title: str) -> Figure:
    """Share of queries solved at rank 1 to 20, mean over runs; rows without a curve left out.

    Whiskers at ranks 1, 5, 10 and 20 are the 95 % intervals, where they are known.
    """
    rows = rows[rows["cmc"].notna()]
    lines = sum(1 + wrapped(name).count("\n") for name in rows["name"])
    figure, (axes,) = new_figure((6.6, max(4.1, 0.6 + 0.17 * lines)), 1, title)
    ranks = np.arange(1, RANKS_SHOWN + 1)
    for i, (_, row) in enumerate(rows.iterrows()):
        style = style_of[row["name"]]
        axes.plot(
            ranks,
            100 * np.asarray(row["cmc"]),
            color=style.colour,
            linestyle=style.dash,
            marker=style.marker,
            markersize=5,
            markevery=(i % 4, 4),
            linewidth=1.5,
            label=wrapped(name_with_sign(row)),
        )
        shift = 0.12 * (i - (len(rows) - 1) / 2)  # so that whiskers of several do not coincide
        for rank in _INTERVAL_RANKS:
            low, high = 100 * row[f"R{rank}_low"], 100 * row[f"R{rank}_high"]
            if np.isfinite([low, high]).all():
                ends = {"color": style.colour, "lw": 1.0, "alpha": 0.7, "label": "_interval"}
                axes.plot([rank + shift] * 2, [low, high], marker="_", ms=4, **ends)
    axes.set_xlabel("Rank", fontsize=TEXT)
    axes.set_ylabel("Queries solved up to this rank (%)", fontsize=TEXT)
    axes.set_xticks([1, 5, 10, 15, 20])
    axes.set_xlim(0.5, RANKS_SHOWN + 0.5)
    within_percent(axes)
    legend(figure, axes, "outside right upper", 1)
    return figure


def trend(
    rows: pd.DataFrame,
    style_of: Mapping[str, Style],
    title: str,
    axis: str,
    printed: pd.DataFrame | None = None,
) -> Figure:
    """MAP and R1 along what varies, with 95 % bands where they are known.

    Args:
        rows: of a `reports.analysis.trends.Trend`.
        style_of: style by name.
        title: what is the same along the axis.
        axis: what varies, in words.
        printed: the papers' trajectories over the same axis, see `reports.analysis.papers.points`.
    """
    printed = pd.DataFrame(columns=["line", "x"]) if printed is None else printed
    lines = rows["name"].nunique() + printed["line"].nunique()
    figure, panels = new_figure((8.4, 3.6 + 0.19 * -(-lines // 3)), 2, title)
    for axes, score in zip(panels, ("mAP", "R1"), strict=True):
        for name, series in rows.groupby("name", sort=True):
            style, percents = style_of[name], 100 * series[score]
            ends = [100 * series[f"{score}_{end}"].fillna(series[score]) for end in ("low", "high")]
            axes.fill_between(series["x"], *ends, color=style.colour, alpha=0.07, linewidth=0)
            for end in ends:
                thin = {"color": style.colour, "ls": style.dash, "lw": 0.7, "alpha": 0.6}
                axes.plot(series["x"], end, label="_band", **thin)
            label = wrapped(name_with_sign(series.iloc[0]))
            axes.plot(series["x"], percents, label=label, **line_style(style))
        for i, (name, series) in enumerate(printed.groupby("line", sort=True)):
            series = series.sort_values("x")
            marks = {
                "marker": MARKERS[i % len(MARKERS)],
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


def cost_trend(rows: pd.DataFrame, style_of: Mapping[str, Style], title: str, axis: str) -> Figure:
    """GMACs, latency with its interquartile range, and memory along what varies."""
    columns = {"gmacs": "GMACs", "latency_ms": "Latency (ms)", "peak_memory_mb": "Peak memory (MB)"}
    lines = rows["name"].nunique()
    figure, panels = new_figure((9.6, 3.4 + 0.19 * -(-lines // 4)), len(columns), title)
    for axes, (column, words) in zip(panels, columns.items(), strict=True):
        for name, series in rows.groupby("name", sort=True):
            style = style_of[name]
            axes.plot(series["x"], series[column], label=wrapped(name), **line_style(style))
            if column == "latency_ms":
                half = series["latency_iqr_ms"].fillna(0) / 2
                bars = {"ecolor": style.colour, "elinewidth": 1.0, "capsize": 2.5}
                axes.errorbar(series["x"], series[column], half, fmt="none", **bars)
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
    style_of = styles(sorted(set(rows["method"])))
    figure, panels = new_figure((9.6, 4.4 + 0.19 * -(-len(style_of) // 4)), 2, "GMACs of one clip")
    columns = (
        ("frames", rows["height"] == height, f"Frames of a clip, T, at {height} x {height // 2}"),
        ("height", rows["frames"] == frames, f"Height of the images (pixels), at T = {frames}"),
    )
    for axes, (x, chosen, words) in zip(panels, columns, strict=True):
        for name, series in rows[chosen].sort_values(x).groupby("method", sort=True):
            axes.plot(series[x], series["gmacs"], label=wrapped(name), **line_style(style_of[name]))
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
