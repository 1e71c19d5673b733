import dataclasses

import pytest

from reports.analysis.comparing import differences
from reports.figures import comparing
from reports.figures.style import styles


@pytest.fixture
def found(compared):
    return differences(compared.systems, 50)


def test_every_chart_that_has_something_to_show_is_drawn(compared, found):
    made = {one.name: one for one in comparing.charts(compared, found, styles(compared.names))}
    assert list(made) == ["differences", "ap-against-ap", "distances", "tracklet-length"]
    for one in made.values():
        assert one.draw().axes and one.caption.endswith(".")
    a, b = (dataclasses.replace(one, distances=None) for one in compared.systems)
    bare = dataclasses.replace(compared, systems=(a, b), frames=None)
    names = [one.name for one in comparing.charts(bare, found, styles(compared.names))]
    assert names == ["differences", "ap-against-ap"]


def test_an_interval_is_a_line_and_one_that_cannot_be_had_is_none(found):
    axes, _ = comparing.forest(found, "title").axes
    assert sum(line.get_label() == "interval" for line in axes.lines) == 1
    nothing = found.assign(low=float("nan"), high=float("nan"))
    axes, _ = comparing.forest(nothing, "title").axes
    assert not any(line.get_label() == "interval" for line in axes.lines)


def test_every_query_lies_in_the_scatter_and_who_is_better_is_counted(compared):
    (axes,) = comparing.scatter([compared.systems], "title").axes
    assert axes.get_title("left").replace("\n", " ") == "higher AP: nvan 40, sta 0 of 40 queries"
    (points,) = axes.collections
    x, y = points.get_offsets().T
    assert (y > x).all() and axes.get_ylabel() == "AP with nvan (%)"


def test_right_and_wrong_pairs_differ_in_their_line(compared):
    axes, other = comparing.histograms(compared.systems, "title").axes
    looks = {p.get_label(): p.get_linestyle() for p in axes.patches if p.get_label() != "_fill"}
    assert set(looks) == {"right", "wrong"} and looks["right"] != looks["wrong"]
    assert other.get_title("left") == "sta"
