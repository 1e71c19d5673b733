"""``zoo report``."""

import pytest

from reports import build


def test_a_report_is_made_from_a_result_folder(results, call, tmp_path):
    folder = results.parent.parent
    status, out, _ = call("report", folder, "-o", tmp_path, "--format", "md,csv")
    assert status == 0
    assert out.split() == [str(tmp_path / "report.md"), str(tmp_path / "report.csv")]


def test_a_stale_report_is_found(results, call, tmp_path):
    words = ["report", results.parent.parent, "-o", tmp_path, "--format", "md"]
    assert call(*words)[0] == 0 and call(*words, "--check")[0] == 0
    (tmp_path / "report.md").write_text("old")
    status, _, err = call(*words, "--check")
    assert status == 1 and "report.md is not what the records give now" in err


def test_a_folder_that_is_not_there_is_named(call, tmp_path):
    status, _, err = call("report", tmp_path / "x")
    assert status == 1 and "is no folder: name what `zoo bench --out` wrote" in err
    status, _, err = call("report", tmp_path)
    assert status == 2 and "no records to report on" in err


def test_a_file_that_cannot_be_read_is_left_out_and_told(finished_run, call):
    (finished_run.records / "x.json").write_text("{")
    status, _, err = call("report", finished_run.path.parent.parent, "--format", "md")
    assert status == 1 and "left out: " in err and "x.json" in err


@pytest.mark.parametrize(("check", "name"), [([], "build"), (["--check"], "stale")])
def test_what_did_not_converge_is_kept_on_request(
    call, finished_run, tmp_path, monkeypatch, check, name
):
    kept, original = [], getattr(build, name)

    def watched(*arguments, keep_unconverged=False):
        kept.append(keep_unconverged)
        return original(*arguments, keep_unconverged=keep_unconverged)

    monkeypatch.setattr(build, name, watched)
    words = ["report", finished_run.path.parent.parent, "-o", tmp_path, "--format", "csv", *check]
    call(*words)
    call(*words, "--keep-unconverged")
    assert kept == [False, True]
