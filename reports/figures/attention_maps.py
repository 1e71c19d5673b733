"""What a method says of every cell, row or band of every frame."""

import numpy as np
from matplotlib.axes import Axes

from reports.figures.film import (
    NOISE,
    NOTHING,
    below,
    below_each,
    film,
    hatch,
    shade,
    share_text,
    title,
)
from reports.read.inspection import Strip


def draw_gates(axes: Axes, strip: Strip, name: str, array: np.ndarray) -> None:
    """Gates in 0..1, on that scale: what is shut is dark, and hatched where it is 0."""
    group = _shade_groups(axes, strip, array)
    for frame in range(len(strip.frames)):
        hatch(axes, frame, array[frame // group] == 0)
    below_each(axes, (f"{part.mean():.2f}" for part in array), group)
    erased = ", 0 is hatched" if (array == 0).any() else ""
    title(axes, f"{name}: dark 0, bright 1{erased}; mean of {_of(group)}")


def draw_shares(axes: Axes, strip: Strip, name: str, array: np.ndarray) -> None:
    """Shares of one attention, scaled by the highest."""
    peak = array.max()
    group = _shade_groups(axes, strip, array / peak if peak > 0 else np.zeros_like(array))
    below_each(axes, (share_text(part.sum()) for part in array), group)
    title(axes, f"{name}: dark 0, bright {100 * peak:.2g} %; sum of {_of(group)}")


def draw_correlation(axes: Axes, strip: Strip, name: str, array: np.ndarray) -> None:
    """A map for every second frame, from its lowest value to its highest."""
    low, high = float(array.min()), float(array.max())
    film(axes, strip.frames)
    for pair, values in enumerate(array):
        scaled = (values - low) / (high - low) if high > low else np.ones_like(values)
        shade(axes, 2 * pair + 1, scaled)
        below(axes, 2 * pair + 1.5, _short(values.max()))
    scale = f"dark {_short(low)}, bright {_short(high)}"
    title(axes, f"{name} of each second frame with the first: {scale}; its peak")


def draw_bands(axes: Axes, strip: Strip, name: str, array: np.ndarray) -> None:
    """Frames × bands: how each band's attention is shared out among the frames."""
    _draw_stripes(axes, strip, array)
    title(axes, f"{name}: percent of each band's attention that each frame has")


def draw_rows(axes: Axes, strip: Strip, name: str, array: np.ndarray) -> None:
    """Frames × rows: how each frame's attention is shared out among its rows."""
    _draw_stripes(axes, strip, array)
    title(axes, f"{name}: percent of each frame's attention that each row has")


def _draw_stripes(axes: Axes, strip: Strip, array: np.ndarray) -> None:
    """Scores [T, K] on K stripes of each frame, with their numbers."""
    stripes, peak = array.shape[1], array.max()
    film(axes, strip.frames)
    for frame, row in enumerate(array):
        shade(axes, frame, row[:, None] / peak if peak > 0 else np.zeros((stripes, 1)))
        for stripe, score in enumerate(row):
            place = (frame + 0.5, (stripe + 0.5) / stripes)
            box = {"facecolor": "black", "alpha": 0.55, "linewidth": 0, "pad": 0.8}
            style = {"ha": "center", "va": "center", "fontsize": 6, "color": "white", "bbox": box}
            axes.text(*place, f"{100 * score:.0f}", **style)
    below_each(axes, (str(frame + 1) for frame in range(len(array))))


def _shade_groups(axes: Axes, strip: Strip, array: np.ndarray) -> int:
    """Draw [T', rows, columns] over T frames; how many frames have one picture together."""
    group = len(strip.frames) // len(array)
    film(axes, strip.frames)
    for frame in range(len(strip.frames)):
        shade(axes, frame, array[frame // group].clip(0, 1))
    return group


def _of(group: int) -> str:
    return "each frame" if group == 1 else f"every {group} frames"


def _short(value: float) -> str:
    if abs(value) < NOISE:
        return NOTHING
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"
