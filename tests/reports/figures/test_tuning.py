import numpy as np
import pytest

from reports.analysis.tuning import expected_best, scores
from reports.figures.style import styles
from reports.figures.tuning import tuning
from reports.read.studies import load


@pytest.fixture
def drawn(fake, tmp_path):
    study = load(fake.study(tmp_path))
    return study, tuning(study, styles(["sta", "nvan"]), "study one")


def lines(axes, label):
    return [line for line in axes.get_lines() if line.get_label() == label]


def test_each_method_has_its_curve_of_the_expected_best_with_a_band(drawn):
    study, figure = drawn
    curves, _ = figure.axes
    assert figure.get_suptitle() == "study one"
    for method in study.methods:
        (line,) = lines(curves, method.method)
        expected = expected_best(scores(method.trials))
        assert list(line.get_xdata()) == list(expected["trials"])
        assert np.allclose(line.get_ydata(), 100 * expected["expected"])
    bands = [band.get_paths()[0].vertices[:, 1] for band in curves.collections]
    assert len(bands) == 2 and all(np.ptp(band) > 0 for band in bands)


def test_every_trial_is_a_point_with_the_shared_recipe_as_a_bar(drawn):
    _, figure = drawn
    _, spreads = figure.axes
    nvan, sta = lines(spreads, "_trials")
    assert sorted(nvan.get_xdata()) == [50, 51]
    assert sorted(sta.get_xdata()) == pytest.approx([0, 20, 40, 45])
    assert [line.get_xdata()[0] for line in lines(spreads, "_shared recipe")] == [50, 40]
    assert [tick.get_text() for tick in spreads.get_yticklabels()] == ["nvan", "sta"]
    boxes = [(box.get_x(), box.get_x() + box.get_width()) for box in spreads.patches]
    assert boxes[1] == pytest.approx((15, 41.25))
