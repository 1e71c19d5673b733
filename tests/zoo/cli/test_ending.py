"""How a benchmark ends on a terminal."""

import re
import sys

import pytest

from reports.build import build
from tests.zoo.conftest import ask
from zoo.cli.ending import end_with
from zoo.experiment.execute import execute
from zoo.experiment.plan import plan


@pytest.fixture(scope="module")
def finished(people, tmp_path_factory):
    """A report on three methods, and their plan."""
    out = tmp_path_factory.mktemp("ending")
    planned = plan(
        ask(people, out, methods="sta[blocks=2],stenvan,nlam_nltp", changes={"epochs": 0})
    )
    assert execute(planned) == []
    return build([out], out), planned


@pytest.fixture
def printed(finished, capsys, monkeypatch):
    """What a terminal of so many columns shows at the end, line by line."""

    def at(width):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(width))
        end_with(*finished)
        out, err = capsys.readouterr()
        return re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines(), err.splitlines()

    return at


@pytest.mark.parametrize("width", [80, 160])
def test_names_intervals_and_label_stand_whole_in_the_leaderboard(printed, width):
    lines, _ = printed(width)
    assert any("open@1/cos-bn/chunk-first4" in line for line in lines[:4])
    for name in ("sta[blocks=2]", "stenvan", "nlam_nltp"):
        (row,) = (line for line in lines if line.startswith(f"{name} "))
        assert re.search(r"\d–\d", row) or " none" in row
    assert max(map(len, lines[4:])) <= width


def test_a_wide_terminal_shows_more(printed):
    wide, narrow = " ".join(printed(200)[0]), " ".join(printed(60)[0])
    assert "mINP" in wide and "mINP" not in narrow and "mAP" in narrow


def test_doubts_stand_below_the_numbers(printed):
    assert any("Only 3 test persons" in line for line in printed(80)[0])


def test_it_says_where_the_report_is_and_what_to_type_next(printed, finished):
    _, lines = printed(80)
    _, planned = finished
    assert f"report: {planned.out / 'report.md'}" in lines
    assert f"report: {planned.out / 'report.html'}" in lines
    assert any(line.startswith(f"next: zoo inspect {planned.out / 'runs'}/") for line in lines)
    assert f"next: zoo compare {planned.out}" in lines
