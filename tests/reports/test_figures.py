import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.text import Text

from reports import figures
from reports.tables import collect, groups

ROOT = Path(__file__).parents[2]
TITLE = "data · recipe · label"


def rows_of(points, sd=0.01):
    """A comparison with one row a point ``(name, cost, mAP)``."""
    names, costs, scores = zip(*points, strict=True)
    data = {"name": names, "gmacs": costs, "latency_ms": costs, "mAP": scores, "mAP_sd": sd}
    return pd.DataFrame(data)


def line(axes, label):
    """The one line drawn under a label."""
    (found,) = [line for line in axes.get_lines() if line.get_label() == label]
    return found


POINTS = [("a", 10.0, 0.5), ("b", 20.0, 0.7), ("c", 30.0, 0.6), ("d", 40.0, 0.8)]


@pytest.mark.parametrize("cost", ["gmacs", "latency_ms"])
def test_every_method_stands_at_its_cost_and_percent(cost):
    (axes,) = figures.tradeoff(rows_of(POINTS), cost, figures.styles("abcd"), TITLE).axes
    for name, x, y in POINTS:
        found = line(axes, name)
        assert list(found.get_xdata()) == [x]
        assert list(found.get_ydata()) == pytest.approx([100 * y])
    assert axes.get_ylabel() == "mAP (%)"
    assert ("GMACs" in axes.get_xlabel()) == (cost == "gmacs")
    assert ("(ms)" in axes.get_xlabel()) == (cost == "latency_ms")
    assert {note.get_text() for note in axes.texts} == set("abcd")


def test_the_front_is_a_staircase_over_the_methods_on_it_and_they_are_filled():
    looks = figures.styles("abcd")
    (axes,) = figures.tradeoff(rows_of(POINTS), "gmacs", looks, TITLE).axes
    front = line(axes, "front")
    assert list(front.get_xdata())[:-1] == [10, 10, 20, 20, 40, 40]
    assert list(front.get_ydata())[1:] == pytest.approx([50, 50, 70, 70, 80, 80])
    filled = {
        name for name in "abcd" if line(axes, name).get_markerfacecolor() == looks[name].colour
    }
    assert filled == {"a", "b", "d"}
    assert to_rgba(line(axes, "c").get_markerfacecolor()) == to_rgba("white")


def test_error_bars_are_the_standard_deviation_and_absent_where_it_is_unknown():
    rows = rows_of(POINTS, sd=[0.01, np.nan, 0.02, np.nan])
    (axes,) = figures.tradeoff(rows, "gmacs", figures.styles("abcd"), TITLE).axes
    bars = [bar.get_segments()[0][:, 1] for bar in axes.collections]
    assert np.allclose(bars, [[49, 51], [58, 62]])


def test_a_method_without_the_cost_is_left_out():
    rows = rows_of([*POINTS, ("e", np.nan, 0.9)])
    (axes,) = figures.tradeoff(rows, "gmacs", figures.styles("abcde"), TITLE).axes
    assert {note.get_text() for note in axes.texts} == set("abcd")


def test_percent_do_not_go_far_beyond_100():
    rows = rows_of([("a", 10.0, 0.9), ("b", 20.0, 1.0)])
    (axes,) = figures.tradeoff(rows, "gmacs", figures.styles("ab"), TITLE).axes
    assert 100 < axes.get_ylim()[1] < 101


@pytest.mark.parametrize(("largest", "scale"), [(100.0, "linear"), (101.0, "log")])
def test_costs_more_than_ten_times_apart_are_drawn_on_a_log_axis(largest, scale):
    rows = rows_of([("a", 10.0, 0.5), ("b", largest, 0.6)])
    (axes,) = figures.tradeoff(rows, "gmacs", figures.styles("ab"), TITLE).axes
    assert axes.get_xscale() == scale
    assert ("logarithmic" in axes.get_xlabel()) == (scale == "log")


@pytest.mark.parametrize("seed", range(4))
def test_names_cover_neither_each_other_nor_leave_the_axes(seed):
    random = np.random.default_rng(seed)
    points = [
        (f"method{i}[blocks={i}]", *point) for i, point in enumerate(random.uniform(0.5, 1, (9, 2)))
    ]
    looks = figures.styles(name for name, *_ in points)
    figure = figures.tradeoff(rows_of(points), "gmacs", looks, TITLE)
    (axes,) = figure.axes
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(note, renderer) for note in axes.texts]
    assert len(boxes) == 9
    frame = axes.get_window_extent(renderer)
    for i, box in enumerate(boxes):
        assert box.x0 >= frame.x0 - 1 and box.x1 <= frame.x1 + 1
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_a_figure_says_what_its_numbers_are_of(folder):
    group = groups(collect([folder]).frame)[0]
    looks = figures.styles(group.rows["name"])
    for figure in (
        figures.tradeoff(group.rows, "gmacs", looks, TITLE),
        figures.cmc(group.rows, looks, TITLE),
        figures.training({}, looks, TITLE),
    ):
        assert figure.get_suptitle() == TITLE


def test_cmc_curves_are_percent_from_rank_1_to_20():
    curve = np.linspace(0.5, 0.9, 20)
    rows = pd.DataFrame({"name": ["a", "b"], "cmc": [curve, None]})
    (axes,) = figures.cmc(rows, figures.styles("ab"), TITLE).axes
    (found,) = axes.get_lines()
    assert list(found.get_xdata()) == list(range(1, 21))
    assert list(found.get_ydata()) == pytest.approx(100 * curve)
    assert axes.get_xlabel() == "Rank"


def test_training_curves_show_each_run_thin_and_their_mean_thick():
    one = pd.DataFrame({"epoch": [1, 2, 3], "loss": [4.0, 2.0, 1.0], "accuracy": [0.1, 0.5, 0.6]})
    two = pd.DataFrame({"epoch": [1, 2], "loss": [6.0, 4.0], "accuracy": [0.3, 0.7]})
    figure = figures.training({"a": [one, two], "b": [one]}, figures.styles("ab"), TITLE)
    loss, accuracy = figure.axes
    thin = [found for found in loss.get_lines() if found.get_label() == "_run"]
    assert [list(found.get_ydata()) for found in thin] == [[4, 2, 1], [6, 4]]
    mean = line(loss, "a")
    assert list(mean.get_xdata()) == [1, 2] and list(mean.get_ydata()) == [5, 3]
    assert all(found.get_linewidth() < mean.get_linewidth() for found in thin)
    assert list(line(accuracy, "a").get_ydata()) == pytest.approx([20, 60])
    assert list(line(loss, "b").get_ydata()) == [4, 2, 1]


def test_a_style_depends_on_the_names_only_and_no_two_look_alike():
    names = [f"m{i:02}" for i in range(40)]
    looks = figures.styles(names)
    assert looks == figures.styles(reversed(names))
    assert len({(look.colour, look.marker) for look in looks.values()}) == 40


def test_drawing_leaves_no_trace_in_pyplot():
    script = "import reports.figures, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0
