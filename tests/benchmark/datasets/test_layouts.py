import re
import sys
from pathlib import Path

import pytest
from benchmark.datasets.layouts import LAYOUTS, layout

from benchmark.datasets.catalogue import DATASETS
from benchmark.datasets.check.reference_counts import MARS_SHA256, OFFICIAL
from zoo.cli.app import main

DOCS = Path(__file__).parents[3] / "docs" / "datasets.md"


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["zoo", "data", "layout", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_every_data_set_has_a_layout():
    assert set(LAYOUTS) == {function.__name__ for function in DATASETS}


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_a_layout_is_printed_and_fits_a_terminal(monkeypatch, capsys, name):
    assert run(monkeypatch, name) == 0
    out = capsys.readouterr().out
    assert out.startswith("DIR/")
    tree = out.partition("\n\n")[0]
    assert max(map(len, tree.splitlines())) <= 100


def test_an_unknown_name_lists_near_misses(monkeypatch, capsys):
    assert run(monkeypatch, "duke") == 2
    assert "unknown data set 'duke': did you mean duke_video" in capsys.readouterr().err


def test_q24_the_layout_of_duke_tells_of_the_withdrawal_and_no_address_is_given_anywhere():
    assert "withdrawn" in layout("duke_video")
    assert not any(re.search(r"https?:|www\.", text) for text in LAYOUTS.values())


def test_every_data_set_is_documented():
    text = DOCS.read_text(encoding="utf-8")
    assert [name for name in LAYOUTS if f"`{name}`" not in text] == []


@pytest.mark.parametrize("name", OFFICIAL)
def test_documented_counts_are_those_that_are_checked(name):
    text = DOCS.read_text(encoding="utf-8").replace(",", "")
    numbers = set(re.findall(r"\d+", text))
    assert [n for n in OFFICIAL[name].values() if str(n) not in numbers] == []
    assert all(digest in text for digest in MARS_SHA256.values())


def test_every_quirk_is_numbered_once_and_has_a_test():
    rows = re.findall(r"^\| Q(\d+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [str(n) for n in range(1, len(rows) + 1)]
    tests = "".join(p.read_text(encoding="utf-8") for p in Path(__file__).parent.rglob("test_*.py"))
    tested = set(re.findall(r"def test_q(\d+)_", tests))
    assert set(rows) == tested
