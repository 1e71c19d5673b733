"""``zoo inspect``."""

import pytest

from reports.read import inspection


def test_pictures_are_written_and_the_report_shows_them(finished_run, people, call):
    folder, results = finished_run.path, finished_run.path.parent.parent
    status, out, err = call("inspect", folder, "--worst", 1, "--data-root", people)
    assert status == 0, err
    for path in out.split():
        assert path.startswith(str(folder / "inspect" / "open@1_cos-bn_chunk-first4" / "query-"))
    (told,) = folder.glob("inspect/*/*.json")
    assert inspection.load(told).method == "sta"
    assert call("report", results)[0] == 0
    report = (results / "report.md").read_text()
    assert "## Inspected queries" in report and "](inspected/sta-" in report
    assert 'class="strip query"' in (results / "report.html").read_text()


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        (["--query", "9999"], 2, "test row 9999 is no query of open@1"),
        (["--label", "opne"], 2, "did you mean open"),
        (["--worst", "0"], 2, "worst"),
        (["--data-root", "/no/such/folder"], 1, "/no/such/folder is no folder"),
    ],
)
def test_wrong_use_is_one_line(results, people, call, more, status, says):
    found, _, err = call("inspect", results, "--data-root", people, *more)
    lines = [line for line in err.splitlines() if line.startswith("zoo: ")]
    assert found == status and len(lines) == 1 and says in lines[0]


def test_a_folder_that_is_no_run_is_named(tmp_path, call):
    status, _, err = call("inspect", tmp_path)
    assert status == 1 and f"{tmp_path} is no run" in err
