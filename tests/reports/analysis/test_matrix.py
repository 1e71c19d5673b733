import pytest

from reports.analysis.groups import groups
from reports.analysis.matrix import matrices
from reports.read.results import collect


@pytest.fixture
def sheets(empty, fake):
    """Writes ``(data set, method, mAP)`` and gives the matrices."""

    def sheets(*scores, **changes):
        for dataset, method, score in scores:
            fake.write(empty, fake.record(method, 0, score, dataset=dataset, **changes))
        return matrices(groups(collect([empty]).frame))

    return sheets


def texts(sheet):
    return {column.title: [cell.text for cell in column.cells] for column in sheet.columns}


def test_several_data_sets_stand_side_by_side_with_the_mean_rank_and_the_best_first(sheets):
    scores = [("mars", "a", 0.8), ("mars", "b", 0.7), ("lsvid", "a", 0.4), ("lsvid", "b", 0.5)]
    (sheet,) = sheets(*scores, ("mars", "c", 0.9), ("lsvid", "c", 0.6))
    found = texts(sheet)
    assert found["Method"] == ["c", "a", "b"] and found["Mean rank"] == ["1.00", "2.50", "2.50"]
    assert found["mars"] == ["90.0", "80.0", "70.0"] and found["lsvid"] == ["60.0", "40.0", "50.0"]
    assert sheet.columns[1].cells[0].mark == "best"


def test_a_method_that_a_data_set_lacks_has_no_rank_and_comes_last(sheets):
    scores = [("mars", "a", 0.5), ("lsvid", "a", 0.4), ("mars", "b", 0.9)]
    (sheet,) = sheets(*scores)
    found = texts(sheet)
    assert found["Method"] == ["a", "b"] and found["Mean rank"] == ["1.00", ""]
    assert "ranked are the 1 methods that all data sets have" in sheet.notes[-1]


def test_one_data_set_alone_makes_no_matrix(sheets):
    assert sheets(("mars", "a", 0.5), ("mars", "b", 0.9)) == []


def test_two_recipes_are_never_one_matrix(sheets, empty, fake):
    fake.write(empty, fake.record("a", dataset="mars", recipe="unified"))
    assert sheets(("lsvid", "a", 0.4)) == []
