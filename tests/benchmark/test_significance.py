"""Intervals and tests against arithmetic, full enumeration and experiments whose truth is known."""

import itertools
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from benchmark.significance import difference, interval

METRICS = ["R1", "R5", "R10", "R20", "mAP", "mINP"]


def table(ap, first=None, pid=None, inp=None):
    """Per-query rows as `Scores.per_query` has them."""
    count = len(ap)
    return pd.DataFrame(
        {
            "query": np.arange(count) * 3,
            "pid": np.arange(count) if pid is None else pid,
            "AP": ap,
            "INP": ap if inp is None else inp,
            "first": np.ones(count) if first is None else first,
            "matches": 2,
        }
    )


def random_table(seed, count=200, per_person=1):
    rng = np.random.default_rng(seed)
    return table(
        rng.beta(4, 1, count),
        rng.geometric(0.7, count).astype(float),
        np.arange(count) // per_person,
    )


def test_the_module_needs_no_torch():
    code = "import sys, benchmark.significance; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize("unit", ["identity", "query"])
def test_every_metric_has_its_value_inside_its_interval(unit):
    rows = random_table(0, per_person=3)
    found = interval(rows, unit)
    assert list(found.index) == METRICS
    assert found["value"].to_dict() == pytest.approx(
        {
            **{f"R{k}": (rows["first"] <= k).mean() for k in (1, 5, 10, 20)},
            "mAP": rows["AP"].mean(),
            "mINP": rows["INP"].mean(),
        }
    )
    assert ((found["low"] <= found["value"]) & (found["value"] <= found["high"])).all()


def test_without_inp_there_is_no_minp():
    rows = random_table(0).drop(columns="INP")
    assert list(interval(rows).index) == METRICS[:-1]
    assert list(difference(random_table(1), rows).index) == METRICS[:-1]


def test_a_match_that_is_never_retrieved_solves_no_rank():
    assert interval(table([0.1, 0.1], [np.inf, 1.0]))["value"]["R20"] == 0.5


def test_the_interval_of_a_mean_is_about_two_standard_errors_wide_each_side():
    rows = random_table(1, count=500)
    found = interval(rows, "query").loc["mAP"]
    error = rows["AP"].std() / np.sqrt(500)
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * error, rel=0.05)


def test_rows_of_one_person_are_drawn_together():
    one = random_table(2, count=150)
    four = pd.concat([one] * 4, ignore_index=True)  # every query four times says nothing new
    four["query"] = np.arange(len(four))
    width = [f["high"]["mAP"] - f["low"]["mAP"] for f in (interval(one), interval(four))]
    assert width[1] == pytest.approx(width[0], rel=0.03)
    naive = interval(four, "query").loc["mAP"]
    assert naive["high"] - naive["low"] == pytest.approx(width[0] / 2, rel=0.05)


def test_persons_with_more_queries_count_more():
    rows = table([1.0, 1.0, 1.0, 0.0], pid=[1, 1, 1, 2])
    found = interval(rows)
    assert found["value"]["mAP"] == 0.75
    assert (found["low"]["mAP"], found["high"]["mAP"]) == (0, 1)


def test_seeds_that_disagree_widen_the_interval():
    agree = [random_table(3)] * 3
    disagree = [agree[0].assign(AP=agree[0]["AP"] * factor) for factor in (0.7, 0.85, 1.0)]
    narrow, wide = interval(agree).loc["mAP"], interval(disagree).loc["mAP"]
    single = interval(agree[0]).loc["mAP"]
    assert narrow["high"] - narrow["low"] == pytest.approx(single["high"] - single["low"], rel=0.05)
    assert wide["high"] - wide["low"] > 2 * (narrow["high"] - narrow["low"])
    assert wide["value"] == pytest.approx(np.mean([t["AP"].mean() for t in disagree]))


def test_the_same_seed_gives_the_same_figures_and_another_does_not():
    a, b = random_table(4), random_table(5)
    assert interval(a).equals(interval(a))
    assert difference(a, b).equals(difference(a, b))
    assert not interval(a).equals(interval(a, seed=1))


def test_the_order_of_the_rows_does_not_matter():
    a, b = random_table(4), random_table(5)
    shuffled = b.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(difference(a, b), difference(a, shuffled))


def test_a_method_does_not_differ_from_itself():
    a = random_table(6)
    found = difference(a, a)
    assert (found[["difference", "low", "high"]] == 0).all(axis=None)
    assert (found[["p_bootstrap", "p_permutation"]] == 1).all(axis=None)


def test_the_other_way_round_is_the_other_sign():
    a, b = random_table(7), random_table(8)
    one, other = difference(a, b), difference(b, a)
    np.testing.assert_allclose(one["difference"], -other["difference"])
    np.testing.assert_allclose(one["low"], -other["high"], atol=1e-12)
    np.testing.assert_allclose(one["p_permutation"], other["p_permutation"])


