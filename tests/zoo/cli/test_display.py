"""Tables for people and for programs."""

import json
import re
import sys

import pytest

from zoo.cli.display import show

ROWS = [{"name": "sta", "mAP": 12.3456, "note": None}, {"name": "[x]", "mAP": 1e-5, "note": "a"}]


def test_a_pipe_gets_tabs(capsys):
    show(ROWS, as_json=False)
    assert capsys.readouterr().out == "name\tmAP\tnote\nsta\t12.35\t\n[x]\t1e-05\ta\n"


def test_json_has_every_digit(capsys):
    show(ROWS, as_json=True)
    assert json.loads(capsys.readouterr().out) == ROWS


def test_a_terminal_gets_a_table_in_which_brackets_stay(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show(ROWS, as_json=False, title="found")
    printed = capsys.readouterr().out
    assert "found" in printed and "[x]" in printed and "12.35" in printed


@pytest.fixture
def printed(capsys, monkeypatch):
    """What a terminal of so many columns shows of rows."""

    def show_at(width, rows):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(width))
        show(rows, as_json=False)
        return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)

    return show_at


LABEL = "mars-official@1/cos-bn/chunk-first8"
LONG = [
    {"name": f"resnet50_avg[stem_activation={value}]", "mAP": 45.4, "label": LABEL, "about": about}
    for value, about in (("false", "one two three " * 9), ("true", "short"))
]


@pytest.mark.parametrize("width", [40, 80, 160])
def test_no_name_and_no_label_is_cut_or_folded(printed, width):
    lines = printed(width, LONG).splitlines()
    for row in LONG:
        assert any(row["name"] in line for line in lines)
    assert sum(LABEL in line for line in lines) == 2
    assert " ".join(" ".join(lines).split()).count("one two three") >= 9 or width == 160


def test_words_are_wrapped_to_the_width(printed):
    assert max(map(len, printed(80, LONG).splitlines())) <= 80


def test_a_value_stands_beside_its_name_on_a_narrow_terminal(printed):
    rows = [{"field": "file", "value": "/a" * 60}, {"field": "seed", "value": "[0]"}]
    assert printed(80, rows).splitlines() == [f"file  {'/a' * 60}", "seed  [0]"]


def test_brackets_stay_in_titles_of_columns(printed):
    assert "sta[blocks=8]" in printed(80, [{"part": "stem", "sta[blocks=8]": 1.5}])


def test_nothing_is_printed_of_nothing(capsys):
    show([], as_json=False)
    assert capsys.readouterr().out == ""
