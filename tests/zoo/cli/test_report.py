"""`zoo report`."""

import pytest

from reports import build


@pytest.fixture
def folder(results):
    """A result folder with one run that is far from converged."""
    return results.parent.parent


def test_a_report_is_made_and_found_fresh(call, folder, tmp_path):
    status, out, _ = call("report", folder, "-o", tmp_path / "o", "--format", "md,csv")
    assert status == 0
    assert out.split() == [str(tmp_path / "o" / f"report.{ending}") for ending in ("md", "csv")]
    assert call("report", folder, "-o", tmp_path / "o", "--format", "md,csv", "--check")[0] == 0


def test_a_stale_report_fails_the_check_line_by_line(call, folder, tmp_path):
    call("report", folder, "-o", tmp_path, "--format", "csv")
    (tmp_path / "report.csv").write_text("old")
    status, _, err = call("report", folder, "-o", tmp_path, "--format", "csv", "--check")
    assert status == 1
    assert err.splitlines()[-1] == (
        f"stale: {tmp_path / 'report.csv'} is not what the records give now"
    )


def test_records_may_be_checked_before_a_report_is_made_of_them(call, folder):
    for old in folder.glob("report.*"):
        old.unlink()
    status, out, err = call("report", folder, "--check")
    assert status == 0 and "refused: " not in err and "stale: " not in err
    assert out.startswith("runs: 1, records: 1, hash: ") and out.count("\n") == 1
    call("report", folder, "--format", "md")
    (folder / "report.md").write_text("old")
    status, _, err = call("report", folder, "--check")
    assert status == 1 and "report.md is not what the records give now" in err


def test_what_cannot_be_shown_fails_the_check_line_by_line(call, finished_run):
    finished_run.weights.write_bytes(b"other")
    status, out, err = call("report", finished_run.path.parent.parent, "--check")
    lines = err.splitlines()
    assert status == 1 and lines[0].startswith("refused: copied/runs/sta-")
    assert all(line.startswith(("refused: ", "remark: ")) for line in lines)
    assert "refused: 0" not in out


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_what_did_not_converge_is_kept_on_request(call, folder, tmp_path, monkeypatch, check):
    kept, name = [], "stale" if check else "build"
    original = getattr(build, name)

    def spy(*arguments, keep_unconverged=False, **more):
        kept.append(keep_unconverged)
        return original(*arguments, keep_unconverged=keep_unconverged, **more)

    monkeypatch.setattr(build, name, spy)
    words = ["report", folder, "-o", tmp_path, "--format", "csv", *check]
    call(*words)
    call(*words, "--keep-unconverged")
    assert kept[0] is False and True in kept


def test_a_folder_that_is_none_is_named(call, tmp_path):
    status, _, err = call("report", tmp_path / "none")
    assert status == 1 and "none is no folder: name what `zoo bench --out` wrote" in err
    status, _, err = call("report", tmp_path)
    assert status == 2 and "no records to report on" in err


def test_a_file_that_cannot_be_read_is_left_out_and_told(finished_run, call):
    (finished_run.records / "x.json").write_text("{")
    status, _, err = call("report", finished_run.path.parent.parent, "--format", "md")
    assert status == 1 and "left out: " in err and "x.json" in err
