"""Progress: silent unless somebody listens, and times as people read them."""

import inspect

import pytest

from benchmark.progress import SILENT, Progress, duration


def test_nobody_is_told_anything(capsys):
    SILENT.begin("[1/2] sta, seed 0")
    SILENT.advance("train", 1, 2)
    SILENT.note("slow")
    assert capsys.readouterr() == ("", "")


def test_the_silent_one_takes_what_every_progress_takes():
    for name in ("begin", "advance", "note"):
        wanted = list(inspect.signature(getattr(Progress, name)).parameters)[1:]
        assert list(inspect.signature(getattr(SILENT, name)).parameters) == wanted


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (90000, "25 h 0 min"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds, text):
    assert duration(seconds) == text
