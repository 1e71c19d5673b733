import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.text import Text

from reports.figures import tradeoffs
from reports.figures.style import styles

TITLE = "data · recipe · label"


def rows_of(points, sd=0.01):
    """Rows with one method a point ``(name, cost, mAP)``; R1 is 0.1 above mAP."""
    names, costs, scores = zip(*points, strict=True)
    data = {"name": names, "gmacs": costs, "latency_ms": costs, "peak_memory_mb": costs}
    data |= {"latency_iqr_ms": np.nan, "on_fronts": True, "unsteady": False}
    rows = pd.DataFrame({**data, "convergence": [()] * len(names), "mAP": scores, "mAP_sd": sd})
    blank = {f"{score}_{end}": np.nan for score in ("mAP", "R1") for end in ("low", "high")}
    return rows.assign(R1=rows["mAP"] + 0.1, R1_sd=sd, **blank)


def line(axes, label):
    """The one line drawn under a label."""
    (found,) = [line for line in axes.get_lines() if line.get_label() == label]
    return found


POINTS = [("a", 10.0, 0.5), ("b", 20.0, 0.7), ("c", 30.0, 0.6), ("d", 40.0, 0.8)]


@pytest.mark.parametrize("cost", ["gmacs", "latency_ms", "peak_memory_mb"])
def test_every_method_stands_at_its_cost_and_percent(cost):
    panels = tradeoffs.tradeoff(rows_of(POINTS), cost, styles("abcd"), TITLE).axes
    for axes, score, above in zip(panels, ("mAP", "R1"), (0, 0.1), strict=True):
        for name, x, y in POINTS:
            found = line(axes, name)
            assert list(found.get_xdata()) == [x]
            assert list(found.get_ydata()) == pytest.approx([100 * (y + above)])
        assert axes.get_ylabel() == f"{score} (%)"
        assert ("GMACs" in axes.get_xlabel()) == (cost == "gmacs")
        assert ("(ms)" in axes.get_xlabel()) == (cost == "latency_ms")
        assert ("(MB)" in axes.get_xlabel()) == (cost == "peak_memory_mb")
        assert {note.get_text() for note in axes.texts} == set("abcd")


def test_the_front_is_a_staircase_over_the_methods_on_it_and_they_are_filled():
    style_of = styles("abcd")
    axes, _ = tradeoffs.tradeoff(rows_of(POINTS), "gmacs", style_of, TITLE).axes
    front = line(axes, "front")
    assert list(front.get_xdata())[:-1] == [10, 10, 20, 20, 40, 40]
    assert list(front.get_ydata())[1:] == pytest.approx([50, 50, 70, 70, 80, 80])
    filled = {
        name for name in "abcd" if line(axes, name).get_markerfacecolor() == style_of[name].colour
    }
    assert filled == {"a", "b", "d"}
    assert to_rgba(line(axes, "c").get_markerfacecolor()) == to_rgba("white")


def test_error_bars_are_the_standard_deviation_and_absent_where_it_is_unknown():
    rows = rows_of(POINTS, sd=[0.01, np.nan, 0.02, np.nan])
    axes, _ = tradeoffs.tradeoff(rows, "gmacs", styles("abcd"), TITLE).axes
    bars = [bar.get_segments()[0][:, 1] for bar in axes.collections]
    assert np.allclose(bars, [[49, 51], [58, 62]])


def test_whiskers_are_the_interval_where_one_is_known_and_the_latency_s_quartiles():
    rows = rows_of(POINTS[:2]).assign(mAP_low=[0.45, np.nan], mAP_high=[0.52, np.nan])
    rows = rows.assign(latency_iqr_ms=[4.0, np.nan], unsteady=[True, False])
    figure = tradeoffs.tradeoff(rows, "latency_ms", styles("ab"), TITLE)
    bars = [bar.get_segments()[0] for bar in figure.axes[0].collections]
    assert np.allclose([bar[:, 1] for bar in (bars[0], bars[2])], [[45, 52], [69, 71]])
    assert np.allclose(bars[1][:, 0], [8, 12])
    words = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {"95 % interval", "interquartile range of latency"} < words
    assert "‡ unsteady latency (on no front)" in words
    assert {note.get_text() for note in figure.axes[0].texts} == {"a ‡", "b"}
    assert list(line(figure.axes[0], "front").get_xdata())[:-1] == [20, 20]


def test_a_method_that_did_not_converge_is_marked_and_on_no_front():
    rows = rows_of(POINTS).assign(convergence=[("collapsed",), (), (), ()])
    rows["on_fronts"] = [not verdicts for verdicts in rows["convergence"]]
    figure = tradeoffs.tradeoff(rows, "gmacs", styles("abcd"), TITLE)
    axes = figure.axes[0]
    assert {note.get_text() for note in axes.texts} == {"a †", "b", "c", "d"}
    assert list(line(axes, "front").get_xdata())[:-1] == [20, 20, 40, 40]
    assert to_rgba(line(axes, "a").get_markerfacecolor()) == to_rgba("white")
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "† not converged (on no front)" in words


