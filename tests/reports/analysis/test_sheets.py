import pandas as pd
import pytest

from reports.analysis import sheets
from reports.analysis.groups import groups
from reports.analysis.sheets import Cell, bold_best, interval, numbers, percent
from reports.read.results import collect

HIGH, LOW = [0.75, 0.875, 0.75, 0.625] * 10, [0.25, 0.375, 0.25, 0.125] * 10


@pytest.fixture
def group(empty, fake):
    """Writes ``(method, seed, AP of each query, changes)`` and gives their only group."""

    def group(*records, resamples=300):
        for method, seed, ap, *changes in records:
            fake.scored(empty, method, seed, ap, **(changes[0] if changes else {}))
        (found,) = groups(collect([empty]).frame, resamples)
        return found

    return group


def column(columns, title):
    (found,) = [column for column in columns if column.title == title]
    return [cell.text for cell in found.cells]


def test_methods_that_share_a_letter_stand_in_the_table_with_it(group):
    almost = [*HIGH[1:], HIGH[0]]
    found = group(("a", 0, HIGH), ("b", 0, almost), ("c", 0, LOW))
    letters = dict(
        zip(
            column(sheets.accuracy(found), "Method"),
            column(sheets.accuracy(found), "Group"),
            strict=True,
        )
    )
    assert letters == {"a": "a", "b": "a", "c": "b"}
    assert any("share a letter" in note for note in sheets.accuracy_notes(found, "between seeds"))


def test_the_matrix_says_how_probably_the_row_is_better_than_the_column(group):
    matrix = sheets.better(group(("a", 0, HIGH), ("c", 0, LOW)))
    assert [column.title for column in matrix.columns] == ["", "Method", "1", "2", "Group"]
    assert [[cell.text for cell in column.cells] for column in matrix.columns] == [
        ["1", "2"],
        ["a", "c"],
        ["", "< 1"],
        ["> 99", ""],
        ["a", "b"],
    ]


def test_one_method_has_no_matrix_and_no_letter(group):
    found = group(("a", 0, HIGH))
    assert sheets.better(found) is None
    assert "Group" not in [column.title for column in sheets.accuracy(found)]


def test_a_large_matrix_is_cut_to_the_best_and_says_so(group, monkeypatch):
    monkeypatch.setattr(sheets, "MOST_PAIRS", 2)
    matrix = sheets.better(group(("a", 0, HIGH), ("b", 0, LOW), ("c", 0, [0.0625] * 40)))
    assert column(matrix.columns, "Method") == ["a", "b"]
    assert "shown: the best 2 of 3 methods" in matrix.notes


def test_an_unsteady_latency_carries_a_sign_that_the_notes_explain(group, fake):
    busy = {**fake.cost, "latency_ms": 457.0, "latency_iqr_ms": 267.0}
    found = group(("a", 0, HIGH, {"cost": busy}), ("b", 0, LOW))
    (latency,) = [c for c in sheets.costs(found) if c.title == "Latency (ms)"]
    assert [cell.sign for cell in latency.cells] == ["‡", ""]
    assert any(
        note.startswith("‡ unsteady") and "10 %" in note for note in sheets.cost_notes(found)
    )


def test_own_and_tuned_recipes_stand_in_the_table(group):
    tuned = {"recipe": "quick[lr=0.1]", "selection": "tuned: one"}
    assert column(sheets.accuracy(group(("a", 0, HIGH, tuned))), "Recipe") == ["quick[lr=0.1]"]


@pytest.mark.parametrize(
    ("values", "digits", "texts"),
    [
        ([17.78, 5.0, None], 4, ["17.78", "5.00", ""]),
        ([1234.5], 3, ["1,234"]),
        ([0.0123, 2.0], 2, ["0.012", "2.000"]),
        ([None], 3, [""]),
    ],
)
def test_numbers_of_a_column_have_the_same_decimals(values, digits, texts):
    cells = numbers(pd.Series(values, dtype=float), digits)
    assert [cell.text for cell in cells] == texts


def test_what_looks_highest_is_bold_and_one_value_alone_is_not():
    cells = [Cell("70.0", "tie"), Cell("70.0"), Cell("")]
    assert [c.mark for c in bold_best(cells, ["70.0", "70.0", ""])] == ["best", "best", ""]
    assert [c.mark for c in bold_best(cells[:1], ["70.0"])] == [""]


def test_percent_and_intervals_have_one_decimal_and_are_blank_where_unknown():
    rows = pd.DataFrame({"mAP": [0.7, 0.5, None], "mAP_sd": [0.01, None, None]})
    assert [c.text for c in percent(rows, "mAP")] == ["70.0 ± 1.0", "50.0", ""]
    assert interval(0.512, 0.6) == "51.2–60.0" and interval(float("nan"), 0.6) == ""
