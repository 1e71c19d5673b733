import numpy as np
from matplotlib.figure import Figure

from reports.figures import film


def axes_of(frames=3):
    axes = Figure().add_subplot()
    film.film(axes, np.zeros((frames, 4, 2, 3), dtype=np.uint8))
    return axes


def shades(axes):
    return [image for image in axes.images if image.get_label() == "shade"]


def test_frames_stand_side_by_side_each_one_unit_wide():
    axes = axes_of()
    assert [image.get_extent() for image in axes.images] == [[i, i + 1, 1, 0] for i in range(3)]
    assert axes.get_xlim() == (0, 3) and axes.get_ylim() == (1, 0)


def test_shade_is_none_where_all_attention_falls_and_darkest_where_none_does():
    axes = axes_of()
    film.shade(axes, 1, np.array([[0.0, 1.0], [0.5, 0.25]]))
    (image,) = shades(axes)
    assert image.get_extent() == [1, 2, 1, 0]
    assert np.allclose(image.get_array()[..., 3] / film.DARKEST, [[1, 0], [0.5, 0.75]])


def test_erased_cells_are_hatched_where_they_lie_and_others_are_not():
    axes = axes_of()
    film.hatch(axes, 0, np.zeros((2, 1), dtype=bool))
    assert not axes.collections
    film.hatch(axes, 2, np.array([[False], [True]]))
    (hatched,) = axes.collections
    box = hatched.get_paths()[0].get_extents()
    assert hatched.get_hatch() and (box.x0, box.x1, box.y0, box.y1) == (2, 3, 0.5, 1)
    assert shades(axes)[0].get_array()[..., 3].ravel().tolist() == [0, film.ERASED]


def test_texts_stand_below_the_middle_of_their_frames():
    axes = axes_of(4)
    film.below_each(axes, ["a", "b"], width=2)
    assert [(text.get_text(), text.get_position()[0]) for text in axes.texts] == [
        ("a", 1.0),
        ("b", 3.0),
    ]


def test_a_name_with_dollars_is_no_formula():
    axes = axes_of()
    film.title(axes, r"$\frac{1$")
    axes.figure.canvas.draw()
    assert axes.get_title("left") == r"$\frac{1$"
