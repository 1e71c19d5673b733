import json
import math

import numpy as np
import pandas as pd
import pytest

from benchmark.files import write_json, write_text
from reports.analysis.convergence import (
    COLLAPSED,
    RISING,
    UNDERFITTED,
    is_rising,
    verdicts,
    with_verdicts,
)
from reports.analysis.groups import groups
from reports.read.results import collect

EPOCHS = np.arange(1, 21)
SETTLED = 0.99 - 0.9 * 0.5**EPOCHS


def log(**columns):
    return pd.DataFrame({"epoch": EPOCHS, "accuracy": SETTLED, **columns})


@pytest.mark.parametrize(
    ("end", "margin", "collapsed"),
    [
        (math.log(2), None, True),
        (math.log(2) + 0.009, None, True),
        (math.log(2) + 0.011, None, False),
        (math.log(2), 0.3, False),
        (0.3, 0.3, True),
        (0.02, None, False),
    ],
)
def test_a_triplet_loss_that_rests_where_all_distances_are_equal_has_collapsed(
    end, margin, collapsed
):
    triplet = np.where(EPOCHS <= 15, 2.0, end)  # the last quarter
    assert (COLLAPSED in verdicts(log(triplet=triplet), margin)) == collapsed


def test_a_loss_that_only_passes_through_that_value_has_not_collapsed():
    triplet = np.linspace(1.2, 0.2, 20)
    assert verdicts(log(triplet=triplet)) == ()


@pytest.mark.parametrize(("last", "found"), [(0.89, (UNDERFITTED,)), (0.90, ()), (1.0, ())])
def test_a_training_accuracy_under_90_percent_is_told(last, found):
    flat = np.full(20, last)
    assert verdicts(log(accuracy=flat)) == found


def test_a_curve_that_rises_at_its_end_is_told_and_a_noisy_level_one_is_not():
    rising = log(validation_mAP=0.02 * EPOCHS)
    assert verdicts(rising) == (RISING,)
    noise = np.where(EPOCHS % 2, 0.05, -0.05)
    assert verdicts(log(validation_mAP=0.6 + noise)) == ()
    assert verdicts(log(validation_mAP=0.9 - 0.02 * EPOCHS)) == ()


@pytest.mark.parametrize(
    ("values", "rising"),
    [
        ([0, 0, 0, 0, 0, 0, 0.02, 0.04], True),
        ([0, 0, 0, 0, 0, 0.002, 0.004, 0.006], False),  # steady, but half a point
        ([0.5, 0, 0, 0, 0.1, 0, 0.1, 0.02], False),  # two points, but within the noise
        ([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], False),  # seven epochs are too few to say
    ],
)
def test_rising_is_a_slope_beyond_its_noise_that_gains_more_than_a_point(values, rising):
    assert is_rising(np.column_stack([np.arange(len(values)), values])) == rising


def test_the_slope_and_its_noise_are_those_of_least_squares():
    random = np.random.default_rng(0)
    for _ in range(200):
        values = np.cumsum(random.normal(0.01, 0.02, 16))
        (slope, _), covariance = np.polyfit(np.arange(4), values[-4:], 1, cov=True)
        expected = slope > 2 * math.sqrt(covariance[0, 0]) and 3 * slope > 0.01
        assert is_rising(np.column_stack([np.arange(16), values])) == expected


def test_validation_is_judged_where_it_was_measured():
    measured = np.where(EPOCHS % 2, np.nan, 0.02 * EPOCHS)
    assert verdicts(log(validation_mAP=measured)) == (RISING,)
    every_fifth = np.where(EPOCHS % 5, np.nan, 0.02 * EPOCHS)  # four epochs say nothing
    assert verdicts(log(validation_mAP=every_fifth)) == ()


def test_without_a_log_nothing_is_said():
    assert verdicts(pd.DataFrame(columns=["epoch"])) == ()


def test_a_row_carries_the_verdicts_on_any_of_its_runs_and_leaves_the_fronts(empty, fake):
    for seed in range(2):
        record = fake.record("sta", seed)
        run = fake.write(empty, record)
        summary = json.loads((run / "run.json").read_text())
        write_json(run / "run.json", {**summary, "spec": {"settings": {"triplet": 0.3}}})
        if seed:
            lines = [{"epoch": e, "accuracy": 0.95, "triplet": 0.3} for e in range(1, 5)]
            write_text(run / "log.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    fake.write(empty, fake.record("nvan"))
    results = with_verdicts(collect([empty]))
    (group,) = groups(results.frame)
    rows = group.rows.set_index("name")
    assert rows.at["sta", "convergence"] == (COLLAPSED,) and rows.at["nvan", "convergence"] == ()
    assert list(rows.loc[["sta", "nvan"], "on_fronts"]) == [False, True]
    (kept,) = groups(results.frame, keep_unconverged=True)
    assert kept.rows["on_fronts"].all()
