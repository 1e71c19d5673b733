"""Tuning: the best validation mAP to be expected of a budget, and how much the setting matters."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.analysis.tuning import expected_best, scores
from reports.figures.style import (
    SMALL,
    TEXT,
    Style,
    legend,
    line_style,
    new_figure,
    within_percent,
    wrapped,
)
from reports.read.studies import Study


def tuning(study: Study, style_of: Mapping[str, Style], title: str) -> Figure:
    """Left one curve a method with its band, right every trial with the quartiles.

    Args:
        study: what was tried.
        style_of: style by method.
        title: what the numbers are of.
    """
    methods = [method for method in study.methods if method.trials]
    rows = -(-len(methods) // 3)
    size = (9.2, max(3.6 + 0.19 * rows, 1.6 + 0.32 * len(methods)))
    figure, (curves, spreads) = new_figure(size, 2, title)
    for method in methods:
        best, style = expected_best(scores(method.trials)), style_of[method.method]
        ends = [100 * best[end] for end in ("low", "high")]
        curves.fill_between(best["trials"], *ends, color=style.colour, alpha=0.10, linewidth=0)
        look = line_style(style) | {"markersize": 4}
        curves.plot(best["trials"], 100 * best["expected"], label=wrapped(method.method), **look)
    curves.set_xlabel("Trials", fontsize=TEXT)
    curves.set_ylabel("Expected best validation mAP (%)", fontsize=TEXT)
    curves.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    within_percent(curves)
    for place, method in enumerate(methods):
        _spread(spreads, place, 100 * scores(method.trials), style_of[method.method])
        if method.default_mAP is not None:
            default = {"marker": "|", "ms": 14, "mew": 2, "color": "black", "ls": "none"}
            spreads.plot([100 * method.default_mAP], [place], label="_shared recipe", **default)
    names = [wrapped(method.method, 22) for method in methods]
    spreads.set_yticks(range(len(methods)), names, fontsize=SMALL)
    spreads.invert_yaxis()
    spreads.set_xlabel("Validation mAP of each trial (%); bar: shared recipe", fontsize=TEXT)
    legend(figure, curves, "outside lower center", 3)
    return figure


def _spread(axes: Axes, place: int, values: np.ndarray, style: Style) -> None:
    """Every trial as a point, their quartiles as a box."""
    first, median, third = np.quantile(values, [0.25, 0.5, 0.75])
    box = {"color": style.colour, "alpha": 0.18, "height": 0.55, "label": "_quartiles"}
    axes.barh(place, third - first, left=first, **box)
    axes.plot([median] * 2, [place - 0.275, place + 0.275], color=style.colour, lw=1.5)
    shift = 0.22 * np.sin(2.4 * np.arange(len(values)))  # so that equal ones can be told apart
    points = {"ls": "none", "marker": style.marker, "ms": 4, "mfc": "none", "color": style.colour}
    axes.plot(values, place + shift, label="_trials", **points)
