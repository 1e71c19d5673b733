import pytest

from benchmark import published
from reports.analysis import paper_sheets
from reports.analysis.groups import groups
from reports.read.results import collect


@pytest.fixture
def tables(empty, fake):
    """Writes records and gives their groups."""

    def tables(*records):
        for record in records:
            fake.write(empty, record)
        return groups(collect([empty]).frame)

    return tables


def cells(sheet, title, header=""):
    (column,) = [c for c in sheet.columns if c.title == title and c.header.startswith(header)]
    return [cell.text for cell in column.cells]


def test_a_measured_row_stands_beside_the_printed_row_of_its_method(tables, fake):
    (group,) = tables(fake.record("nvan", score=0.6), fake.record("stenvan", score=0.5))
    sheet = next(s for s in paper_sheets.sheets(group) if s.title == "STE-NVAN, Table 1")
    printed = published.load().query("paper == 'stenvan' and table == 1 and metric == 'mAP'")
    expected = printed[printed["dataset"] == "mars"]["value"]
    assert cells(sheet, "mAP", "published: mars") == [f"{value:.1f}" for value in expected]
    assert cells(sheet, "mAP", "measured") == ["", "", "60.0", "", "", "50.0"]
    assert cells(sheet, "GMACs", "measured")[2] == "17.78" and cells(sheet, "GMACs")[0] == ""


def test_published_and_measured_never_share_a_column_or_a_best(tables, fake):
    (group,) = tables(fake.record("nvan", score=0.99), fake.record("stenvan", score=0.98))
    for sheet in paper_sheets.sheets(group):
        for column in sheet.columns:
            if column.title == "mAP":
                assert column.header.startswith(("published: ", "measured: "))
                bold = [cell for cell in column.cells if cell.mark == "best"]
                assert bold and all(cell.mark in ("best", "") for cell in column.cells)


def test_the_headline_table_takes_each_method_s_own_paper(tables, fake):
    (group,) = tables(fake.record("sta"), fake.record("nvan"), fake.record("mine"))
    headline = paper_sheets.sheets(group)[0]
    assert dict(zip(cells(headline, "Method"), cells(headline, "Printed in"), strict=True)) == {
        "sta": "STA, Table 1",
        "nvan": "STE-NVAN, Table 1",
    }


def test_one_method_measured_in_two_ways_is_matched_by_none(tables, fake):
    (group,) = tables(*(fake.record(arguments={"backbone": b}) for b in ("resnet18", "resnet50")))
    assert paper_sheets.sheets(group) == []


def test_a_table_with_one_measured_row_is_no_comparison(tables, fake):
    (group,) = tables(fake.record("sta"))
    assert [sheet.title for sheet in paper_sheets.sheets(group)] == ["Measured and published"]


def test_on_a_printed_data_set_only_its_own_figures_stand_beside(tables, fake):
    (group,) = tables(*(fake.record(m, dataset="mars") for m in ("nvan", "stenvan")))
    above = {c.header for sheet in paper_sheets.sheets(group) for c in sheet.columns if c.header}
    assert above == {"published: mars", "published", "measured: mars"}


def test_of_several_labels_the_fullest_and_then_the_official_one_is_shown(folder):
    (group,) = paper_sheets.chosen(groups(collect([folder]).frame))
    assert group.key.label.startswith("mars-official")


def test_a_doubtful_figure_has_a_dagger_and_the_doubt_below_the_table(tables, fake):
    (group,) = tables(fake.record("nvan", dataset="mars"), fake.record("stenvan", dataset="mars"))
    sheet = next(s for s in paper_sheets.sheets(group) if s.title == "STE-NVAN, Table 1")
    doubted = published.load().query("paper == 'stenvan' and table == 1 and row == 5")
    r1 = doubted.query("dataset == 'mars' and metric == 'R1'").iloc[0]
    (column,) = [c for c in sheet.columns if c.title == "R1" and c.header == "published: mars"]
    signs = {cell.text: cell.sign for cell in column.cells if cell.sign}
    (sign,) = signs.values()
    assert list(signs) == [f"{r1['value']:.1f}"]
    assert f"{sign} {r1['note'].removesuffix('.')}" in sheet.notes
    clean = [cell for column in sheet.columns for cell in column.cells if not cell.sign]
    assert len(clean) > len(signs)
