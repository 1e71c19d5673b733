import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from reports.figures import attention, film
from reports.figures.dark import INK, PAPER, darken, turned
from reports.figures.plots import new_figure


@pytest.mark.parametrize(("colour", "becomes"), [("white", PAPER), ("black", INK)])
def test_white_becomes_the_ground_and_black_the_ink(colour, becomes):
    assert turned(colour)[:7] == becomes


def test_a_deep_colour_gets_lighter_and_keeps_its_hue():
    red, green, blue = to_rgb(turned("#0072B2")[:7])
    assert blue > green > red and red > to_rgb("#0072B2")[0]


def test_the_words_of_a_chart_can_be_read_on_the_dark_ground():
    figure, (axes,) = new_figure((4, 3), 1, "title")
    axes.plot([0, 1], color="black")
    axes.set_xlabel("x")
    darken(figure)
    assert figure.get_facecolor()[:3] == to_rgb(PAPER)
    words = [figure._suptitle, axes.xaxis.label, *axes.get_xticklabels()]
    assert min(min(to_rgb(text.get_color())) for text in words) > 0.5
    assert min(to_rgb(axes.lines[0].get_color())) > 0.5


def test_what_lies_on_the_frames_stays_as_it_was():
    figure = Figure()
    axes = figure.add_subplot()
    film.film(axes, np.zeros((2, 8, 4, 3), np.uint8))
    axes.text(0.5, 0.5, "on it", color="black")
    film.below(axes, 0.5, "below")
    darken(figure)
    on, below = axes.texts
    assert on.get_color() == "black" and min(to_rgb(below.get_color())) > 0.5
    assert {line.get_color() for line in axes.lines} == {PAPER}, "gaps are of the ground"


def test_every_kind_of_attention_can_be_turned_over(fake):
    strip = fake.strip("query", stage2_block1=fake.cells(), pairs=np.eye(4), weights=np.ones(4) / 4)
    darken(attention.draw(strip, "title"))
