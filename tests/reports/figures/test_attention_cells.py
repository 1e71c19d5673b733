import numpy as np
import pytest
from matplotlib.text import Annotation

from reports.figures import attention, attention_cells
from reports.figures.film import DARKEST


def arrows(axes):
    """Start and end of each arrow, in the units of the film."""
    return [(text.xyann, text.xy) for text in axes.texts if isinstance(text, Annotation)]


def words(axes):
    return [text.get_text() for text in axes.texts if text.get_text()]


def panels(fake, frames=4, **arrays):
    return attention.draw(fake.strip("query", frames=frames, **arrays), "title").axes


def shades(axes):
    return [image.get_array()[..., 3] for image in axes.images if image.get_label() == "shade"]


def test_arrows_lead_from_the_watched_cell_to_the_strongest_places_elsewhere(fake):
    array = fake.cells()
    assert attention_cells.cell_place(array, 0) == (2, 1, 1)
    assert attention_cells.strongest(array, 2) == [(0, 2, 1)]
    own = array.copy()
    own[0, 2] = 50  # its own frame gets no arrow, nor what is faint beside it
    assert attention_cells.strongest(own, 0) == []


def test_each_frame_s_share_of_a_cell_s_attention_is_written_below_it(fake):
    array = np.zeros((3, 2, 2, 1), dtype=np.float32)
    array[:, 0, 0], array[:, 1, 1] = 0.75, 0.25
    for axes in panels(fake, stage3_block0=array):
        assert words(axes) == ["75 %", "25 %"]
        assert "peak 1.5 × even" in axes.get_title("left")


@pytest.mark.parametrize("scale", [1.0, 0.02, 2.0])
def test_the_peak_over_even_does_not_depend_on_what_the_weights_sum_to(scale):
    weights = np.array([0.0, 0.75, 0.25]) * scale
    assert attention_cells.over_even(weights) == pytest.approx(1.5)
    assert attention_cells.over_even(0 * weights) == 0


def alignment(frames=5, rows=4, columns=2):
    """Cell 0 matches one cell in either neighbour, with gates 0.8 and 0.3; the others nothing."""
    array = np.zeros((3, frames, rows, columns), dtype=np.float32)
    array[0, 1, 3, 0], array[0, 1, 0, 0] = 0.6, 0.2
    array[0, 3, 0, 1], array[0, 3, 3, 1] = 0.2, 0.1
    return array


def test_an_aligned_cell_points_to_its_best_match_in_either_neighbour_and_tells_the_gates(fake):
    first, second, third = panels(fake, frames=5, stage2_block1_alignment=alignment())
    start = (1.75, 0.375)  # frame 3 of 5 is the second of the three that are shown
    assert arrows(first) == [(start, (0.25, 0.875)), (start, (2.75, 0.125))]
    assert words(first) == ["gate 0.80", "frame 3", "gate 0.30"]
    assert "best match" in first.get_title("left") and "peak 2.2 × even" in first.get_title("left")
    for axes in (second, third):
        assert arrows(axes) == [] and words(axes) == ["gate 0.00", "frame 3", "gate 0.00"]
        assert "no match" in axes.get_title("left")
    assert first.get_xlim() == (0, 3)


def test_each_neighbour_s_shade_goes_by_its_own_peak(fake):
    before, after = shades(panels(fake, frames=5, stage2_block1_alignment=alignment())[0])
    assert before[3, 0] == after[0, 1] == 0 and before[1, 1] == pytest.approx(DARKEST)


@pytest.mark.parametrize(("frames", "said"), [(1, ["frame 1"]), (2, ["gate 0.00", "frame 2"])])
def test_a_short_clip_has_fewer_neighbours(fake, frames, said):
    array = np.zeros((3, frames, 4, 2), dtype=np.float32)
    for axes in panels(fake, frames=frames, stage2_block1_alignment=array):
        assert words(axes) == said and np.isfinite(axes.get_xlim()).all()


def test_boosting_is_a_film_for_each_frame_with_its_own_frame_numbered(fake):
    array = np.zeros((3, 3, 2, 1), dtype=np.float32)
    array[0, 1, 0] = 1.0
    array[1, 0, 1], array[1, 2, 0] = 0.25, 0.75
    array[2, 0, 1] = 1.0
    (axes,) = panels(fake, frames=3, boosting=array)
    assert words(axes) == ["1", "100 %", "≈ 0", "25 %", "2", "75 %", "100 %", "≈ 0", "3"]
    assert axes.get_xlim() == (0, 3) and axes.get_ylim() == (3, 0)
    dark = {
        (int(image.get_extent()[3]), int(image.get_extent()[0])): image.get_array()[:, 0, 3]
        for image in axes.images
        if image.get_label() == "shade"
    }
    assert set(dark) == {(t, u) for t in range(3) for u in range(3) if t != u}
    assert dark[0, 1][0] == 0 and dark[0, 1][1] == pytest.approx(DARKEST)
    assert dark[1, 0][1] > dark[1, 2][0] > 0
