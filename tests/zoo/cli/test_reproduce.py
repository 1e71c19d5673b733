"""``zoo reproduce``."""

import json

import pytest

from tests.conftest import TINY_SET


@pytest.fixture
def reproduce(call, people, tmp_path):
    def run(table, *more):
        words = ["reproduce", table, "--dataset", "folder", "--data-root", people, "--workers", "0"]
        words += ["--recipe", "quick", *TINY_SET, "--set", "epochs=0", "--json"]
        return call(*words, "--out", tmp_path / "o", *more)

    return run


def test_measured_stands_beside_printed_in_one_result_folder(reproduce, tmp_path):
    status, out, err = reproduce("sta/4")
    rows = json.loads(out)
    assert status == 0 and {"printed", "measured", "difference"} <= set(rows[0])
    assert f"next: zoo report {tmp_path / 'o'}" in err and "left out: " in err


def test_a_dry_run_lists_the_rows_with_their_hours(reproduce, tmp_path):
    status, out, err = reproduce("stenvan/2", "--dry-run", "--set", "epochs=5000")
    rows = json.loads(out)
    assert status == 0 and len(rows) == 3
    assert all(row["hours"] > 0 for row in rows) and "3 runs, about " in err
    assert len({row["recipe"] for row in rows}) == 3 and not (tmp_path / "o").exists()


@pytest.mark.parametrize("table", ["stenvan", "stenvan/9", "stenvam/1"])
def test_an_unknown_table_is_one_line_with_those_there_are(reproduce, table):
    status, _, err = reproduce(table)
    assert status == 2 and "stenvan/1" in err and "Traceback" not in err
