"""`zoo reproduce`: which rows of a printed table are run, how, and what stands beside them."""

import json

import pytest

from benchmark import record
from tests.conftest import TINY_SET


@pytest.fixture
def reproduce(call, people, tmp_path):
    """`zoo reproduce` of a table on the tiny data set."""
    places = ["--dataset", "folder", "--data-root", people, "--out", tmp_path, "--workers", "0"]

    def run(table, *more):
        return call("reproduce", table, *places, "--recipe", "quick", *TINY_SET, "--json", *more)

    return run


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


def test_a_row_that_does_not_fit_the_recipe_is_left_out_with_its_reason(reproduce):
    status, out, err = reproduce("stenvan/4", "--dry-run")
    assert status == 0 and [row["system"] for row in json.loads(out)] == ["S = 4"]
    assert "left out: S = 8: nvan_s[stripes=8] under recipe quick" in " ".join(err.split())
    assert "do not divide the 4 rows of stage 3" in " ".join(err.split())


def test_a_table_of_which_no_row_fits_is_one_line(reproduce, tmp_path):
    status, out, err = reproduce("stenvan/4", "--set", "height=66", "--dry-run")
    assert status == 2 and out == "" and not list(tmp_path.iterdir())
    assert "no row of the table can be run: nvan_s[stripes=4] under recipe quick" in err


def test_a_row_printed_from_kinetics_is_compared_only_if_it_starts_from_what_was_named(
    reproduce, call, people, tmp_path
):
    status, out, err = reproduce("resnet3d/2", "--set", "epochs=0")
    assert status == 0 and {row["system"] for row in json.loads(out)} == {"Baseline"}
    assert "ResNet3D-50 starts from weights of kinetics" in err and "--start kinetics=" in err
    before = tmp_path / "before"
    words = ["--dataset", "folder", "--data-root", people, "--out", before, "--workers", "0"]
    words += ["--recipe", "quick", *TINY_SET, "--set", "epochs=0"]
    assert call("train", "--methods", "resnet3d50", *words)[0] == 0
    (weights,) = before.glob("runs/*/weights.safetensors")
    start = ["--start", f"kinetics={weights}", "--set", "epochs=0"]
    status, out, err = reproduce("resnet3d/2", *start)
    rows = {row["system"]: row for row in json.loads(out)}
    assert status == 0 and set(rows) == {"Baseline", "ResNet3D-50"}
    assert str(weights) in rows["ResNet3D-50"]["recipe"]
    assert str(weights) not in rows["Baseline"]["recipe"]
    assert "left out: ResNet3D-50 NL: " in err and "does not fit" in err


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("kinetics", "is not NAME=WEIGHTS"),
        ("imagenet=x.safetensors", "expected reid or kinetics"),
        ("kinetics=no.safetensors", "does not exist"),
    ],
)
def test_a_start_that_cannot_be_is_one_line(reproduce, start, said):
    status, out, err = reproduce("resnet3d/3", "--start", start)
    assert status in (1, 2) and said in " ".join(err.split()) and out == ""


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
