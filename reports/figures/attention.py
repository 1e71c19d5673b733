"""Pictures of a method's own attention over the frames of a track.

What an array means follows from its name and shape, as the methods' ``attention(clips)`` documents
them. A frame's share of attention is printed below it, so that nothing hangs on colour alone.
"""

import textwrap
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from reports.read.inspection import Strip

ARROWS = 6  # how many of the strongest places outside its frame a cell points to, at the most
FAINTEST = 0.1  # of the peak: what is weaker gets no arrow
_SMALL = 7
_DARKEST = 0.68  # how much of a frame goes where no attention falls


class View(NamedTuple):
    """One way of drawing one array."""

    name: str
    kind: str
    array: np.ndarray


def views(strip: Strip) -> list[View]:
    """What can be drawn of a strip's arrays, in their order; others are left out."""
    return [
        View(name, kind, array)
        for name, array in strip.attention.items()
        if (kind := kind_of(name, array, len(strip.frames)))
    ]


def kind_of(name: str, array: np.ndarray, frames: int) -> str:
    """``cells``, ``bands``, ``pairs``, ``frames`` or ``channels``; blank for what is unknown.

    * cells [3, T', rows, columns]: where three cells of the middle frame style;
    * bands [T, K]: a score for each horizontal band of each frame;
    * pairs [T, T]: weights between frames;
    * frames [T]: a weight for each frame;
    * channels [C]: a weight for each channel.
    """
    shape = array.shape
    if array.ndim == 4 and shape[0] == 3 and shape[1] and frames % shape[1] == 0:
        return "cells"
    if array.ndim == 2 and shape[0] == frames:
        return "pairs" if shape[1] == frames and "scores" not in name else "bands"
    if array.ndim == 1:
        if name.endswith("channel"):
            return "channels"
        return "frames" if shape[0] == frames else ""
    return ""


def draw(strip: Strip, title: str) -> Figure:
    """All that a method says of one track, one row an array, three cells side by side."""
    found = views(strip)
    frames, height, width, _ = strip.frames.shape
    columns = 3 if any(view.kind == "cells" for view in found) else 1
    inch = max(0.6, min(1.3, 12 / (columns * frames * width / height)))  # of a frame's height
    wide = max(frames * inch * width / height, 2.4)
    heights = [{"pairs": 1.7, "channels": 1.0}.get(view.kind, inch) for view in found]
    across = max(columns * wide + 0.2, 5.4)
    lines = textwrap.wrap(title, int(across * 14.5), break_long_words=False)
    head = 0.17 * len(lines) + 0.4
    size = (across, sum(heights) + 0.62 * (len(found) - 1) + head + 0.4)
    figure = Figure(figsize=size, dpi=110, facecolor="white")
    figure.suptitle(
        "\n".join(lines), x=0.012, y=1 - 0.06 / size[1], ha="left", va="top", fontsize=8
    )
    grid = GridSpec(
        len(found), columns, figure, height_ratios=heights, left=0.012,
        right=0.012 + columns * wide / across, top=1 - head / size[1], bottom=0.35 / size[1],
        wspace=0.05, hspace=0.62 / (sum(heights) / len(heights)),
    )  # fmt: skip
    for i, view in enumerate(found):
        if view.kind == "cells":
            for cell in range(3):
                _cell(figure.add_subplot(grid[i, cell]), strip, view, cell)
        else:
            axes = figure.add_subplot(grid[i, 0])
            if view.kind in ("pairs", "channels"):  # their numbers stand left of them
                axes.set_position(_moved(axes.get_position().bounds, 0.42 / size[0]))
            _OTHERS[view.kind](axes, strip, view)
    return figure


def _moved(bounds: tuple[float, float, float, float], by: float) -> list[float]:
    left, bottom, width, height = bounds
    return [left + by, bottom, width - by, height]


def cell_place(array: np.ndarray, cell: int) -> tuple[int, int, int]:
    """Frame, row and column of a watched cell in [3, T', rows, columns], as the methods do it."""
    _, frames, rows, columns = array.shape
    return frames // 2, rows * (cell + 1) // 4, columns // 2


def strongest(array: np.ndarray, cell: int, count: int = ARROWS) -> list[tuple[int, int, int]]:
    """Frame, row and column of the highest weights outside the cell's own frame, best first."""
    weights = array[cell].copy()
    weights[cell_place(array, cell)[0]] = 0
    order = np.argsort(-weights, axis=None, kind="stable")[:count]
    places = [np.unravel_index(i, weights.shape) for i in order]
    least = FAINTEST * array[cell].max()
    return [tuple(int(n) for n in place) for place in places if weights[place] > least]


