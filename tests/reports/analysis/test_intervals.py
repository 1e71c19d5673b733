import numpy as np
import pandas as pd
import pytest

from reports.analysis import intervals
from reports.analysis.groups import groups
from reports.read.results import collect

LOW, HIGH = [0.25, 0.3125, 0.375, 0.25] * 10, [0.75, 0.8125, 0.875, 0.75] * 10


@pytest.fixture
def rows(empty, fake):
    """Writes records of ``(method, seed, AP of each query, changes)``; the rows of their table."""

    def rows(*records, resamples=500):
        for method, seed, ap, *changes in records:
            fake.scored(empty, method, seed, ap, **(changes[0] if changes else {}))
        (group,) = groups(collect([empty]).frame, resamples)
        return group.rows.set_index("name")

    return rows


def test_the_best_is_marked_and_what_is_surely_behind_is_not_a_tie(rows):
    found = rows(("nvan", 0, HIGH), ("sta", 0, LOW))
    assert list(found["mAP_mark"]) == [intervals.BEST, intervals.WORSE]
    assert found.at["sta", "mAP_behind"] == pytest.approx(0.5)
    assert np.isnan(found.at["nvan", "mAP_behind"])
    assert np.isnan(found.at["sta", "mAP_behind_low"]), "every draw gives the same, so no interval"


def test_a_score_lies_in_its_interval_and_a_metric_without_one_stays_missing(rows):
    found = rows(("nvan", 0, HIGH), ("sta", 0, LOW))
    for metric in ("mAP", "mINP"):
        assert (found[f"{metric}_low"] <= found[metric]).all()
        assert (found[metric] <= found[f"{metric}_high"]).all()
    assert set(found["resamples"]) == {500}


def test_where_every_query_is_solved_there_is_no_interval(rows):
    found = rows(("nvan", 0, [1.0] * 10), ("sta", 0, LOW))
    for metric in ("mAP", "R1"):
        assert found.loc["nvan", [f"{metric}_low", f"{metric}_high"]].isna().all()
    assert found["tested"].all() and found.at["sta", "mAP_low"] < found.at["sta", "mAP_high"]


def test_the_same_results_tie(rows):
    shifted = [*HIGH[1:], HIGH[0]]
    shifted[0] -= 0.0625
    assert rows(("nvan", 0, HIGH), ("sta", 0, shifted)).at["sta", "mAP_mark"] == intervals.TIE


def test_another_seed_that_differs_widens_the_interval(rows):
    one = rows(("nvan", 0, HIGH)).loc["nvan"]
    two = rows(("nvan", 1, LOW)).loc["nvan"]  # the first seed is still there
    assert one["mAP_high"] - one["mAP_low"] < 0.1
    assert two["mAP_high"] - two["mAP_low"] > 0.3


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text(""),
        lambda path: path.write_text("query,AP\n1,0.5\n"),
        lambda path: path.write_text("query,pid,AP,first\n1,1,,3\n"),
    ],
    ids=["missing", "empty", "without persons", "with a hole"],
)
def test_a_row_without_usable_files_is_not_tested_and_never_zero(rows, empty, spoil):
    rows(("nvan", 0, HIGH), ("sta", 0, LOW))
    spoil(next(empty.glob("runs/sta-*/records/*.csv")))
    (group,) = groups(collect([empty]).frame, 500)
    found = group.rows.set_index("name")
    assert found.at["sta", "mAP_mark"] == intervals.UNTESTED
    assert np.isnan(found.at["sta", "mAP_low"]) and not np.isnan(found.at["nvan", "mAP_low"])


def test_methods_scored_on_other_queries_are_not_tested(rows):
    found = rows(("nvan", 0, HIGH), ("sta", 0, LOW[:20]))
    assert found.at["sta", "mAP_mark"] == intervals.UNTESTED


def test_several_splits_are_several_test_sets_and_not_tested(rows):
    found = rows(("nvan", 0, HIGH), ("nvan", 0, HIGH, {"split": 1}), ("sta", 0, LOW))
    assert (
        np.isnan(found.at["nvan", "mAP_low"]) and found.at["sta", "mAP_mark"] == intervals.UNTESTED
    )


def test_a_row_alone_has_an_interval_and_no_mark(rows):
    found = rows(("nvan", 0, HIGH))
    assert found.at["nvan", "mAP_mark"] == intervals.UNTESTED and found.at["nvan", "mAP_low"] > 0


@pytest.mark.parametrize(
    ("persons", "methods", "resamples"), [(120, 6, 10_000), (120, 100, 6_000), (5_000, 900, 1_000)]
)
def test_a_large_report_draws_fewer_times_but_never_few(persons, methods, resamples):
    table = pd.DataFrame({"pid": np.arange(persons)})
    found = {str(i): [table] for i in range(methods)}
    assert intervals.resamples_for([found]) == resamples


def test_without_any_file_nothing_is_drawn():
    assert intervals.resamples_for([{}]) == 0
