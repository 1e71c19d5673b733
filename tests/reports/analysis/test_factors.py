"""Ablations: variants of one method with a column for each argument that varies."""

import pytest

from reports.analysis.factors import ablations
from reports.analysis.groups import groups
from reports.build import build
from reports.read.results import collect


@pytest.fixture
def group(empty, fake):
    """Writes ``(method, seed, AP of each query)`` and gives their only group."""

    def group(*records):
        for method, seed, ap in records:
            fake.scored(empty, method, seed, ap)
        (found,) = groups(collect([empty]).frame, 300)
        return found

    return group


def cells(sheet):
    return {one.title: [cell.text for cell in one.cells] for one in sheet.columns}


def test_each_argument_that_varies_is_a_column_and_rows_follow_their_values(group):
    found = group(
        ("sta[blocks=8,dimensions=512]", 0, [0.5] * 40),
        ("sta[blocks=2,dimensions=512]", 0, [0.25] * 40),
        ("sta[blocks=2,dimensions=1024]", 0, [0.75] * 40),
        ("nvan", 0, [0.25] * 40),
    )
    (sheet,) = ablations(found)
    assert sheet.title == "Variants of sta"
    assert [one.title for one in sheet.columns][:3] == ["blocks", "dimensions", "mAP (%)"]
    shown = cells(sheet)
    assert shown["blocks"] == ["2", "2", "8"] and shown["dimensions"] == ["512", "1024", "512"]
    assert shown["mAP (%)"] == ["25.0", "75.0", "50.0"]
    (accuracy,) = [one for one in sheet.columns if one.title == "mAP (%)"]
    assert [cell.mark for cell in accuracy.cells] == ["", "best", ""]


def test_an_argument_that_is_the_same_everywhere_is_no_column(group):
    found = group(
        ("sta[blocks=2,dimensions=512]", 0, [0.5] * 40),
        ("sta[blocks=4,dimensions=512]", 0, [0.25] * 40),
    )
    assert "dimensions" not in cells(ablations(found)[0])


def test_what_a_variant_leaves_at_its_default_is_said_so_and_comes_first(group):
    (sheet,) = ablations(group(("sta[blocks=2]", 0, [0.5] * 40), ("sta", 0, [0.25] * 40)))
    assert cells(sheet)["blocks"] == ["as usual", "2"]
    assert "as usual: the method's default" in sheet.notes


def test_a_method_with_one_variant_has_no_such_table(group):
    assert ablations(group(("sta[blocks=2]", 0, [0.5] * 40), ("nvan", 0, [0.25] * 40))) == []


def test_every_format_of_the_report_has_the_table(group, empty, tmp_path):
    group(("sta[blocks=2]", 0, [0.25] * 40), ("sta[blocks=4]", 0, [0.5] * 40))
    for path in build([empty], tmp_path / "report", ("md", "html", "tex")).reports:
        assert "Variants of sta" in path.read_text(), path
