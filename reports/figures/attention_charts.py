"""Weights of frames, of pairs of frames and of channels, as charts."""

import numpy as np
from matplotlib.axes import Axes

from reports.figures.film import NOISE, NOTHING, SMALL, below_each, film, share_text, title
from reports.read.inspection import Strip

MOST_NUMBERS = 12  # frames in a matrix whose numbers are written into it


def draw_pairs(axes: Axes, strip: Strip, name: str, array: np.ndarray) -> None:
    """Weights between frames, as a matrix with its numbers."""
    most = float(np.abs(array).max()) or 1.0
    power = int(np.floor(np.log10(most)))
    is_noise = most < NOISE
    shown = np.zeros_like(array) if is_noise else array
    axes.imshow(shown, cmap="PuOr_r", vmin=-most, vmax=most)
    if len(array) <= MOST_NUMBERS and not is_noise:
        for (row, column), value in np.ndenumerate(array):
            ink = "white" if abs(value) > 0.65 * most else "black"
            style = {"ha": "center", "va": "center", "fontsize": 6, "color": ink}
            axes.text(column, row, f"{value / 10**power:.1f}", **style)
    ticks = range(len(array))
    axes.set_xticks(ticks, [str(i + 1) for i in ticks], fontsize=SMALL)
    axes.set_yticks(ticks, [str(i + 1) for i in ticks], fontsize=SMALL)
    axes.set_xlabel("to frame", fontsize=SMALL, labelpad=1)
    axes.set_ylabel("from frame", fontsize=SMALL, labelpad=1)
    axes.set_anchor("W")
    unit = f", all {NOTHING}" if is_noise else f", in 10^{power}" if power else ""
    title(axes, f"{name}: frame to frame{unit}")


def draw_frames(axes: Axes, strip: Strip, name: str, array: np.ndarray) -> None:
    """A weight for each frame, as a bar on it."""
    film(axes, strip.frames)
    for frame, weight in enumerate(array):
        share = float(weight / max(array.max(), 1e-12))
        axes.bar(frame + 0.5, -share, 0.22, bottom=1, color="#E69F00", edgecolor="black", lw=0.6)
    below_each(axes, (share_text(weight) for weight in array))
    title(axes, f"{name}: weight of each frame")


def draw_channels(axes: Axes, strip: Strip, name: str, array: np.ndarray) -> None:
    """Weights of the channels, from the highest to the lowest."""
    axes.plot(np.arange(1, len(array) + 1), np.sort(array)[::-1], color="#0072B2", lw=1.2)
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("channel, by weight", fontsize=SMALL, labelpad=1)
    axes.set_ylabel("weight", fontsize=SMALL, labelpad=1)
    title(axes, f"{name}: {len(array)} channels")
