import dataclasses

import numpy as np
import pandas as pd
import pytest

from benchmark import significance
from reports.analysis import comparing


def texts(sheet, title):
    (column,) = [column for column in sheet.columns if column.title == title]
    return [cell.text for cell in column.cells]


def test_a_difference_is_that_of_the_paired_bootstrap(compared):
    a, b = compared.systems
    found = comparing.differences(compared.systems, 200).set_index("metric")
    expected = significance.difference(a.queries, b.queries, resamples=200)
    for metric in ("mAP", "R1"):
        assert found.at[metric, "difference"] == expected.at[metric, "difference"]
    low, high = found.loc["mAP", ["low", "high"]]
    assert low < found.at["mAP", "difference"] < high
    assert (found["a"] == "nvan").all() and (found["b"] == "sta").all()


def test_every_pair_of_three_is_told(compared):
    a, b = compared.systems
    three = (a, b, dataclasses.replace(b, name="other"))
    found = comparing.differences(three, 50)
    assert len(found) == 3 * 3 and set(found["b"]) == {"sta", "other"}


def test_an_interval_that_cannot_be_had_is_said_to_be_none(compared):
    a, b = compared.systems
    table = a.queries[0].assign(AP=1.0, INP=1.0, first=1)
    solved = [dataclasses.replace(one, queries=(table.iloc[:5],)) for one in (a, b)]
    found = comparing.differences(solved, 50)
    assert found["low"].isna().all() and found["high"].isna().all()
    sheet = comparing.difference_sheet(found)
    assert texts(sheet, "95 %") == ["none"] * 3 and "none: every draw" in sheet.notes[-1]
    words = comparing.sentences(dataclasses.replace(compared, systems=tuple(solved)), found)
    assert "Only 3 test persons" in words[0] and "an interval cannot be had" in words[1]


def test_who_is_ahead_is_said_with_its_interval_and_few_persons_are_a_caution(compared):
    found = comparing.differences(compared.systems, 200)
    few, ahead, seeds = comparing.sentences(compared, found)
    assert few.startswith("Only 20 test persons")
    assert ahead.startswith("`nvan` is ahead of `sta` by 24.9 points of mAP (")
    assert seeds.startswith("Other seeds may give another difference: some systems have")


def test_equal_systems_cannot_be_told_apart(compared):
    a, _ = compared.systems
    shifted = a.queries[0].assign(AP=a.queries[0]["AP"].to_numpy()[::-1])
    twins = (a, dataclasses.replace(a, name="twin", queries=(shifted,)))
    found = comparing.differences(twins, 200)
    words = comparing.sentences(dataclasses.replace(compared, systems=twins), found)
    assert "cannot be told apart by mAP" in words[1]


def test_the_queries_that_differ_most_come_first_and_equal_ones_never(compared):
    a, b = compared.systems
    ap = b.queries[0]["AP"].to_numpy().copy()
    other = a.queries[0].assign(AP=ap)
    other.loc[other["query"] == 7, "AP"] = 0.0
    changed = dataclasses.replace(b, queries=(other,))
    assert comparing.widest((a, changed), 3)[0] == 7
    assert comparing.widest((a, a)) == []


def test_scores_stand_with_their_intervals_and_the_highest_is_marked(compared):
    sheet = comparing.score_sheet(compared)
    (column,) = [column for column in sheet.columns if column.title == "mAP (%)"]
    assert [cell.mark for cell in column.cells] == ["best", ""]
    assert texts(sheet, "Seeds") == ["0, 1", "0"] and texts(sheet, "GMACs") == ["17.78"] * 2
    assert texts(sheet, "Wrong pairs nearer (%)") == ["0", "0"]


def test_pairs_of_cameras_are_told_for_every_system_or_not_at_all(compared):
    sheet = comparing.camera_sheet(compared)
    assert texts(sheet, "Query camera") == ["1", "2"] and texts(sheet, "sta") == ["50.0", "40.0"]
    a, b = compared.systems
    blind = dataclasses.replace(compared, systems=(a, dataclasses.replace(b, cameras=None)))
    assert comparing.camera_sheet(blind) is None


def test_queries_are_grouped_by_the_length_of_their_tracklet(compared):
    groups = comparing.length_groups(compared)
    assert groups["queries"].sum() == 40 and groups["low"].is_monotonic_increasing
    assert groups["sta"].mean() == pytest.approx(compared.systems[1].mean("AP").mean(), abs=0.02)
    assert texts(comparing.length_sheet(compared), "Frames of the query")[0] == "4"
    for frames in (None, pd.Series(4, index=np.arange(40))):
        alike = dataclasses.replace(compared, frames=frames)
        assert comparing.length_groups(alike) is comparing.length_sheet(alike) is None
