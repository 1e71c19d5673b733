import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from reports.figures.name_placement import place
from reports.figures.style import new_figure

NO_LINES = np.empty((0, 2))


@pytest.fixture
def axes():
    figure, (axes,) = new_figure((5, 4), 1, "title")
    axes.set(xlim=(0, 10), ylim=(0, 10))
    figure.draw_without_rendering()
    return axes


def boxes(axes, notes):
    axes.figure.draw_without_rendering()
    renderer = FigureCanvasAgg(axes.figure).get_renderer()
    return [Text.get_window_extent(note, renderer) for note in notes]


def test_a_lonely_point_has_its_name_just_right_of_it(axes):
    (note,) = place(axes, [(5, 5, "sta")], NO_LINES, 8)
    assert note.get_text() == "sta" and note.xy == (5, 5)
    assert note.get_position()[0] > 0 and note.get_horizontalalignment() == "left"
    assert note.arrow_patch is None  # so near that it needs no line


def test_names_of_points_in_one_place_cover_neither_each_other_nor_the_points(axes):
    points = [(5 + 0.1 * i, 5, f"method {i}") for i in range(5)]
    found = boxes(axes, place(axes, points, NO_LINES, 8))
    for i, box in enumerate(found):
        assert not any(box.overlaps(other) for other in found[:i])
        for x, y, _ in points:
            assert not box.contains(*axes.transData.transform((x, y)))


def test_a_name_that_had_to_go_far_is_tied_to_its_point_by_a_line(axes):
    points = [(5 + 0.02 * i, 5, f"a long name of a method {i}") for i in range(8)]
    notes = place(axes, points, NO_LINES, 8)
    far = [note for note in notes if np.hypot(*note.get_position()) >= 16]
    assert far and all(note.arrow_patch is not None for note in far)


@pytest.mark.parametrize("corner", [(0.1, 0.1), (9.9, 0.1), (0.1, 9.9), (9.9, 9.9)])
def test_a_name_at_a_corner_stays_inside_the_axes(axes, corner):
    (box,) = boxes(axes, place(axes, [(*corner, "stenvan")], NO_LINES, 8))
    frame = axes.get_window_extent()
    assert frame.x0 <= box.x0 and box.x1 <= frame.x1
    assert frame.y0 <= box.y0 and box.y1 <= frame.y1


def test_a_name_keeps_off_a_line_where_there_is_room(axes):
    line = np.column_stack([np.linspace(5, 10, 50), np.full(50, 5.0)])
    (box,) = boxes(axes, place(axes, [(5, 5, "sta")], line, 8))
    on_line = axes.transData.transform(line)
    assert not any(box.contains(*point) for point in on_line)


def test_nothing_to_name_is_nothing_to_place(axes):
    assert place(axes, [], NO_LINES, 8) == []
