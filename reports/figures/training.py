"""Training curves."""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.analysis.convergence import SIGN
from reports.figures.style import TEXT, Style, legend, new_figure, wrapped


def training(
    logs: Mapping[str, Sequence[pd.DataFrame]],
    style_of: Mapping[str, Style],
    title: str,
    unconverged: Collection[str] = (),
) -> Figure:
    """Loss and training accuracy against the epoch, for each method's runs.

    One thin line a run, one thick line their mean as far as all of them went.

    Args:
        logs: of each method's runs, one row an epoch.
        style_of: style by name.
        title: what the numbers are of.
        unconverged: names to be marked.
    """
    validated = any("validation_mAP" in log for runs in logs.values() for log in runs)
    width, count = (10.0, 3) if validated else (7.0, 2)
    figure, panels = new_figure((width, 3.4 + 0.2 * -(-len(logs) // 3)), count, title)
    columns = [("loss", "Training loss, all parts", 1), ("accuracy", "Training accuracy (%)", 100)]
    if validated:
        columns.append(("validation_mAP", "Validation mAP (%)", 100))
    for axes, (column, words, factor) in zip(panels, columns, strict=True):
        for i, (name, runs) in enumerate(logs.items()):
            series = [log.set_index("epoch")[column].dropna() for log in runs if column in log]
            series = [factor * run for run in series if len(run)]
            label = f"{name} {SIGN}" if name in unconverged else name
            _training_lines(axes, series, label, style_of[name], i)
        axes.set_xlabel("Epoch", fontsize=TEXT)
        axes.set_ylabel(words, fontsize=TEXT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    legend(figure, panels[0], "outside lower center", 3)
    return figure


def _training_lines(
    axes: Axes, runs: Sequence[pd.Series], name: str, style: Style, place_in_order: int
) -> None:
    if not runs:
        return
    if len(runs) > 1:
        for run in runs:
            axes.plot(run.index, run, color=style.colour, linewidth=0.7, alpha=0.45, label="_run")
    mean = pd.concat(runs, axis=1, join="inner").mean(axis=1)
    every = max(1, len(mean) // 6)
    axes.plot(
        mean.index,
        mean,
        color=style.colour,
        linestyle=style.dash,
        marker=style.marker,
        markersize=4,
        markevery=(place_in_order % every, every),
        linewidth=1.5,
        label=wrapped(name),
    )
