import itertools
import math

import numpy as np
import pytest

from reports.analysis.groups import groups
from reports.analysis.tuning import at_border, changes, expected_best, regret, scores
from reports.read.results import collect
from reports.read.studies import Parameter, Trial, TunedMethod, load

AP = [0.25, 0.5, 0.75, 0.5] * 10


def test_the_expected_best_of_n_trials_is_the_mean_over_all_draws_of_n():
    values = [0.30, 0.10, 0.60, 0.45]
    found = expected_best(values)
    assert list(found["trials"]) == [1, 2, 3, 4]
    for row in found.itertuples():
        best = [max(drawn) for drawn in itertools.product(values, repeat=row.trials)]
        assert row.expected == pytest.approx(np.mean(best))
        assert row.low == pytest.approx(max(min(values), np.mean(best) - np.std(best)))
        assert row.high == pytest.approx(min(max(values), np.mean(best) + np.std(best)))


def test_the_expected_best_is_the_closed_formula_and_never_beyond_the_best_seen():
    values = sorted(np.random.default_rng(0).uniform(size=20))
    found = expected_best(values)
    for n in (1, 7, 20):
        by_hand = sum(v * ((i / 20) ** n - ((i - 1) / 20) ** n) for i, v in enumerate(values, 1))
        assert found["expected"][n - 1] == pytest.approx(by_hand)
    assert found["expected"][0] == pytest.approx(np.mean(values))
    assert found["expected"].is_monotonic_increasing and found["high"].max() <= values[-1]


def test_equal_and_single_trials_have_no_band():
    for values in ([0.5], [0.5, 0.5, 0.5]):
        found = expected_best(values)
        assert np.allclose(found[["expected", "low", "high"]], 0.5)
    assert len(expected_best([])) == 0


def test_a_diverged_trial_is_a_result_and_a_pruned_one_counts_with_what_it_had():
    trials = [
        Trial(0, "complete", 0.5),
        Trial(1, "pruned", 0.2),
        Trial(2, "pruned", None),
        Trial(3, "diverged", 0.4),
    ]
    assert list(scores(trials)) == [0.5, 0.2, 0.0, 0.0]


def test_regret_is_what_tuning_gained_on_held_out_identities(fake, tmp_path):
    nvan, sta = load(fake.study(tmp_path)).methods
    assert regret(nvan) == pytest.approx(0.01) and regret(sta) == pytest.approx(0.05)
    assert math.isnan(regret(TunedMethod("x", (), {}, 0.5, None, {})))


@pytest.mark.parametrize(
    ("kind", "value", "border"),
    [
        ("log", 1e-4, True),
        ("log", 1.2e-4, True),  # within a twentieth of two decades
        ("log", 1.4e-4, False),
        ("log", 9e-3, True),
        ("log", 1e-3, False),
        ("linear", 4e-4, True),
        ("linear", 1e-3, False),
        ("choice", 1e-4, False),
        ("log", "soft", False),
        ("log", None, False),
    ],
)
def test_a_value_near_the_end_of_its_range_is_at_the_border(kind, value, border):
    assert at_border(Parameter("lr", kind, 1e-4, 1e-2), value) == border


@pytest.fixture
def tables(empty, fake):
    """Two methods under the shared recipe and tuned; `late` was tuned only."""
    for seed in range(2):
        for method, gain in (("sta", 0.125), ("nvan", 0.0)):
            fake.scored(empty, method, seed, AP)
            tuned = {"recipe": f"quick[lr={gain}]", "selection": "tuned: study one"}
            fake.scored(empty, method, seed, [ap + gain for ap in AP], **tuned)
        fake.scored(empty, "late", seed, AP, recipe="quick[lr=1]", selection="tuned: study one")
    return groups(collect([empty]).frame, 300)


def test_default_and_tuned_are_compared_over_the_same_persons(tables):
    shared, tuned = tables
    found = {change.method: change for change in changes(tuned, tables)}
    assert set(found) == {"sta", "nvan"}
    sta, nvan = found["sta"], found["nvan"]
    assert (sta.default[0], sta.tuned[0]) == pytest.approx((0.5, 0.625))
    assert sta.gain == pytest.approx((0.125,) * 3) and nvan.gain == pytest.approx((0.0,) * 3)
    assert sta.default[1] < 0.5 < sta.default[2]
    assert changes(shared, tables) == [] and changes(tuned, [tuned]) == []


def test_without_per_query_files_the_gain_has_no_interval(empty, fake):
    fake.write(empty, fake.record("sta", score=0.5))
    fake.write(empty, fake.record("sta", score=0.6, recipe="quick[lr=1]", selection="tuned: one"))
    tables = groups(collect([empty]).frame)
    (change,) = changes(tables[1], tables)
    assert change.gain[0] == pytest.approx(0.1) and math.isnan(change.gain[1])
