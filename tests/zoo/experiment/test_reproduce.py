"""`zoo reproduce`: which rows of a printed table are run, how, and what stands beside them."""

import json

import pytest

from benchmark import record
from tests.conftest import TINY_SET
from zoo.experiment.reproduce import find


@pytest.fixture
def reproduce(call, people, tmp_path):
    """`zoo reproduce` of a table on the tiny data set."""
    places = ["--dataset", "folder", "--data-root", people, "--out", tmp_path, "--workers", "0"]

    def run(table, *more):
        return call("reproduce", table, *places, "--recipe", "quick", *TINY_SET, "--json", *more)

    return run


def test_rows_that_differ_in_clip_length_change_the_recipe():
    _, rows, why = find("stenvan/2", "mars")
    assert [row.changes for row in rows] == [{"frames": 4}, {"frames": 6}, {"frames": 8}]
    assert why == []


def test_only_the_test_clips_differ_where_the_paper_kept_the_weights():
    _, rows, _ = find("sta/2", "mars")
    assert [row.changes["test_frames"] for row in rows] == [f"chunk-first{n}" for n in (2, 4, 6, 8)]


def test_the_baseline_of_sta_is_told_apart_by_its_loss():
    _, rows, _ = find("sta/1", "mars")
    assert [row.changes for row in rows[:3]] == [
        {"losses": ("cross_entropy",)},
        {"losses": ("cross_entropy", "triplet"), "triplet": 0.3},
        {},
    ]


def test_a_row_that_cannot_be_run_says_why():
    _, rows, why = find("resnet3d/3", "mars")
    assert [row.system for row in rows] == ["ImageNet"] and len(why) == 2


def test_figures_of_the_user_s_data_set_are_preferred():
    cells, _, _ = find("stenvan/1", "duke_video")
    assert set(cells["dataset"].dropna()) == {"duke_video"}
    cells, _, _ = find("stenvan/1", "synthetic[occlusion=0.5]")
    assert set(cells["dataset"].dropna()) == {"mars", "duke_video"}


@pytest.mark.parametrize("table", ["stenvan", "stenvan/9", "stenvam/1"])
def test_an_unknown_table_is_one_line_with_those_there_are(reproduce, table):
    status, _, err = reproduce(table)
    assert status == 2 and "stenvan/1" in err and "Traceback" not in err


def test_measured_stands_beside_printed(reproduce, tmp_path):
    status, out, err = reproduce("stenvan/3", "--seeds", "2")
    rows = [row for row in json.loads(out) if row["printed_on"] == "mars"]
    assert status == 0 and "zoo report" in err
    assert [row["system"] for row in rows if row["metric"] == "R1"] == [
        "1 layer",
        "3 layers",
        "5 layers",
    ]
    found = [record.load(path) for path in sorted(tmp_path.glob("runs/*/records/*.json"))]
    for row in rows:
        same = [100 * r.metrics[row["metric"]] for r in found if r.method == row["method"]]
        assert len(same) == row["runs"] == 2
        assert row["measured"] == pytest.approx(sum(same) / 2, abs=0.01)
        assert row["difference"] == pytest.approx(row["measured"] - row["printed"], abs=0.011)
        assert row["measured_on"] == "folder"


def test_weights_are_shared_by_rows_that_differ_in_test_clips_alone(reproduce, tmp_path):
    status, out, _ = reproduce("sta/2")
    assert status == 0
    found = [record.load(path) for path in sorted(tmp_path.glob("runs/*/records/*.json"))]
    assert len(found) == 4 and len({one.checkpoint for one in found}) == 1
    assert len(list(tmp_path.glob("runs/*/checkpoint.pt"))) == 1
    assert len({row["label"] for row in json.loads(out)}) == 4


def test_a_re_ranked_row_is_the_same_run_scored_after_re_ranking(reproduce, tmp_path):
    status, out, _ = reproduce("sta/4")
    rows = [row for row in json.loads(out) if row["metric"] == "R1"]
    labels = {row["system"]: row["label"] for row in rows}
    assert status == 0
    assert labels["STA + ReRank"] == labels["STA"] + "/kr(20,6,0.3)"
    assert len(list(tmp_path.glob("runs/*/weights.safetensors"))) == 1
