import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.analysis.groups import groups
from reports.figures import plots, tradeoffs
from reports.figures.style import styles
from reports.figures.training import training
from reports.read.results import collect

ROOT = Path(__file__).parents[3]
TITLE = "data · recipe · label"


def line(axes, label):
    """The one line drawn under a label."""
    (found,) = [line for line in axes.get_lines() if line.get_label() == label]
    return found


def test_a_figure_says_what_its_numbers_are_of(folder):
    group = groups(collect([folder]).frame)[0]
    style_of = styles(group.rows["name"])
    for figure in (
        tradeoffs.tradeoff(group.rows, "gmacs", style_of, TITLE),
        plots.cmc(group.rows, style_of, TITLE),
        training({}, style_of, TITLE),
    ):
        assert figure.get_suptitle() == TITLE


def test_cmc_curves_are_percent_from_rank_1_to_20():
    curve = np.linspace(0.5, 0.9, 20)
    rows = pd.DataFrame({"name": ["a", "b"], "cmc": [curve, None], "convergence": [(), ()]})
    for rank in (1, 5, 10, 20):
        known = [0.4, np.nan] if rank == 5 else np.nan
        rows = rows.assign(**{f"R{rank}_low": known, f"R{rank}_high": 0.8})
    (axes,) = plots.cmc(rows, styles("ab"), TITLE).axes
    found, whisker = axes.get_lines()
    assert list(whisker.get_ydata()) == pytest.approx([40, 80])
    assert list(whisker.get_xdata()) == pytest.approx([5, 5], abs=0.2)
    assert list(found.get_xdata()) == list(range(1, 21))
    assert list(found.get_ydata()) == pytest.approx(100 * curve)
    assert axes.get_xlabel() == "Rank"


def series(name, xs, score, low, high):
    data = {"name": name, "x": xs, "mAP": score, "mAP_low": low, "mAP_high": high}
    data["convergence"] = [()] * len(xs)
    return pd.DataFrame({**data, "R1": score, "R1_low": np.nan, "R1_high": np.nan})


def test_a_trend_is_percent_along_the_knob_with_its_band_where_one_is_known():
    rows = series("a", [0.0, 0.4], [0.8, 0.6], [0.7, 0.5], [0.9, 0.65])
    figure = plots.trend(rows, styles("a"), TITLE, "occlusion of the test set")
    accuracy, rank = figure.axes
    assert list(line(accuracy, "a").get_xdata()) == [0.0, 0.4]
    assert list(line(accuracy, "a").get_ydata()) == [80, 60]
    for axes, ends in ((accuracy, [[70, 50], [90, 65]]), (rank, [[80, 60], [80, 60]])):
        bands = [found for found in axes.get_lines() if found.get_label() == "_band"]
        assert np.allclose([found.get_ydata() for found in bands], ends)
    assert accuracy.get_xlabel() == "occlusion of the test set"
    assert list(accuracy.get_xticks()) == [0.0, 0.4]


def test_a_paper_s_trajectory_is_joined_and_dotted_beside_what_was_measured():
    rows = series("sta", [2.0, 4.0], [0.5, 0.6], np.nan, np.nan)
    printed = pd.DataFrame({"line": "sta", "x": [4.0, 2.0], "mAP": [80.8, 75.7], "R1": [86, 81]})
    axes, _ = plots.trend(rows, styles(["sta"]), TITLE, "T", printed).axes
    found = line(axes, "published: sta")
    assert list(found.get_xdata()) == [2, 4] and list(found.get_ydata()) == [75.7, 80.8]
    assert found.get_linestyle() == ":" and found.get_markerfacecolor() == "white"


def test_costs_along_the_length_of_clips_start_at_zero():
    data = {"name": "a", "x": [4.0, 8.0], "gmacs": [1.0, 2.0], "latency_ms": [9.0, 17.0]}
    rows = pd.DataFrame({**data, "peak_memory_mb": [100.0, 150.0], "latency_iqr_ms": [2.0, 4.0]})
    panels = plots.cost_trend(rows, styles("a"), TITLE, "Frames of a clip, T").axes
    assert [list(line(axes, "a").get_ydata()) for axes in panels] == [[1, 2], [9, 17], [100, 150]]
    assert all(axes.get_ylim()[0] == 0 for axes in panels)
    assert [len(axes.collections) for axes in panels] == [0, 1, 0]
    bars = [segment[:, 1] for segment in panels[1].collections[0].get_segments()]
    assert np.allclose(bars, [[8, 10], [15, 19]])


def test_drawing_leaves_no_trace_in_pyplot():
    script = "import reports.figures.plots, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0
