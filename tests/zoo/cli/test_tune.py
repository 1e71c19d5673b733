"""`zoo tune` from the command line."""

import json

import pytest

from tests.conftest import TINY_SET

SMALL = [*TINY_SET, "--set", "warmup=0", "--recipe", "quick", "--folds", "2", "--workers", "0"]


def tune(call, crowd, out, *more, methods="sta"):
    words = ["--methods", methods, "--dataset", "folder", "--data-root", crowd, "--out", out]
    return call("tune", *words, *SMALL, "--device", "cpu", *more)


def test_a_search_ends_with_a_report_and_what_each_method_spent(call, crowd, tmp_path):
    more = ["--trials", "2", "--search", "lr=log:1e-4:1e-2,sta.regularisation=log:0.1:10"]
    status, out, err = tune(call, crowd, tmp_path / "o", *more)
    assert status == 0 and out.startswith("dataset\ttraining\t") and "\tsta" in out
    assert f"report: {tmp_path / 'o' / 'report.md'}" in err
    assert "## Tuning" in (tmp_path / "o" / "report.md").read_text()
    assert "sta, trial 1/2: lr=0.0008, weight_decay=5e-05, triplet=0.4" in err
    assert "sta: 2 trials, " in err and " clips, 0.00 h" in err
    (study,) = (tmp_path / "o" / "tuning").glob("*.json")
    assert f"study: {study}" in err
    assert json.loads(study.read_text())["space"]["name"] == "unified@1+lr,sta.regularisation"
    again, out, err = tune(call, crowd, tmp_path / "o", *more)
    assert again == 0 and "trial" not in err.replace("2 trials", "") and "train" not in err


def test_a_budget_in_clips_ends_the_search(call, crowd, tmp_path):
    status, _, err = tune(call, crowd, tmp_path, "--trials", "9", "--budget", "10")
    assert status == 0 and "sta: 1 trials, 16 clips" in err


def test_a_dry_run_writes_nothing(call, crowd, tmp_path):
    status, out, err = tune(call, crowd, tmp_path / "o", "--dry-run", methods="sta,nvan")
    header, *rows = [line.split("\t") for line in out.strip().splitlines()]
    assert status == 0 and header == ["method", "trials", "final_runs", "at_most"]
    assert [row[:3] for row in rows] == [["sta", "20", "2"], ["nvan", "20", "2"]]
    assert "successive halving" in err and not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        (["--space", "unified@7"], 2, "unknown space 'unified@7'"),
        (["--space", "none.toml"], 1, "none.toml does not exist"),
        (["--search", "lrr=log:1e-5:1e-3"], 2, "did you mean lr"),
        (["--search", "stta.blocks=choice:2|4"], 2, "did you mean sta"),
        (["--search", "sta.block=choice:2|4"], 2, "did you mean blocks"),
        (["--search", "lr=log:1e-3:1e-5"], 2, "the range 0.001 to 1e-05 is empty"),
        (["--search", "sta.blocks=choice:3|4"], 2, "K = 3 blocks do not divide"),
        (["--trials", "0"], 2, "trials"),
        (["--budget", "0"], 2, "budget '0': expected training clips, e.g. 2000000, or hours"),
        (["--budget", "2d"], 2, "budget '2d': expected"),
        (["--budget", "nanh"], 2, "budget 'nanh': expected"),
        (["--folds", "1"], 2, "folds"),
        (["--folds", "20"], 2, "take --folds 5 or fewer"),
        (["--set", "epochs=0"], 2, "nothing would be trained"),
        (["--set", "epoch=1"], 2, "did you mean epochs"),
        (["--protocol", "mars"], 2, "unknown protocol"),
    ],
)
def test_wrong_use_is_one_line_and_writes_nothing(call, crowd, tmp_path, more, status, says):
    found, out, err = tune(call, crowd, tmp_path / "o", *more)
    assert (found, out) == (status, "") and says in err
    assert len(err.strip().splitlines()) == 1 and not (tmp_path / "o").exists()


def test_an_empty_space_and_a_file_that_is_none_are_one_line(call, crowd, tmp_path):
    for text, says in (("", "is empty: there is nothing to choose"), ("[[", "no search space")):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        status, _, err = tune(call, crowd, tmp_path / "o", "--space", path)
        assert status == 2 and says in err and len(err.strip().splitlines()) == 1
    assert not (tmp_path / "o").exists()


def test_a_search_in_which_all_diverged_fails_in_one_line(call, crowd, tmp_path):
    more = ["--trials", "2", "--set", "lr=1e28", "--search", "lr=log:1e27:1e30"]
    status, out, err = tune(call, crowd, tmp_path, *more)
    assert (status, out) == (1, "")
    assert err.strip().splitlines()[-1].startswith("zoo: sta: all of 2 trials diverged: lower")
    assert not (tmp_path / "report.md").exists() and not list(tmp_path.rglob("tuning/*.json"))


def test_the_help_quotes_what_a_shell_would_read(call):
    _, out, _ = call("tune", "--help")
    assert "'lr=log:1e-5:1e-3,sta.regularisation=log:0.01:10'" in " ".join(out.split())