def test_pairing_removes_what_both_methods_share():
    a = random_table(9, count=300)
    b = a.assign(AP=a["AP"] - 0.01 - 0.01 * np.random.default_rng(0).random(300))
    found = difference(a, b).loc["mAP"]
    assert 0.014 < found["low"] < found["difference"] < found["high"] < 0.016
    assert found["p_bootstrap"] < 0.001
    assert found["p_permutation"] < 0.001
    alone = interval(a).loc["mAP"]
    assert alone["high"] - alone["low"] > 10 * (found["high"] - found["low"])


def test_the_permutation_p_is_that_of_all_exchanges():
    pid = np.array([1, 1, 2, 3, 4, 5, 6, 7, 8])
    rng = np.random.default_rng(1)
    gaps = rng.normal(0.15, 0.3, 9)
    a, b = table(0.5 + gaps / 2, pid=pid), table(0.5 - gaps / 2, pid=pid)
    by_person = np.array([gaps[pid == person].sum() for person in range(1, 9)])
    sums = [abs(np.dot(s, by_person)) for s in itertools.product([1, -1], repeat=8)]
    exact = np.mean(np.array(sums) >= abs(by_person.sum()) - 1e-12)
    found = difference(a, b, resamples=40_000)["p_permutation"]["mAP"]
    assert 0.02 < exact < 0.5
    assert found == pytest.approx(exact, abs=0.01)


def simulated(rng, gap, persons=150):
    """Two methods, persons of 1 to 5 queries: easy and hard ones, and some that suit the first."""
    pid = np.repeat(np.arange(persons), rng.integers(1, 6, persons))
    easy = rng.normal(0.6, 0.15, persons)[pid]
    suited = rng.normal(gap, 0.06, persons)[pid]
    noise = rng.normal(0, 0.1, (2, len(pid)))
    return table(easy + suited + noise[0], pid=pid), table(easy + noise[1], pid=pid)


def test_the_95_percent_interval_covers_a_known_difference_in_95_percent_of_experiments():
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(400):
        found = difference(*simulated(rng, gap=0.02), resamples=1000).loc["mAP"]
        covered.append(found["low"] <= 0.02 <= found["high"])
    assert 0.92 <= np.mean(covered) <= 0.98


def test_methods_that_do_not_differ_are_called_different_in_5_percent_of_experiments():
    rng = np.random.default_rng(1)
    found = [
        difference(*simulated(rng, gap=0.0), resamples=1000).loc[
            "mAP", ["p_bootstrap", "p_permutation"]
        ]
        for _ in range(400)
    ]
    called = np.mean(np.array(found, dtype=float) < 0.05, axis=0)
    assert ((called > 0.02) & (called < 0.085)).all()


def test_drawing_queries_where_persons_matter_is_too_sure():
    rng = np.random.default_rng(2)
    widths = {
        unit: difference(*simulated(rng, 0.0), unit, resamples=1000).loc["mAP"]
        for unit in ("identity", "query")
    }
    width = {unit: found["high"] - found["low"] for unit, found in widths.items()}
    assert width["query"] < 0.9 * width["identity"]


def test_with_several_seeds_the_interval_covers_what_other_seeds_would_give():
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(200):
        a, b = simulated(rng, gap=0.02, persons=60)
        several = [
            [rows.assign(AP=rows["AP"] + rng.normal(0, 0.01)) for _ in range(8)] for rows in (a, b)
        ]
        found = difference(*several, resamples=500).loc["mAP"]
        covered.append(found["low"] <= 0.02 <= found["high"])
    assert 0.9 <= np.mean(covered) <= 0.99


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop(columns="pid"), "no column pid; unit='query' needs no pid"),
        (lambda t: t.drop(columns="AP"), "no column AP"),
        (lambda t: t.iloc[:0], "empty"),
        (lambda t: pd.concat([t, t]), "query twice"),
        (lambda t: t.iloc[1:], r"different queries \(200 and 199\)"),
        (lambda t: t.assign(query=t["query"] + 1), "different queries"),
        (lambda t: t.assign(pid=t["pid"] + 1), "different queries"),
        (lambda t: t.assign(AP=t["AP"].where(t["query"] > 0)), "holds NaN"),
    ],
)
def test_tables_that_cannot_be_compared_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        difference(random_table(0), change(random_table(1)))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"unit": "person"}, "identity or query"),
        ({"level": 95}, "0.95"),
        ({"resamples": 0}, "1 or more"),
    ],
)
def test_settings_out_of_range_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        interval(random_table(0), **settings)


def test_no_table_at_all_is_refused():
    with pytest.raises(ValueError, match="no per-query table"):
        interval([])


def test_tables_without_persons_can_be_drawn_by_query():
    rows = random_table(0).drop(columns="pid")
    assert interval(rows, "query").equals(interval(random_table(0), "query"))
