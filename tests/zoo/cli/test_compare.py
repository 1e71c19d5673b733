"""``zoo compare``."""

import json
import shutil

import pytest


def test_pages_are_written_and_differences_printed(finished_run, people, call):
    again = finished_run.path.parent / "sta-again"
    shutil.copytree(finished_run.path, again)
    spec = json.loads((again / "spec.json").read_text())
    (again / "spec.json").write_text(json.dumps(spec | {"seed": 1}))
    results = finished_run.path.parent.parent
    assert call("inspect", finished_run.path, "--worst", 1, "--data-root", people)[0] == 0
    status, out, err = call("compare", results, "--data-root", people)
    assert status == 0, err
    assert out.splitlines()[0].startswith("a\tb\tmetric\tdifference\tlow\thigh")
    assert out.splitlines()[1].startswith("sta (seed 0)\tsta (seed 1)\tmAP\t0")
    page = (results / "compare" / "compare.html").read_text()
    assert "Where attention looked" in page and (results / "compare" / "compare.md").is_file()


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        ([], 2, "two runs or more, there is one alone: sta-"),
        (["--methods", "nvan"], 2, "unknown method of these runs, 'nvan'"),
        (["/no/such/run"], 1, "/no/such/run is no run"),
    ],
)
def test_wrong_use_is_one_line(results, call, more, status, says):
    found, _, err = call("compare", results, *more)
    lines = [line for line in err.splitlines() if line.startswith("zoo: ")]
    assert found == status and len(lines) == 1 and says in lines[0]
    assert not (results / "compare").exists()
