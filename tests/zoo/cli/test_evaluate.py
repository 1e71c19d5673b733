"""``zoo eval``."""

import json

import pytest


@pytest.fixture
def evaluate(call):
    def run(source, *more):
        status, out, err = call("eval", source, "--workers", "0", *more, "--json")
        return status, json.loads(out) if out else [], err

    return run


def test_a_run_is_scored_as_before_unless_something_is_said(finished_run, evaluate):
    (entry,) = finished_run.read_records()
    status, (row,), err = evaluate(finished_run.path)
    assert status == 0, err
    assert (row["label"], row["dataset"]) == (entry.label, "folder")
    assert row["mAP"] == round(100 * entry.metrics["mAP"], 2) and row["queries"] == entry.queries


def test_all_protocols_and_another_distance_are_records_of_the_run(finished_run, evaluate, call):
    status, rows, err = evaluate(finished_run.path, "--protocol", "all", "--distance", "l2sq-raw")
    assert status == 0 and {row["label"] for row in rows} == {"open@1/l2sq-raw/chunk-first4"}
    stored = {entry.label: entry for entry in finished_run.read_records()}
    assert {row["label"] for row in rows} < set(stored)
    assert stored["open@1/l2sq-raw/chunk-first4"].command.startswith("zoo eval")
    results = finished_run.path.parent.parent
    assert f"next: zoo report {results}" in err
    assert call("report", results, "--format", "md")[0] == 0
    assert "open@1/l2sq-raw/chunk-first4" in (results / "report.md").read_text()


def test_other_frames_are_embedded_from_the_data(finished_run, people, evaluate):
    status, (row,), _ = evaluate(finished_run.path, "--frames", "all2", "--data-root", people)
    assert status == 0 and row["label"] == "open@1/cos-bn/all2"


def test_only_the_re_ranked_scores_are_shown_where_they_are_asked_for(finished_run, evaluate):
    status, (row,), _ = evaluate(finished_run.path, "--rerank", "kr(4,2,0.3)")
    assert status == 0 and row["label"] == "open@1/cos-bn/chunk-first4/kr(4,2,0.3)"


def test_an_embedding_file_is_scored_without_a_record(finished_run, evaluate):
    (file,) = finished_run.all_embeddings()
    before = len(finished_run.read_records())
    status, (row,), _ = evaluate(file, "--protocol", "mars-ap3d")
    assert status == 0 and row["label"] == "mars-ap3d@1/cos-bn/chunk-first4"
    assert row["dataset"] == file.stem and len(finished_run.read_records()) == before


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--protocol", "opne"], "did you mean open"),
        (["--distance", "cos"], "did you mean cos-bn"),
        (["--frames", "middle"], "unknown frame rule"),
        (["--rerank", "best"], "is no re-ranking"),
    ],
)
def test_wrong_use_is_one_line(results, evaluate, more, says):
    status, _, err = evaluate(results, *more)
    assert status == 2 and says in err and len(err.splitlines()) == 1


def test_a_folder_that_is_no_run_is_named(tmp_path, evaluate):
    status, _, err = evaluate(tmp_path)
    assert status == 1 and f"{tmp_path} is no run" in err
