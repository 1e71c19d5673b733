"""``zoo score``."""

import json


def test_a_run_is_scored_on_other_data_and_the_row_says_what_was_trained_on(
    finished_run, crowd, call
):
    words = ("--dataset", "folder[name=airport]", "--data-root", crowd, "--workers", "0", "--json")
    status, out, err = call("score", finished_run.path, *words)
    assert status == 0, err
    (row,) = json.loads(out)
    assert (row["dataset"], row["trained on"]) == ("folder[name=airport]", "folder")
    assert f"records: {finished_run.records}" in err
    results = finished_run.path.parent.parent
    assert call("report", results, "--format", "md")[0] == 0
    assert "trained on `folder`" in (results / "report.md").read_text()


def test_what_there_is_not_is_one_line(call, crowd, tmp_path):
    status, _, err = call("score", tmp_path / "no", "--dataset", "folder", "--data-root", crowd)
    assert status == 1 and err.count("\n") == 1 and "does not exist" in err
