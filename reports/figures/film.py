"""Frames side by side, and shade over them where little attention falls.

Each frame is one unit wide and one high; ``top`` is the upper edge of the film in its axes.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes

SMALL = 7  # points
DARKEST = 0.55  # how much of a frame goes where no attention falls: the person stays visible
ERASED = 0.7  # how much of it goes where something was erased
NOISE = 1e-6  # weights below it are rounding errors
NOTHING = "≈ 0"
_INK = "0.15"


def film(axes: Axes, frames: Sequence[np.ndarray], top: float = 0) -> None:
    """Draw [height, width, 3] frames from left to right; the axes end where the film does."""
    for i, frame in enumerate(frames):
        axes.imshow(frame, extent=(i, i + 1, top + 1, top), aspect="auto")
        axes.plot([i, i], [top, top + 1], color="white", linewidth=2, zorder=3, label="gap")
    axes.set(xlim=(0, len(frames)), ylim=(top + 1, 0), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def shade(
    axes: Axes, frame: int, share: np.ndarray, top: float = 0, darkest: float = DARKEST
) -> None:
    """Darken a frame by [rows, columns]: a share of 1 leaves it as it is, 0 is the darkest."""
    dark = np.zeros((*share.shape, 4))
    dark[..., 3] = darkest * (1 - share)
    extent = (frame, frame + 1, top + 1, top)
    axes.imshow(dark, extent=extent, interpolation="nearest", aspect="auto", label="shade")


def hatch(axes: Axes, frame: int, erased: np.ndarray) -> None:
    """Cross out the cells of a frame that were erased, [rows, columns] of booleans."""
    if not erased.any():
        return
    shade(axes, frame, 1.0 - erased, darkest=ERASED)
    rows, columns = erased.shape
    for row, column in np.argwhere(erased):
        x, y = frame + np.array([column, column + 1]) / columns, np.array([row, row + 1]) / rows
        axes.fill_between(
            x, y[0], y[1], facecolor="none", hatch="////", edgecolor="0.75", linewidth=0,
            label="erased",
        )  # fmt: skip


def below(axes: Axes, x: float, text: str, top: float = 0) -> None:
    """A text below a frame."""
    style = {"ha": "center", "va": "top", "fontsize": SMALL, "color": _INK, "clip_on": False}
    axes.text(x, top + 1.03, text, **style)


def below_each(axes: Axes, texts: Iterable[str], width: int = 1) -> None:
    """A text below each group of ``width`` frames."""
    for i, text in enumerate(texts):
        below(axes, (i + 0.5) * width, text)


def share_text(share: float) -> str:
    """A share in percent; what is below a two-thousandth is said to be about nothing."""
    return NOTHING if share < 5e-4 else f"{100 * share:.0f} %"


def title(axes: Axes, text: str) -> None:
    """A small title above the left edge."""
    axes.set_title(text, fontsize=SMALL, loc="left", pad=3, parse_math=False)
