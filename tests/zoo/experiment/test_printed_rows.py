"""Which rows of a printed table can be run, how, and why the others cannot."""

import pytest

from zoo.experiment.printed_rows import find


def test_rows_that_differ_in_clip_length_change_the_recipe():
    _, rows, why = find("stenvan/2", "mars")
    assert [row.changes for row in rows] == [{"frames": 4}, {"frames": 6}, {"frames": 8}]
    assert why == []


def test_only_the_test_clips_differ_where_the_paper_kept_the_weights():
    _, rows, _ = find("sta/2", "mars")
    assert [row.changes["test_frames"] for row in rows] == [f"chunk-first{n}" for n in (2, 4, 6, 8)]


def test_the_baseline_of_sta_is_told_apart_by_its_loss():
    _, rows, _ = find("sta/1", "mars")
    assert [row.changes for row in rows[:3]] == [
        {"losses": ("cross_entropy",)},
        {"losses": ("cross_entropy", "triplet"), "triplet": 0.3},
        {},
    ]


def test_a_row_that_cannot_be_run_says_why():
    _, rows, why = find("sta/4", "mars")
    assert [row.system for row in rows] == ["STA", "STA + ReRank"] and len(why) == 10
    assert "TriNet is not implemented" in why


@pytest.mark.parametrize(
    ("table", "number", "start"),
    [("2", 2, "kinetics"), ("2", 3, "kinetics"), ("3", 2, "reid"), ("3", 3, "kinetics")],
)
def test_a_row_printed_from_other_weights_is_left_out_unless_they_are_given(table, number, start):
    _, rows, why = find(f"resnet3d/{table}", "mars")
    assert number not in [row.number for row in rows]
    reason = next(one for one in why if f"--start {start}=" in one)
    assert f"starts from weights of {start}" in reason
    cells, rows, _ = find(f"resnet3d/{table}", "mars", {start: "my.safetensors"})
    (row,) = [row for row in rows if row.number == number]
    assert row.changes["init"] == "my.safetensors" and number in set(cells["row"])
    assert all("init" not in row.changes for row in rows if row.number == 1)


@pytest.mark.parametrize(
    ("dataset", "start"), [("mars", "kinetics"), ("prid2011", "mars"), ("ilids_vid", "mars")]
)
def test_one_row_starts_from_other_weights_for_other_data_sets(dataset, start):
    with pytest.raises(LookupError, match=rf"no row that can be run.*--start {start}="):
        find("resnet3d/4", dataset)
    cells, (row,), _ = find("resnet3d/4", dataset, {start: "run"})
    assert row.number == 14 and row.changes == {"init": "run"}
    assert set(cells[cells["row"] == 14]["dataset"]) == {dataset}


def test_on_other_data_figures_of_two_starts_are_not_mixed():
    cells, _, _ = find("resnet3d/4", "synthetic", {"kinetics": "run"})
    assert set(cells[cells["row"] == 14]["dataset"]) == {"mars"}


@pytest.mark.parametrize(
    ("table", "said"), [("resnet3d/3", "expected reid or kinetics"), ("sta/1", "recipe's weights")]
)
def test_a_start_that_no_row_has_is_refused(table, said):
    with pytest.raises(LookupError, match=said):
        find(table, "mars", {"jft": "my.safetensors"})


def test_figures_of_the_user_s_data_set_are_preferred():
    cells, _, _ = find("stenvan/1", "duke_video")
    assert set(cells["dataset"].dropna()) == {"duke_video"}
    cells, _, _ = find("stenvan/1", "synthetic[occlusion=0.5]")
    assert set(cells["dataset"].dropna()) == {"mars", "duke_video"}
