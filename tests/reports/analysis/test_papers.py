import numpy as np
import pandas as pd
import pytest

from benchmark import published
from benchmark.label import Label
from reports.analysis import papers
from reports.analysis.groups import groups
from reports.analysis.label_text import frames_of
from reports.analysis.trends import counted
from reports.read.results import collect


@pytest.fixture
def tables(empty, fake):
    """Writes records and gives their groups."""

    def tables(*records):
        for record in records:
            fake.write(empty, record)
        return groups(collect([empty]).frame)

    return tables


def test_a_method_printed_at_several_lengths_is_matched_by_its_own(tables, fake):
    label = "mars-official@1/cos-bn/chunk-first{}"
    found = {}
    for group in tables(*(fake.record("sta", label=label.format(n)) for n in (4, 6, 7))):
        lines = papers.printed_tables()["sta", 2]
        rows = papers.matched(lines, group)
        found[frames_of(Label.parse(group.key.label))] = [lines[row - 1].frames for row in rows]
    assert found == {4: [4], 6: [6], 7: []}


def test_re_ranked_figures_stand_beside_re_ranked_ones_only(tables, fake):
    plain, reranked = tables(
        fake.record("sta", label="mars-official@1/cos-bn/chunk-first4"),
        fake.record("sta", label="mars-official@1/cos-bn/chunk-first4/kr(20,6,0.3)"),
    )
    lines = papers.printed_tables()["sta", 4]
    assert [lines[r - 1].system for r in papers.matched(lines, plain)] == ["STA"]
    assert [lines[r - 1].system for r in papers.matched(lines, reranked)] == ["STA + ReRank"]


def test_a_difference_is_told_on_the_same_data_set_only(tables, fake):
    found = papers.side_by_side(
        tables(fake.record("sta"), fake.record("sta", dataset="mars", score=0.80))
    )
    at = found[(found["paper"] == "sta") & (found["table"] == 1) & (found["metric"] == "mAP")]
    told = at.set_index(["measured_dataset", "dataset"])["difference"]
    assert told["mars", "mars"] == pytest.approx(80.0 - 80.8)
    assert told.drop(("mars", "mars")).isna().all()


def test_no_difference_is_told_from_a_network_that_began_with_other_weights(tables, fake):
    label = "mars-official@1/cos-bn/chunk-first8"
    found = papers.side_by_side(tables(fake.record("resnet3d50_nl", dataset="mars", label=label)))
    own = found[found["dataset"] == "mars"]
    assert set(own["start"]) == {"kinetics"} and own["measured"].notna().any()
    assert own["difference"].isna().all()


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


def test_every_paper_has_a_short_name():
    assert set(published.PAPERS) <= set(papers.SHORT)


def test_a_doubt_is_what_a_note_says_from_the_word_on():
    assert papers.doubt("Fine-tuned. Doubtful: two sets.") == "Doubtful: two sets."
    assert papers.doubt("Reconstructed: one cell.") == papers.doubt(None) == ""
    assert [papers.dagger(i) for i in (0, 3, 4)] == ["†", "¶", "††"]


def test_a_doubtful_point_is_marked_in_its_name():
    points = papers.points("mars", pd.DataFrame())
    marked = {label for label in points["label"] if label.endswith(" †")}
    assert any(label.startswith("nvan_t,") or label.startswith("nvan_s,") for label in marked)
    assert "sta, T = 4" not in marked
