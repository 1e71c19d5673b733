"""How methods look in all figures of all reports, and what every figure has.

Colours are those of Okabe and Ito, told apart by the colour-blind; markers and dashes tell the same
in grey. The title of a figure says what data, recipe and rules its numbers belong to.
"""

import re
import zlib
from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.analysis.convergence import SIGN

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
DASHES = ("solid", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.5, 1.2, 1.5)))
TEXT, SMALL = 9.5, 8.5
# Our methods in the order in which they came. New ones go to the end: a method's place is what
# colour and marker it has, in every report there ever was. 63 pairs before one comes again.
PLACES = (
    "resnet50_avg", "nvan", "stenvan", "sta", "nlam_nltp", "resnet3d50_nl", "resnet50_max",
    "nvan_1layer", "nvan_3layer", "nvan_s", "nvan_t", "sta_fusion", "sta_attention", "sta_avg",
    "sta_baseline", "nlam_tp", "resnet50_tp", "resnet50_ta", "resnet50_rnn", "seresnet50_tp",
    "seresnet50_ta", "seresnet50_rnn", "resnet3d50", "resnet50_image", "c2d", "i3d", "ap_i3d",
    "p3d", "ap3d", "c2d_nl", "ap3d_nl", "tclnet", "bicnet_tks", "cosam", "psta", "sinet",
    "sbnet", "idnet", "sanet", "tf_clip", "clip_vit_avg",
)  # fmt: skip


class Style(NamedTuple):
    """How one method is drawn, everywhere and always."""

    colour: str
    marker: str
    dash: object


def style_of(name: str) -> Style:
    """The style that follows from a name alone.

    A method of `PLACES` has the style of its place. A variant, or a row that something else sets
    apart, keeps its method's colour and takes another marker; any other name takes both from its
    hash.
    """
    base = re.split(r"[\[ ]", name, maxsplit=1)[0]
    place = PLACES.index(base) if base in PLACES else zlib.crc32(base.encode())
    marker = place % len(MARKERS)
    if name != base:
        marker += 1 + zlib.crc32(name.encode()) % (len(MARKERS) - 1)
    return Style(
        COLOURS[place % len(COLOURS)],
        MARKERS[marker % len(MARKERS)],
        DASHES[(place // len(COLOURS) + (name != base)) % len(DASHES)],
    )


def styles(names: Iterable[str]) -> dict[str, Style]:
    """The style of each name."""
    return {name: style_of(name) for name in sorted(set(names))}


def name_with_sign(row: pd.Series) -> str:
    """A row's name, marked where the method did not converge."""
    return f"{row['name']} {SIGN}" if row["convergence"] else row["name"]


def line_style(style: Style) -> dict[str, object]:
    """A method's curve with markers, as matplotlib takes it."""
    return {
        "color": style.colour,
        "linestyle": style.dash,
        "marker": style.marker,
        "markersize": 5,
        "linewidth": 1.5,
    }


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
