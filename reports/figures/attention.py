"""Pictures of a method's own attention over the frames of a track.

What an array means follows from its name, see `reports.read.attention_kinds`. Shares of attention
are printed below or on the frames, so that nothing hangs on colour alone.
"""

import textwrap
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures import attention_cells as cells
from reports.figures import attention_charts as charts
from reports.figures import attention_maps as maps
from reports.read.attention_kinds import kind_of
from reports.read.inspection import Strip

# a panel a cell
THREE: dict[str, Callable[[Axes, Strip, str, np.ndarray, int], None]] = {
    "cells": cells.draw_cell,
    "alignment": cells.draw_alignment,
}
ONE: dict[str, Callable[[Axes, Strip, str, np.ndarray], None]] = {
    "boosting": cells.draw_boosting,
    "gates": maps.draw_gates,
    "shares": maps.draw_shares,
    "correlation": maps.draw_correlation,
    "rows": maps.draw_rows,
    "bands": maps.draw_bands,
    "pairs": charts.draw_pairs,
    "frames": charts.draw_frames,
    "channels": charts.draw_channels,
}
# what a reader must know to read each kind
KEYS = {
    "cells": "square: a cell that looks, bright: where it looks, arrows: the strongest places",
    "alignment": "square: a cell, arrow: its match in the frame beside it",
    "boosting": "bright: where the frame of the row looks",
    "gates": "bright: let through, dark: held back",
    "shares": "bright: much attention, dark: little",
    "correlation": "bright: alike, dark: unlike",
    "rows": "bright: much attention, dark: little",
    "bands": "bright: much attention, dark: little",
    "pairs": "orange: above 0, purple: below",
    "frames": "higher bar: more weight",
    "channels": "each channel's weight, the highest first",
}
_CHARTS = {"pairs": 1.7, "channels": 1.0}  # kinds with axes, and their heights in inches
_WIDEST = 12.0  # inches of a row, unless its frames would be too small
_FRAME = (0.6, 1.3)  # a frame's height in inches, from and to
_SQUARE = 5.2  # inches of frames × frames, at the most
_NARROWEST = 2.4  # inches of a chart, and from panel to panel: what a title needs
_NUMBERS = 0.42  # inches left of a chart
_MARGIN, _GAP = 0.07, 0.12


class View(NamedTuple):
    """One array that can be drawn."""

    name: str
    kind: str
    array: np.ndarray


def views(strip: Strip) -> list[View]:
    """What can be drawn of a strip's arrays, in their order; others are left out."""
    found = []
    for name, array in strip.attention.items():
        try:
            found.append(View(name, kind_of(name, array.shape, len(strip.frames)), array))
        except ValueError:  # `zoo inspect` has noted why
            continue
    return found


def draw(strip: Strip, title: str) -> Figure:
    """All that a method says of one track, an array below the other."""
    found = views(strip)
    inch = _frame_height(strip, found)
    sizes = [_panel_size(view, strip, inch) for view in found]
    rows = [_panels(v) * _step(width) for v, (width, _) in zip(found, sizes, strict=True)]
    across = max([5.4, *rows]) + 2 * _MARGIN
    key = "; ".join(dict.fromkeys(KEYS[view.kind] for view in found))
    width = int(across * 14.5)
    lines = [
        line
        for words in (title, f"Key: {key}" if key else "")
        for line in textwrap.wrap(words, width, break_long_words=False)
    ]
    head = 0.17 * len(lines) + 0.12
    rooms = [_room(view) for view in found]
    tall = head + sum(height for _, height in sizes) + sum(map(sum, rooms))
    figure = Figure(figsize=(across, tall), dpi=110, facecolor="white")
    figure.suptitle(
        "\n".join(lines), x=_MARGIN / across, y=1 - 0.06 / tall, ha="left", va="top", fontsize=8
    )
    bottom = tall - head
    for view, (width, height), (above, below) in zip(found, sizes, rooms, strict=True):
        bottom -= above + height
        for i in range(_panels(view)):
            left = _MARGIN + i * _step(width)
            left += _NUMBERS if view.kind in _CHARTS else 0.0
            box = (left / across, bottom / tall, width / across, height / tall)
            _draw_panel(figure.add_axes(box), strip, view, i)
        bottom -= below
    return figure


def _draw_panel(axes: Axes, strip: Strip, view: View, panel: int) -> None:
    if view.kind in THREE:
        THREE[view.kind](axes, strip, view.name, view.array, panel)
    else:
        ONE[view.kind](axes, strip, view.name, view.array)


def _panels(view: View) -> int:
    return 3 if view.kind in THREE else 1


def _step(width: float) -> float:
    """Inches from a panel's left edge to the next one's."""
    return max(width, _NARROWEST) + _GAP


def _room(view: View) -> tuple[float, float]:
    """Inches above a panel for its title and below it for numbers, and between rows."""
    return 0.36 if view.kind in THREE else 0.22, 0.5 if view.kind in _CHARTS else 0.3


def _shown(view: View, frames: int) -> int:
    """How many frames a panel has side by side."""
    return len(cells.neighbours(frames)) if view.kind == "alignment" else frames


def _frame_height(strip: Strip, found: list[View]) -> float:
    frames, height, width, _ = strip.frames.shape
    most = max(_panels(view) * _shown(view, frames) for view in found)
    return max(_FRAME[0], min(_FRAME[1], _WIDEST * height / (most * width)))


def _panel_size(view: View, strip: Strip, inch: float) -> tuple[float, float]:
    """Width and height of a panel in inches; ``inch`` is a frame's height."""
    frames, height, width, _ = strip.frames.shape
    if view.kind == "boosting":
        inch = min(inch, _SQUARE / frames)
    film = _shown(view, frames) * inch * width / height
    if view.kind in _CHARTS:
        return max(film, _NARROWEST) - _NUMBERS, _CHARTS[view.kind]
    return film, inch * (frames if view.kind == "boosting" else 1)
