import numpy as np
import pandas as pd
import pytest

from benchmark import published
from reports.analysis import papers
from reports.analysis.groups import collect, groups
from reports.analysis.trends import counted


@pytest.fixture
def tables(empty, fake):
    """Writes records and gives their groups."""

    def tables(*records):
        for record in records:
            fake.write(empty, record)
        return groups(collect([empty]).frame)

    return tables


def cells(sheet, title, above=""):
    (column,) = [c for c in sheet.columns if c.title == title and c.above.startswith(above)]
    return [cell.text for cell in column.cells]


def test_a_measured_row_stands_beside_the_printed_row_of_its_method(tables, fake):
    (group,) = tables(fake.record("nvan", score=0.6), fake.record("stenvan", score=0.5))
    sheet = next(s for s in papers.sheets(group) if s.title == "STE-NVAN, Table 1")
    printed = published.load().query("paper == 'stenvan' and table == 1 and metric == 'mAP'")
    expected = printed[printed["dataset"] == "mars"]["value"]
    assert cells(sheet, "mAP", "published: mars") == [f"{value:.1f}" for value in expected]
    assert cells(sheet, "mAP", "measured") == ["", "", "60.0", "", "", "50.0"]
    assert cells(sheet, "GMACs", "measured")[2] == "17.78" and cells(sheet, "GMACs")[0] == ""


def test_published_and_measured_never_share_a_column_or_a_best(tables, fake):
    (group,) = tables(fake.record("nvan", score=0.99), fake.record("stenvan", score=0.98))
    for sheet in papers.sheets(group):
        for column in sheet.columns:
            if column.title == "mAP":
                assert column.above.startswith(("published: ", "measured: "))
                bold = [cell for cell in column.cells if cell.mark == "best"]
                assert bold and all(cell.mark in ("best", "") for cell in column.cells)


def test_the_headline_table_takes_each_method_s_own_paper(tables, fake):
    (group,) = tables(fake.record("sta"), fake.record("nvan"), fake.record("mine"))
    headline = papers.sheets(group)[0]
    assert dict(zip(cells(headline, "Method"), cells(headline, "Printed in"), strict=True)) == {
        "sta": "STA, Table 1",
        "nvan": "STE-NVAN, Table 1",
    }


def test_a_method_printed_at_several_lengths_is_matched_by_its_own(tables, fake):
    label = "mars-official@1/cos-bn/chunk-first{}"
    found = {}
    for group in tables(*(fake.record("sta", label=label.format(n)) for n in (4, 6, 7))):
        lines = papers.printed_tables()["sta", 2]
        rows = papers.matched(lines, group)
        found[papers.frames_of(group.key.label)] = [lines[row - 1].frames for row in rows]
    assert found == {4: [4], 6: [6], 7: []}


def test_re_ranked_figures_stand_beside_re_ranked_ones_only(tables, fake):
    plain, reranked = tables(
        fake.record("sta", label="mars-official@1/cos-bn/chunk-first4"),
        fake.record("sta", label="mars-official@1/cos-bn/chunk-first4/kr(20,6,0.3)"),
    )
    lines = papers.printed_tables()["sta", 4]
    assert [lines[r - 1].system for r in papers.matched(lines, plain)] == ["STA"]
    assert [lines[r - 1].system for r in papers.matched(lines, reranked)] == ["STA + ReRank"]


def test_one_method_measured_in_two_ways_is_matched_by_none(tables, fake):
    (group,) = tables(*(fake.record(arguments={"backbone": b}) for b in ("resnet18", "resnet50")))
    assert papers.sheets(group) == []


def test_a_table_with_one_measured_row_is_no_comparison(tables, fake):
    (group,) = tables(fake.record("sta"))
    assert [sheet.title for sheet in papers.sheets(group)] == ["Measured and published"]


def test_a_difference_is_told_on_the_same_data_set_only(tables, fake):
    found = papers.beside(
        tables(fake.record("sta"), fake.record("sta", dataset="mars", score=0.80))
    )
    at = found[(found["paper"] == "sta") & (found["table"] == 1) & (found["metric"] == "mAP")]
    told = at.set_index(["measured_dataset", "dataset"])["difference"]
    assert told["mars", "mars"] == pytest.approx(80.0 - 80.8)
    assert told.drop(("mars", "mars")).isna().all()


def test_on_a_printed_data_set_only_its_own_figures_stand_beside(tables, fake):
    (group,) = tables(*(fake.record(m, dataset="mars") for m in ("nvan", "stenvan")))
    above = {c.above for sheet in papers.sheets(group) for c in sheet.columns if c.above}
    assert above == {"published: mars", "published", "measured: mars"}


def test_of_several_labels_the_fullest_and_then_the_official_one_is_shown(folder):
    (group,) = papers.chosen(groups(collect([folder]).frame))
    assert group.key.label.startswith("mars-official")


def test_trajectories_are_joined_and_counted_as_printed_or_by_us():
    ours = {"method": "sta", "frames": [2, 4], "height": 256, "width": 128, "backbone": ""}
    points = papers.points("mars", pd.DataFrame({**ours, "gmacs": [8.0, 16.0]}))
    sta = points[points["method"] == "sta"].set_index("frames")
    assert list(sta.index) == [2, 4, 6, 8] or set(sta.index) == {2, 4, 6, 8}
    assert set(sta["line"]) == {"sta"}
    assert sta["mAP"].to_dict() == {2: 75.7, 4: 80.8, 6: 81.0, 8: 81.2}
    assert sta["gmacs"][2] == 8.0 and np.isnan(sta["gmacs"][8])
    nvan = points[points["method"] == "nvan"].set_index("frames")
    assert nvan["gmacs"][8] == 60.0 and np.isnan(nvan["gmacs"][4])


def test_counts_of_narrow_or_small_networks_do_not_stand_for_a_paper_s(folder):
    frame = counted(collect([folder]))
    assert len(frame) and papers._counts(frame.assign(backbone="[channels=4]")) == {}
    assert papers._counts(frame.assign(height=128)) == {}
