"""A finished run opened to be looked into."""

import shutil

import numpy as np
import pytest

from benchmark.recipes import QUICK, RECIPES, replace
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.rescore import Rules, rescore
from zoo.tools.inspect_query import inspect
from zoo.tools.inspected_run import choose_queries, open_run


@pytest.fixture
def opened(finished_run, people):
    return open_run(finished_run.path, None, people)


def test_a_run_is_opened_under_the_data_set_s_own_protocol(inspected, people):
    assert open_run(inspected["sta"], None, people).label.protocol == "open"
    assert open_run(inspected["sta"], "mars-ap3d", people).label.protocol == "mars-ap3d"


def test_a_run_is_inspected_with_its_stored_settings_whatever_the_recipe_says_today(
    finished_run, people, monkeypatch
):
    changed = {"height": 32, "width": 16, "frames": 2, "test_frames": "all", "distance": "l2sq-raw"}
    monkeypatch.setitem(RECIPES, "quick", replace(QUICK, changed))
    run = open_run(finished_run.path, None, people)
    assert (run.recipe.height, str(run.recipe.rule)) == (64, "chunk-first4")
    row = int(run.per_query.index[0])
    (one,) = inspect(run, [row], top=3, device="cpu")
    assert one.strips[0].frames.shape == (4, 64, 32, 3)
    right = [strip.rank for strip in one.strips if strip.kind == "right"]
    assert right[0] == run.per_query.loc[row, "first"], "the ranking is the one that was scored"


def test_the_label_says_distance_and_frames(finished_run, people):
    rules = Rules(distance="l2sq-raw", frames="even2")
    rescore(finished_run.path, rules, data_root=people, options=ExecutionOptions(workers=0))
    run = open_run(finished_run.path, "open@1/l2sq-raw/even2", people)
    assert str(run.recipe.rule) == "even2" and run.recipe.evaluation.distance == "l2sq-raw"


def test_the_worst_queries_are_those_of_lowest_ap(opened):
    rows = choose_queries(opened, [], 2)
    assert set(opened.per_query.loc[rows, "AP"]) <= set(opened.per_query["AP"].nsmallest(2))
    given = int(opened.per_query["AP"].idxmax())
    assert choose_queries(opened, [given], 2)[0] == given


def test_a_row_that_is_no_query_names_the_nearest(opened):
    with pytest.raises(ValueError, match="test row 9999 is no query of open@1") as error:
        choose_queries(opened, [9999], 0)
    nearest = np.sort(opened.per_query.index[-3:])
    assert ", ".join(map(str, nearest)) in str(error.value)


def test_a_label_that_is_not_there_is_refused(finished_run, people):
    with pytest.raises(LookupError, match="did you mean open"):
        open_run(finished_run.path, "opne", people)


def test_a_run_without_records_is_not_finished(finished_run, people, tmp_path):
    shutil.rmtree(finished_run.records)
    with pytest.raises(FileNotFoundError, match="has no records: the run is not finished"):
        open_run(finished_run.path, None, people)
    with pytest.raises(FileNotFoundError, match="is no run"):
        open_run(tmp_path, None, people)