def _cell(axes: Axes, strip: Strip, view: View, cell: int) -> None:
    """Where one cell looks: heat over the frames, arrows to the strongest other places."""
    weights = view.array[cell]
    pooled, rows, columns = weights.shape
    group = len(strip.frames) // pooled  # frames that became one before this layer
    peak = weights.max()
    middle, row, column = cell_place(view.array, cell)

    def centre(frame: int, row: int, column: int) -> tuple[float, float]:
        return frame * group + (column + 0.5) / columns, (row + 0.5) / rows

    _film(axes, strip)
    for frame in range(len(strip.frames)):
        share = np.sqrt(weights[frame // group] / peak) if peak > 0 else weights[frame // group]
        _dim(axes, frame, share)
    start = centre(middle, row, column)
    for place in strongest(view.array, cell):
        strength = weights[place] / peak
        arrow = {"arrowstyle": "-|>", "color": "#56d4ff", "lw": 0.5 + 1.3 * strength, "alpha": 0.9}
        axes.annotate("", centre(*place), start, arrowprops={**arrow, "shrinkA": 2, "shrinkB": 0})
    axes.plot(*start, "s", ms=6, mfc="none", mec="white", mew=2.6)
    axes.plot(*start, "s", ms=6, mfc="none", mec="black", mew=1.1, label="cell")
    for frame, part in enumerate(weights.sum((1, 2))):
        _below(axes, (frame + 0.5) * group, f"{100 * part:.0f} %")
    even = peak * np.count_nonzero(weights)
    title = f"from {'¼½¾'[cell]} down, peak {even:.1f} × even"
    _title(axes, f"{view.name}\n{title}" if cell == 0 else title)


def _bands(axes: Axes, strip: Strip, view: View) -> None:
    """The frames × bands matrix of scores, drawn on the bands."""
    scores = view.array
    blocks = scores.shape[1]
    _film(axes, strip)
    for frame, row in enumerate(scores):
        _dim(axes, frame, row[:, None] / scores.max())
        for band, score in enumerate(row):
            place = (frame + 0.5, (band + 0.5) / blocks)
            box = {"facecolor": "black", "alpha": 0.55, "linewidth": 0, "pad": 0.8}
            style = {"ha": "center", "va": "center", "fontsize": 6, "color": "white", "bbox": box}
            axes.text(*place, f"{100 * score:.0f}", **style)
        _below(axes, frame + 0.5, f"{frame + 1}")
    title = f"{view.name}: percent of each band's attention that each frame has"
    _title(axes, title)


def _pairs(axes: Axes, strip: Strip, view: View) -> None:
    """Weights between frames, as a matrix with its numbers."""
    most = float(np.abs(view.array).max()) or 1.0
    power = int(np.floor(np.log10(most)))
    axes.imshow(view.array, cmap="PuOr_r", vmin=-most, vmax=most)
    if len(view.array) <= 12:
        for (row, column), value in np.ndenumerate(view.array):
            ink = "white" if abs(value) > 0.65 * most else "black"
            style = {"ha": "center", "va": "center", "fontsize": 6, "color": ink}
            axes.text(column, row, f"{value / 10**power:.1f}", **style)
    ticks = range(len(view.array))
    axes.set_xticks(ticks, [str(i + 1) for i in ticks], fontsize=_SMALL)
    axes.set_yticks(ticks, [str(i + 1) for i in ticks], fontsize=_SMALL)
    axes.set_xlabel("to frame", fontsize=_SMALL, labelpad=1)
    axes.set_ylabel("from frame", fontsize=_SMALL, labelpad=1)
    axes.set_anchor("W")
    unit = f", in 10^{power}" if power else ""
    _title(axes, f"{view.name}: frame to frame{unit}")


def _weights(axes: Axes, strip: Strip, view: View) -> None:
    """A weight for each frame, as a bar on it."""
    _film(axes, strip)
    for frame, weight in enumerate(view.array):
        share = float(weight / max(view.array.max(), 1e-12))
        axes.bar(frame + 0.5, -share, 0.22, bottom=1, color="#E69F00", edgecolor="black", lw=0.6)
        _below(axes, frame + 0.5, f"{100 * weight:.0f} %")
    _title(axes, f"{view.name}: weight of each frame")


def _channels(axes: Axes, strip: Strip, view: View) -> None:
    """Weights of the channels, from the highest to the lowest."""
    axes.plot(np.arange(1, len(view.array) + 1), np.sort(view.array)[::-1], color="#0072B2", lw=1.2)
    axes.tick_params(labelsize=_SMALL)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("channel, by weight", fontsize=_SMALL, labelpad=1)
    axes.set_ylabel("weight", fontsize=_SMALL, labelpad=1)
    _title(axes, f"{view.name}: {len(view.array)} channels")


_OTHERS: dict[str, Callable[[Axes, Strip, View], None]] = {
    "bands": _bands,
    "pairs": _pairs,
    "frames": _weights,
    "channels": _channels,
}


def _film(axes: Axes, strip: Strip) -> None:
    """The frames side by side, each one unit wide and high."""
    for i, frame in enumerate(strip.frames):
        axes.imshow(frame, extent=(i, i + 1, 1, 0), aspect="auto")
        axes.axvline(i, color="white", linewidth=2, zorder=3)
    axes.set(xlim=(0, len(strip.frames)), ylim=(1, 0), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _dim(axes: Axes, frame: int, share: np.ndarray) -> None:
    """Darken a frame where little attention falls: ``share`` 1 leaves it as it is."""
    shade = np.zeros((*share.shape, 4))
    shade[..., 3] = _DARKEST * (1 - share)
    axes.imshow(
        shade, extent=(frame, frame + 1, 1, 0), interpolation="nearest", aspect="auto", label="dim"
    )


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, fontsize=_SMALL, loc="left", pad=3)


def _below(axes: Axes, x: float, text: str) -> None:
    axes.text(x, 1.03, text, ha="center", va="top", fontsize=_SMALL, color="0.15", clip_on=False)
