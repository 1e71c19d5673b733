"""One query as several systems rank it: their film strips side by side, a column a system."""

from collections.abc import Sequence
from textwrap import wrap

from matplotlib.figure import Figure

from reports.figures.film_strips import GAP, INCH, TEXT, draw_strip, person_text
from reports.read.compared import Film


def headline(film: Film, names: Sequence[str]) -> str:
    """The query and what every system makes of it, in words."""
    query = film.shown[0].strips[0]
    camera = "" if query.camid is None else f", camera {query.camid}"
    scores = [f"{name} {100 * one.ap:.1f} %" for name, one in zip(names, film.shown, strict=True)]
    return f"Test row {film.query}, {person_text(query)}{camera}: AP {', '.join(scores)}"


def side_by_side(film: Film, names: Sequence[str]) -> Figure:
    """The query above, below it a column a system, nearest first.

    Args:
        film: the query and its rankings.
        names: of the systems, in their order.
    """
    query = film.shown[0].strips[0]
    frames, height, width, _ = query.frames.shape
    aspect = width / height
    columns = [one.strips[1:] for one in film.shown]
    rows = max(len(strips) for strips in columns)
    step_x, step_y = frames * aspect + 2 * GAP, 1 + TEXT + GAP
    wide, tall = len(columns) * step_x, (1 + rows) * step_y + TEXT
    lines = wrap(headline(film, names), int(INCH * wide * 14))
    head = 0.17 * len(lines) + 0.08
    size = (INCH * wide, INCH * tall + head)
    figure = Figure(figsize=size, dpi=110, facecolor="white")
    axes = figure.add_axes((0, 0, 1, INCH * tall / size[1]))
    axes.set_axis_off()
    axes.set_xlim(-GAP, wide - GAP)
    axes.set_ylim(tall, 0)
    top = 1 - 0.06 / size[1]
    figure.suptitle("\n".join(lines), x=GAP / wide, y=top, ha="left", va="top", fontsize=8.5)
    draw_strip(axes, query, 0, TEXT, aspect)
    for column, (name, strips) in enumerate(zip(names, columns, strict=True)):
        place = (column * step_x, step_y + TEXT - 0.06)
        axes.text(*place, name, fontsize=8, weight="bold", va="bottom", parse_math=False)
        for row, strip in enumerate(strips):
            y = step_y + TEXT + row * step_y + TEXT
            draw_strip(axes, strip, column * step_x, y, aspect)
    return figure