def test_a_method_without_the_cost_is_left_out():
    rows = rows_of([*POINTS, ("e", np.nan, 0.9)])
    axes, _ = tradeoffs.tradeoff(rows, "gmacs", styles("abcde"), TITLE).axes
    assert {note.get_text() for note in axes.texts} == set("abcd")


def test_percent_do_not_go_far_beyond_0_and_100():
    rows = rows_of([("a", 10.0, 0.0), ("b", 20.0, 1.0)]).drop(columns="R1").assign(R1=np.nan)
    (axes,) = tradeoffs.tradeoff(rows, "gmacs", styles("ab"), TITLE).axes
    low, high = axes.get_ylim()
    assert -5 < low < 0 and 100 < high < 105


def test_of_many_methods_only_the_front_is_named():
    rows = rows_of([(f"m{i:02}", 10.0 + i, 0.9 - i / 50) for i in range(20)])
    axes, _ = tradeoffs.tradeoff(rows, "gmacs", styles(rows["name"]), TITLE).axes
    assert [note.get_text() for note in axes.texts] == ["m00"]


PRINTED = pd.DataFrame(
    {
        "paper": "sta",
        "short": "STA",
        "label": ["sta, T = 4", "sta, T = 8"],
        "line": "sta",
        "frames": [4, 8],
        "gmacs": [16.0, 32.0],
        "mAP": [80.8, 81.2],
        "R1": [86.3, 86.2],
    }
)


def test_published_points_are_joined_in_another_marker_and_outside_the_front():
    style_of = styles("abcd")
    axes, _ = tradeoffs.tradeoff(rows_of(POINTS), "gmacs", style_of, TITLE, PRINTED).axes
    points = line(axes, "published sta")
    assert list(points.get_xdata()) == [16, 32] and list(points.get_ydata()) == [80.8, 81.2]
    assert points.get_marker() not in {style.marker for style in style_of.values()}
    (joined,) = [found for found in axes.get_lines() if found.get_linestyle() == ":"]
    assert list(joined.get_xdata()) == [16, 32]
    assert 80.8 not in line(axes, "front").get_ydata()
    assert {"sta, T = 4", "sta, T = 8"} < {note.get_text() for note in axes.texts}


def test_published_points_alone_are_a_figure_without_a_front():
    figure = tradeoffs.tradeoff(pd.DataFrame(columns=["name"]), "gmacs", {}, TITLE, PRINTED)
    assert [len(axes.texts) for axes in figure.axes] == [2, 2]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["published, STA"]


def test_published_points_have_no_place_on_a_measured_time():
    style_of = styles("abcd")
    axes, _ = tradeoffs.tradeoff(rows_of(POINTS), "latency_ms", style_of, TITLE, PRINTED).axes
    assert not [found for found in axes.get_lines() if found.get_label().startswith("published")]


@pytest.mark.parametrize(("largest", "scale"), [(100.0, "linear"), (101.0, "log")])
def test_costs_more_than_ten_times_apart_are_drawn_on_a_log_axis(largest, scale):
    rows = rows_of([("a", 10.0, 0.5), ("b", largest, 0.6)])
    axes, _ = tradeoffs.tradeoff(rows, "gmacs", styles("ab"), TITLE).axes
    assert axes.get_xscale() == scale
    assert ("logarithmic" in axes.get_xlabel()) == (scale == "log")


@pytest.mark.parametrize("seed", range(4))
def test_names_cover_neither_each_other_nor_leave_the_axes(seed):
    random = np.random.default_rng(seed)
    points = [
        (f"method{i}[blocks={i}]", *point) for i, point in enumerate(random.uniform(0.5, 1, (9, 2)))
    ]
    style_of = styles(name for name, *_ in points)
    figure = tradeoffs.tradeoff(rows_of(points), "gmacs", style_of, TITLE)
    axes, _ = figure.axes
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(note, renderer) for note in axes.texts]
    assert len(boxes) == 9
    frame = axes.get_window_extent(renderer)
    for i, box in enumerate(boxes):
        assert box.x0 >= frame.x0 - 1 and box.x1 <= frame.x1 + 1
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_where_nothing_may_stand_on_a_front_the_best_of_many_are_named():
    many = [(f"m{i:02}", 10.0 + i, 0.2 + 0.01 * i) for i in range(tradeoffs.MOST_NAMES + 4)]
    rows = rows_of(many).assign(on_fronts=False)
    axes = tradeoffs.tradeoff(rows, "gmacs", styles([n for n, *_ in many]), TITLE).axes[0]
    named = {
        text.get_text() for text in axes.findobj(Text) if text.get_text().startswith(("m0", "m1"))
    }
    assert named == {name for name, *_ in many[4:]}
