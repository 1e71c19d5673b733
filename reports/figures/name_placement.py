"""Where the name of a point goes, so that it covers neither another name nor a point."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation

_DISTANCES = (7, 11, 16, 23, 32, 44, 60)  # points from a marker's centre to its name's edge
_ANGLES = np.radians([0, 180, 90, 270, 45, 135, 315, 225, 22, 158, 338, 202, 67, 112, 248, 292])
_MARKER = 5.5  # half a marker's width in points, with its air
_LINE_FROM = 16  # a name at least so far from its marker is tied to it by a line


def place(
    axes: Axes, points: Sequence[tuple[float, float, str]], lines: np.ndarray, size: float
) -> list[Annotation]:
    """Write each point's text beside it; the figure's limits must be final.

    Args:
        axes: where the points are drawn.
        points: x, y and text, in data coordinates.
        lines: [n, 2] points in data coordinates along drawn lines, which names better not cover.
        size: font size in points.
    """
    if not points:
        return []
    canvas = FigureCanvasAgg(axes.figure)
    scale = axes.figure.dpi / 72
    frame = np.array(axes.get_window_extent(canvas.get_renderer()).extents)
    centres = axes.transData.transform([(x, y) for x, y, _ in points])
    soft = axes.transData.transform(lines) if len(lines) else np.empty((0, 2))
    extents = [_extent(axes, text, size, canvas) for _, _, text in points]
    boxes: list[np.ndarray | None] = [None] * len(points)
    chosen = [(0.0, 0.0)] * len(points)
    crowd = [np.sort(np.hypot(*(centres - centre).T))[: len(points)][-2:][0] for centre in centres]
    for i in [*np.argsort(crowd, kind="stable")] * 2:  # the second time with all others in place
        others = [box for j, box in enumerate(boxes) if box is not None and j != i]
        best = math.inf
        for reach in _DISTANCES:
            for turn, angle in enumerate(_ANGLES):
                box = _box(centres[i], extents[i], reach * scale, angle)
                cost = _cost(box, others, centres, _MARKER * scale, frame, soft) + reach + turn / 9
                if cost < best:
                    best, boxes[i], chosen[i] = cost, box, (reach, angle)
    return [
        _annotate(axes, point, *where, size) for point, where in zip(points, chosen, strict=True)
    ]


def _extent(axes: Axes, text: str, size: float, canvas: FigureCanvasAgg) -> tuple[float, float]:
    probe = axes.text(0, 0, text, fontsize=size)
    box = probe.get_window_extent(canvas.get_renderer())
    probe.remove()
    return box.width, box.height


def _box(centre: np.ndarray, extent: tuple[float, float], reach: float, angle: float) -> np.ndarray:
    """Left, bottom, right, top of a text whose near side or corner is ``reach`` away."""
    x, y = centre + reach * np.array([math.cos(angle), math.sin(angle)])
    left = x - extent[0] * _anchor(math.cos(angle))
    bottom = y - extent[1] * _anchor(math.sin(angle))
    return np.array([left, bottom, left + extent[0], bottom + extent[1]])


def _anchor(direction: float) -> float:
    """Which part of the text is nearest: its start (0), middle (0.5) or end (1)."""
    return 0.5 if abs(direction) < 0.5 else float(direction < 0)


def _cost(box, others, centres, marker, frame, soft) -> float:
    """How bad a place is: on another name or point, outside the axes, or on a line."""
    left, bottom, right, top = box
    cost = 0.0
    for other in others:
        across = min(right, other[2]) - max(left, other[0]) + 2
        along = min(top, other[3]) - max(bottom, other[1]) + 2
        cost += 1000 if across > 0 and along > 0 else 0
    near = (centres[:, 0] > left - marker) & (centres[:, 0] < right + marker)
    near &= (centres[:, 1] > bottom - marker) & (centres[:, 1] < top + marker)
    cost += 400 * near.sum()
    outside = max(frame[0] - left, frame[1] - bottom, right - frame[2], top - frame[3], 0)
    cost += 2000 if outside > 0 else 0
    on_line = (soft[:, 0] > left) & (soft[:, 0] < right) & (soft[:, 1] > bottom)
    return cost + (25 if (on_line & (soft[:, 1] < top)).any() else 0)


def _annotate(
    axes: Axes, point: tuple[float, float, str], reach: float, angle: float, size: float
) -> Annotation:
    x, y, text = point
    line = {"arrowstyle": "-", "color": "0.55", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
    sides = {0.0: "left", 0.5: "center", 1.0: "right"}
    ends = {0.0: "bottom", 0.5: "center", 1.0: "top"}
    return axes.annotate(
        text,
        (x, y),
        xytext=(reach * math.cos(angle), reach * math.sin(angle)),
        textcoords="offset points",
        ha=sides[_anchor(math.cos(angle))],
        va=ends[_anchor(math.sin(angle))],
        fontsize=size,
        color="0.15",
        arrowprops=line if reach >= _LINE_FROM else None,
        zorder=5,
    )
