"""Where single cells and single frames look in the frames of a clip."""

import numpy as np
from matplotlib.axes import Axes

from reports.figures.film import SMALL, below, below_each, film, shade, share_text, title
from reports.read.inspection import Strip

ARROWS = 6  # how many of the strongest places outside its frame a cell points to, at the most
FAINTEST = 0.1  # of the peak: what is weaker gets no arrow
_DOWN = ("a quarter", "halfway", "three quarters")


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


def over_even(weights: np.ndarray) -> float:
    """The peak over what each weight would be if all that are above 0 were equal; 0 for none."""
    total = weights.sum()
    return float(weights.max() * np.count_nonzero(weights) / total) if total > 0 else 0.0


def draw_cell(axes: Axes, strip: Strip, name: str, array: np.ndarray, cell: int) -> None:
    """Where one cell looks: heat over the frames, arrows to the strongest other places."""
    weights = array[cell]
    pooled, rows, columns = weights.shape
    group = len(strip.frames) // pooled  # frames that became one before this layer
    middle, row, column = cell_place(array, cell)

    def centre(frame: int, row: int, column: int) -> tuple[float, float]:
        return frame * group + (column + 0.5) / columns, (row + 0.5) / rows

    film(axes, strip.frames)
    for frame in range(len(strip.frames)):
        shade(axes, frame, _heat(weights)[frame // group])
    start = centre(middle, row, column)
    for place in strongest(array, cell):
        _arrow(axes, start, centre(*place), float(weights[place] / weights.max()))
    _mark(axes, start)
    below_each(axes, (share_text(part) for part in weights.sum((1, 2))), group)
    about = f"from {_DOWN[cell]} down, peak {over_even(weights):.1f} × even"
    title(axes, f"{name}\n{about}" if cell == 0 else about)


def neighbours(frames: int) -> range:
    """The middle frame and those beside it."""
    return range(max(frames // 2 - 1, 0), min(frames // 2 + 2, frames))


def draw_alignment(axes: Axes, strip: Strip, name: str, array: np.ndarray, cell: int) -> None:
    """Which cell of each neighbour one cell of the middle frame is matched with, and the gates."""
    middle, row, column = cell_place(array, cell)
    _, rows, columns = array[cell].shape
    shown = neighbours(len(strip.frames))
    film(axes, strip.frames[shown.start : shown.stop])
    start = (middle - shown.start + (column + 0.5) / columns, (row + 0.5) / rows)
    for x, frame in enumerate(shown):
        weights = array[cell, frame]
        if frame == middle:
            below(axes, x + 0.5, f"frame {frame + 1}")
            continue
        shade(axes, x, _heat(weights))
        if weights.any():
            best = np.unravel_index(weights.argmax(), weights.shape)
            end = (x + (best[1] + 0.5) / columns, (best[0] + 0.5) / rows)
            _arrow(axes, start, end, 1.0)
        below(axes, x + 0.5, f"gate {weights.sum():.2f}")
    _mark(axes, start)
    peak = over_even(array[cell])
    about = f"{_DOWN[cell]} down, " + (f"peak {peak:.1f} × even" if peak else "no match")
    title(axes, f"{name}: best match of a cell\n{about}" if cell == 0 else about)


def draw_boosting(axes: Axes, strip: Strip, name: str, array: np.ndarray) -> None:
    """Where each frame looks in the others: a film for each, its own frame without shade."""
    heat = _heat(array)
    for frame, each in enumerate(array):
        film(axes, strip.frames, top=frame)
        for other, weights in enumerate(each):
            place = (other + 0.04, frame + 0.97)
            if other == frame:
                axes.text(frame + 0.5, frame + 0.5, f"{frame + 1}", **_label(8, "center"))
                continue
            shade(axes, other, heat[frame, other], top=frame)
            axes.text(*place, share_text(weights.sum()), **_label(6, "left", "bottom"))
    axes.hlines(range(1, len(array)), 0, len(array), color="white", linewidth=2, zorder=3)
    title(axes, f"{name}: where each frame (numbered) looks in the others of its row")


def _heat(weights: np.ndarray) -> np.ndarray:
    """0..1, the peak at 1; roots, so that little is seen beside much."""
    peak = weights.max()
    return np.sqrt(np.maximum(weights, 0) / peak) if peak > 0 else np.zeros_like(weights)


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], strength: float
) -> None:
    style = {"arrowstyle": "-|>", "color": "#56d4ff", "lw": 0.5 + 1.3 * strength, "alpha": 0.9}
    axes.annotate("", end, start, arrowprops={**style, "shrinkA": 2, "shrinkB": 0})


def _mark(axes: Axes, place: tuple[float, float]) -> None:
    """A square around the cell that looks."""
    axes.plot(*place, "s", ms=6, mfc="none", mec="white", mew=2.6)
    axes.plot(*place, "s", ms=6, mfc="none", mec="black", mew=1.1, label="cell")


def _label(size: int, ha: str, va: str = "center") -> dict:
    box = {"facecolor": "black", "alpha": 0.6, "linewidth": 0, "pad": 1.0}
    return {"ha": ha, "va": va, "fontsize": min(size, SMALL + 1), "color": "white", "bbox": box}
