"""What people see while they wait, outside notebooks."""

import re

import pytest

from zoo.experiment import live_progress
from zoo.experiment.live_progress import LiveProgress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""
    now = [100.0]
    monkeypatch.setattr(live_progress.time, "monotonic", lambda: now[0])
    return now


def test_a_log_file_gets_few_plain_lines(clock, capsys):
    with LiveProgress() as progress:
        assert not progress.live
        progress.begin("[1/1] sta, seed 0")
        for step in range(1, 101):
            clock[0] += 1
            progress.advance("train", step, 100)
        progress.note("report:")
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == "" and lines[0] == "[1/1] sta, seed 0" and lines[-1] == "report:"
    assert 5 <= len(lines) <= 10
    assert lines[1] == "  train 6/100, 5 s, about 1 min 18 s left"
    assert lines[2].startswith("  train 21/100, 20 s")
    assert lines[-2] == "  train 100/100, 1 min 39 s"


def test_the_clock_starts_anew_with_each_piece_of_work(clock, capsys):
    with LiveProgress() as progress:
        progress.advance("train", 0, 10)
        clock[0] += 50
        progress.advance("embed", 0, 10)
        clock[0] += 20
        progress.advance("embed", 5, 10)
    assert "embed 5/10, 20 s, about 20 s left" in capsys.readouterr().err


def test_the_clock_starts_anew_with_work_of_the_same_name(clock, capsys):
    with LiveProgress() as progress:
        for _ in range(2):
            clock[0] += 60
            progress.advance("embed", 2, 10)
            clock[0] += 1
            progress.advance("embed", 10, 10)
    assert capsys.readouterr().err == "  embed 10/10, 1 s\n" * 2


def test_no_bar_of_finished_work_stays(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with LiveProgress() as progress:
        progress.advance("score", 1, 1)
        assert not progress.bar.tasks
        progress.advance("cost", 0, 1)
        progress.begin("[2/2] sta, seed 0")
        assert not progress.bar.tasks


def test_a_bar_leaves_room_for_what_ctrl_c_prints(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    with LiveProgress() as progress:
        progress.advance("train", 3, 10)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    bars = [line for line in re.split(r"[\r\n]", shown) if "train" in line]
    assert bars and max(map(len, bars)) <= 77


def test_a_long_line_is_left_whole(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    with LiveProgress() as progress:
        progress.note("zoo inspect " + "results/" * 9)
    assert "results/" * 9 in capsys.readouterr().err


def test_a_terminal_gets_a_bar_that_goes(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with LiveProgress() as progress:
        assert progress.live
        progress.advance("train", 3, 10)
        assert progress.bar.tasks[0].completed == 3
        progress.advance("embed", 1, 4)
        assert [task.description for task in progress.bar.tasks] == ["  embed"]
        progress.note("a [line] that stays")
    assert "a [line] that stays" in capsys.readouterr().err


# ---- side by side --------------------------------------------------------------------------------


def test_work_that_goes_on_side_by_side_has_a_bar_each(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with LiveProgress() as progress:
        first, second = progress.line("[1/2] sta, on a"), progress.line("[2/2] nvan, on b")
        first.advance("train", 3, 10)
        second.advance("train", 1, 10)
        assert [task.description for task in progress.bar.tasks] == [
            "  [1/2] sta, on a: train",
            "  [2/2] nvan, on b: train",
        ]
        first.end()
        assert [task.completed for task in progress.bar.tasks] == [1]


def test_lines_of_a_log_file_say_whose_they_are(clock, capsys):
    with LiveProgress() as progress:
        progress.line("[2/2] nvan, on b").advance("train", 10, 10)
    assert capsys.readouterr().err == "  [2/2] nvan, on b: train 10/10, 0 s\n"
