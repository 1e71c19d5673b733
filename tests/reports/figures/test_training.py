import pandas as pd
import pytest

from reports.figures.style import styles
from reports.figures.training import training

TITLE = "data · recipe · label"


def line(axes, label):
    """The one line drawn under a label."""
    (found,) = [line for line in axes.get_lines() if line.get_label() == label]
    return found


def test_training_curves_show_each_run_thin_and_their_mean_thick():
    one = pd.DataFrame({"epoch": [1, 2, 3], "loss": [4.0, 2.0, 1.0], "accuracy": [0.1, 0.5, 0.6]})
    two = pd.DataFrame({"epoch": [1, 2], "loss": [6.0, 4.0], "accuracy": [0.3, 0.7]})
    figure = training({"a": [one, two], "b": [one]}, styles("ab"), TITLE)
    loss, accuracy = figure.axes
    thin = [found for found in loss.get_lines() if found.get_label() == "_run"]
    assert [list(found.get_ydata()) for found in thin] == [[4, 2, 1], [6, 4]]
    mean = line(loss, "a")
    assert list(mean.get_xdata()) == [1, 2] and list(mean.get_ydata()) == [5, 3]
    assert all(found.get_linewidth() < mean.get_linewidth() for found in thin)
    assert list(line(accuracy, "a").get_ydata()) == pytest.approx([20, 60])
    assert list(line(loss, "b").get_ydata()) == [4, 2, 1]


def test_a_validation_curve_has_a_panel_of_its_own_where_one_was_measured():
    log = pd.DataFrame({"epoch": [1, 2, 3], "loss": [4.0, 2.0, 1.0], "accuracy": [0.1, 0.5, 0.6]})
    log["validation_mAP"] = [None, 0.25, 0.5]
    *_, validation = training({"a": [log]}, styles("a"), TITLE, {"a"}).axes
    found = line(validation, "a †")
    assert list(found.get_xdata()) == [2, 3] and list(found.get_ydata()) == [25, 50]
    assert validation.get_ylabel() == "Validation mAP (%)"
