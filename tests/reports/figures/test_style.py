import pandas as pd
import pytest

from reports.figures.style import name_with_sign, new_figure, styles, within_percent, wrapped


def test_a_style_depends_on_the_names_only_and_no_two_look_alike():
    names = [f"m{i:02}" for i in range(40)]
    style_of = styles(names)
    assert style_of == styles(reversed(names))
    assert len({(style.colour, style.marker) for style in style_of.values()}) == 40


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
