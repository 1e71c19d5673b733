"""Pictures of an inspected query: film strips of what was retrieved.

Right, wrong and junk are told apart by the frame's line and by a word, not by colour alone.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benchmark.files import write_whole
from reports.figures import attention
from reports.read.inspection import Inspection, Strip


class Frame(NamedTuple):
    """How a kind of track is framed."""

    sign: str
    colour: str
    dash: str | tuple
    width: float


FRAMES = {
    "query": Frame("query", "#000000", "solid", 1.4),
    "right": Frame("✓ right", "#00785a", "solid", 3.2),
    "wrong": Frame("✗ wrong", "#b34700", (0, (3, 1.2)), 2.6),
    "junk": Frame("– junk", "#6b6b6b", (0, (1, 1.4)), 1.8),
}
TEXT = 0.2  # of a frame's height: the room for a caption
GAP = 0.1
INCH = 1.15  # a frame's height
_LETTER = 0.58  # mean width of a letter, of its height


def retrieval(inspection: Inspection, *, columns: int | None = None) -> Figure:
    """The query's frames, then each retrieved track with rank, person and distance.

    Strips stand in columns, to be read down; the unit of the axes is the height of a frame.
    """
    strips = inspection.strips
    frames = max(len(strip.frames) for strip in strips)
    aspect = strips[0].frames.shape[2] / strips[0].frames.shape[1]
    wide = frames * aspect
    columns = columns or (3 if wide < 2.6 else 2 if wide < 4.6 else 1)
    columns = min(columns, max(1, len(strips) - 1))
    rows = -(-(len(strips) - 1) // columns)
    step_x, step_y = wide + 2 * GAP, 1 + TEXT + GAP
    width, height = columns * step_x, (1 + rows) * step_y
    lines = [part for line in headline(inspection) for part in wrap(line, int(INCH * width * 14))]
    head = 0.17 * len(lines) + 0.08
    size = (INCH * width, INCH * height + head)
    figure = Figure(figsize=size, dpi=110, facecolor="white")
    axes = figure.add_axes((0, 0, 1, INCH * height / size[1]))
    axes.set_axis_off()
    axes.set_xlim(-GAP, width - GAP)
    axes.set_ylim(height, 0)
    left, top = GAP / width, 1 - 0.06 / size[1]
    figure.suptitle("\n".join(lines), x=left, y=top, ha="left", va="top", fontsize=8.5)
    for i, strip in enumerate(strips):
        column, row = divmod(i - 1, rows) if i else (0, -1)
        draw_strip(axes, strip, column * step_x, (row + 1) * step_y + TEXT, aspect)
    return figure


def headline(inspection: Inspection) -> tuple[str, str]:
    """What the picture shows: the run and its query; the data and the rules."""
    query, n = inspection.strips[0], inspection.matches
    camera = "" if query.camid is None else f", camera {query.camid}"
    first = "never found" if np.isinf(inspection.first) else f"at rank {inspection.first:.0f}"
    return (
        f"{inspection.method}, {inspection.recipe}, seed {inspection.seed} · test "
        f"row {inspection.query}, person {query.pid}{camera}: AP {100 * inspection.ap:.1f} %, "
        f"first of {n} right track{'' if n == 1 else 's'} {first}",
        f"{inspection.dataset} · {inspection.label}",
    )


def person_text(strip: Strip) -> str:
    """Person of a track, in words."""
    return {-1: "nobody", 0: "distractor"}.get(strip.pid, f"person {strip.pid}")


def caption(strip: Strip) -> str:
    """Rank, kind, person, camera and distance of one track."""
    parts = [
        f"{strip.rank}." if strip.rank else "",
        FRAMES[strip.kind].sign,
        "" if strip.kind == "right" else person_text(strip),
        "" if strip.camid is None else f"camera {strip.camid}",
        "" if strip.distance is None else f"d {strip.distance:.3f}",
    ]
    return " ".join(parts[:2]).strip() + "".join(f" · {part}" for part in parts[2:] if part)


def draw_strip(axes: Axes, strip: Strip, left: float, top: float, aspect: float) -> None:
    """A track's frames in a line that says its kind, its caption above."""
    style = FRAMES[strip.kind]
    width, text = aspect * len(strip.frames), caption(strip)
    fits = 72 * INCH * (width + GAP) / (_LETTER * len(text))
    axes.text(left, top - 0.06, text, fontsize=min(7.5, fits), color="0.1", va="bottom")
    for i, frame in enumerate(strip.frames):
        x = left + i * aspect
        axes.imshow(frame, extent=(x, x + aspect, top + 1, top), interpolation="bilinear")
        if i:
            axes.plot([x, x], [top, top + 1], color="white", linewidth=1.5)
    axes.set_aspect("equal")
    axes.add_patch(
        Rectangle(
            (left, top),
            width,
            1,
            fill=False,
            edgecolor=style.colour,
            linewidth=style.width,
            linestyle=style.dash,
            label=strip.kind,
        )
    )


def drawn(inspection: Inspection) -> list[tuple[str, str, Callable[[], Figure]]]:
    """Every picture of an inspection: the end of its file name, a caption, what draws it."""
    of, rules = headline(inspection)
    made: list[tuple[str, str, Callable[[], Figure]]] = [
        ("", f"Ranking: {of}. {rules}", partial(retrieval, inspection))
    ]
    for i, strip in enumerate(inspection.strips):
        if attention.views(strip):
            what = "the query" if i == 0 else f"rank {strip.rank}"
            title = f"Attention over the frames of {what}: {of}. {rules}"
            made.append((f"-attention-{i}", title, partial(attention.draw, strip, title)))
    return made


def pictures(inspection: Inspection, folder: Path) -> list[Path]:
    """Write every picture of an inspection as PNG; returns the files."""
    paths = []
    for end, _, draw in drawn(inspection):
        path = Path(folder) / f"{inspection.stem}{end}.png"
        save(draw(), path)
        paths.append(path)
    return paths


def save(figure: Figure, path: Path) -> None:
    """PNG or PDF without names, versions and dates, so that equal figures are equal files."""
    metadata = {"Software": None}
    if path.suffix == ".pdf":
        metadata = {"Creator": None, "Producer": None, "CreationDate": None}
    write_whole(path, lambda part: figure.savefig(part, format=path.suffix[1:], metadata=metadata))
