"""Tables for people and for programs."""

import json
import sys

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


def test_nothing_is_printed_of_nothing(capsys):
    show([], as_json=False)
    assert capsys.readouterr().out == ""
