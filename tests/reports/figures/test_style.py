import pandas as pd
import pytest

import zoo
from reports.figures.style import (
    COLOURS,
    MARKERS,
    PLACES,
    name_with_sign,
    new_figure,
    style_of,
    styles,
    within_percent,
    wrapped,
)


def test_no_two_of_our_methods_look_alike_and_each_has_its_place():
    assert set(zoo.list_methods()) <= set(PLACES) and len(set(PLACES)) == len(PLACES)
    assert len(PLACES) <= len(COLOURS) * len(MARKERS)
    looks = {(style.colour, style.marker) for style in styles(PLACES).values()}
    assert len(looks) == len(PLACES)


def test_a_method_looks_the_same_in_every_report_and_for_ever():
    """These are printed: a change here changes what readers have learnt."""
    assert style_of("stenvan")[:2] == ("#009E73", "^")
    assert style_of("nvan")[:2] == ("#D55E00", "s")
    assert style_of("sta")[:2] == ("#CC79A7", "D")
    assert styles(["sta", "mine"])["sta"] == styles(["sta"])["sta"]
    assert style_of("mine") == style_of("mine") != style_of("yours")


def test_a_variant_has_its_method_s_colour_and_another_marker():
    for name in ("sta[blocks=8]", "sta (own head)", "sta[blocks=2]"):
        assert style_of(name).colour == style_of("sta").colour
        assert style_of(name).marker != style_of("sta").marker


def test_a_name_is_marked_where_the_method_did_not_converge():
    assert name_with_sign(pd.Series({"name": "sta", "convergence": ("collapsed",)})) == "sta †"
    assert name_with_sign(pd.Series({"name": "sta", "convergence": ()})) == "sta"


@pytest.mark.parametrize(("values", "low", "high"), [((0, 50), -5, 80), ((40, 100), 5, 105)])
def test_a_percent_axis_ends_near_0_and_100(values, low, high):
    figure, (axes,) = new_figure((4, 3), 1, "title")
    axes.plot([0, 1], values)
    axes.margins(y=0.5)
    within_percent(axes)
    assert low <= axes.get_ylim()[0] < values[0] and values[1] < axes.get_ylim()[1] <= high
    assert figure.get_suptitle() == "title"


def test_a_long_name_breaks_after_a_comma_and_loses_nothing():
    name = "stenvan[backbone=resnet18,blocks=8,stripes=16,frames=4]"
    lines = wrapped(name).split("\n")
    assert "".join(lines) == name and max(map(len, lines)) <= 28 and len(lines) > 1
    assert all(line.endswith(",") for line in lines[:-1])
