"""Charts of a comparison: AP against AP, distances of right and wrong pairs, tracklet lengths."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reports.analysis.comparing import frames_text, length_groups
from reports.figures.style import SMALL, TEXT, Style, legend, line_style, new_figure, wrapped
from reports.read.compared import Compared, System

MOST_PAIRS = 3  # scatters side by side
_RIGHT, _WRONG = "#00785a", "#b34700"
_GREY = "0.45"


class Chart(NamedTuple):
    """One chart of a page.

    Attributes:
        name: of its file, without the ending.
        caption: what it shows, in words.
        draw: draws it.
    """

    name: str
    caption: str
    draw: Callable[[], Figure]


def charts(of: Compared, found: pd.DataFrame, style_of: Mapping[str, Style]) -> Iterator[Chart]:
    """Every chart that has something to show.

    Args:
        of: what is compared.
        found: its `reports.analysis.comparing.differences`.
        style_of: style by name.
    """
    title = f"{of.dataset} · {of.label}"
    words = "Paired differences with 95 % intervals: right of the line the first one is ahead."
    yield Chart("differences", words, partial(forest, found, title))
    pairs = list(combinations(of.systems, 2))[:MOST_PAIRS]
    words = (
        "AP of every query, one system against another, mean over seeds: above the line the system "
        "of the vertical axis is better. Larger: several queries in one place."
    )
    if len(of.systems) > 3:
        words += f" The first {MOST_PAIRS} pairs of {len(of.systems) * (len(of.systems) - 1) // 2}."
    yield Chart("ap-against-ap", words, partial(scatter, pairs, title))
    measured = [system for system in of.systems if system.distances]
    if measured:
        words = (
            "Distances from a query to tracks of its person (right, solid) and of others (wrong, "
            "dashed), as shares of all such pairs, over all seeds."
        )
        yield Chart("distances", words, partial(histograms, measured, title))
    groups = length_groups(of)
    if groups is not None:
        words = "Mean AP of the queries by the length of their tracklet; below: how many queries."
        yield Chart("tracklet-length", words, partial(lengths, of.names, groups, style_of, title))


def forest(found: pd.DataFrame, title: str) -> Figure:
    """Differences of mAP and R1, a line a pair."""
    metrics = [metric for metric in ("mAP", "R1") if metric in set(found["metric"])]
    count = (found["metric"] == metrics[0]).sum()
    figure, panels = new_figure((8.4, 1.4 + 0.42 * count), len(metrics), title)
    for axes, metric in zip(panels, metrics, strict=True):
        rows = found[found["metric"] == metric].reset_index(drop=True)
        axes.axvline(0, color=_GREY, linewidth=1.1)
        for i, row in rows.iterrows():
            if np.isfinite([row["low"], row["high"]]).all():
                ends = [100 * row["low"], 100 * row["high"]]
                axes.plot(ends, [i, i], color="#0072B2", marker="|", label="interval")
            axes.plot([100 * row["difference"]], [i], "o", color="#0072B2", label="difference")
        names = [wrapped(f"{row['a']} − {row['b']}", 34) for _, row in rows.iterrows()]
        axes.set_yticks(range(len(rows)), names if axes is panels[0] else [], fontsize=SMALL)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel(f"Difference of {metric} (points)", fontsize=TEXT)
    return figure


def scatter(pairs: Sequence[tuple[System, System]], title: str) -> Figure:
    """AP of every query under two systems, a panel a pair."""
    figure, panels = new_figure((0.6 + 3.6 * len(pairs), 4.0), len(pairs), title)
    for axes, (a, b) in zip(panels, pairs, strict=True):
        both = pd.concat([a.mean("AP"), b.mean("AP")], axis=1, keys=["a", "b"])
        places = (100 * both).round(1).value_counts().reset_index()
        axes.plot([0, 100], [0, 100], color=_GREY, linewidth=1.1, label="equal")
        sizes = 14 * np.sqrt(places["count"])
        style = {"color": "#0072B2", "alpha": 0.45, "linewidth": 0, "label": "queries"}
        axes.scatter(places["b"], places["a"], s=sizes, **style)
        better = int((both["a"] > both["b"]).sum()), int((both["a"] < both["b"]).sum())
        words = f"higher AP: {a.name} {better[0]}, {b.name} {better[1]} of {len(both)} queries"
        style = {"fontsize": SMALL, "loc": "left", "parse_math": False}
        axes.set_title(wrapped(words, 42), **style)
        axes.set_xlabel(wrapped(f"AP with {b.name} (%)", 34), fontsize=TEXT)
        axes.set_ylabel(wrapped(f"AP with {a.name} (%)", 34), fontsize=TEXT)
        axes.set(xlim=(-4, 104), ylim=(-4, 104))
        axes.set_box_aspect(1)
    return figure


def histograms(systems: Sequence[System], title: str) -> Figure:
    """Distances of right and wrong pairs, a panel a system."""
    columns = min(len(systems), 4)
    shown = systems[:columns]
    figure, panels = new_figure((0.6 + 3.0 * columns, 3.2), columns, title)
    for axes, system in zip(panels, shown, strict=True):
        found = system.distances
        if found is None:
            continue
        last = int(np.nonzero(found.right + found.wrong)[0].max()) + 1
        looks = (
            ("right", found.right, _RIGHT, "solid"),
            ("wrong", found.wrong, _WRONG, (0, (4, 1.5))),
        )
        for words, counts, colour, dash in looks:
            shares = 100 * counts[:last] / max(1, counts.sum())
            edges = found.edges[: last + 1]
            axes.stairs(shares, edges, color=colour, linestyle=dash, linewidth=1.4, label=words)
            axes.stairs(shares, edges, color=colour, alpha=0.12, fill=True, label="_fill")
        axes.set_title(wrapped(system.name, 30), fontsize=SMALL, loc="left", parse_math=False)
        axes.set_xlabel("Distance", fontsize=TEXT)
    panels[0].set_ylabel("Share of the pairs (%)", fontsize=TEXT)
    legend(figure, panels[0], "outside lower center", 2)
    return figure


def lengths(
    names: Sequence[str], groups: pd.DataFrame, style_of: Mapping[str, Style], title: str
) -> Figure:
    """Mean AP along groups of tracklet lengths, a line a system."""
    figure, (axes,) = new_figure((6.6, 3.6 + 0.19 * -(-len(names) // 3)), 1, title)
    places = range(len(groups))
    for name in names:
        axes.plot(places, 100 * groups[name], label=wrapped(name), **line_style(style_of[name]))
    ticks = [f"{frames_text(row)}\nn = {int(row['queries'])}" for _, row in groups.iterrows()]
    axes.set_xticks(places, ticks)
    axes.set_xlabel("Frames of the query's tracklet", fontsize=TEXT)
    axes.set_ylabel("mAP (%)", fontsize=TEXT)
    legend(figure, axes, "outside lower center", 3)
    return figure
