import shutil

import numpy as np
import pytest

from benchmark.datasets.ilids_vid import ilids_vid

SPLITS = "train-test people splits"


@pytest.mark.parametrize(
    ("nested", "splits"),
    [
        ("", SPLITS),
        ("i-LIDS-VID", SPLITS),
        ("i-LIDS-VID/i-LIDS-VID", SPLITS),
        ("i-LIDS-VID/i-LIDS-VID", f"i-LIDS-VID/{SPLITS}"),
        ("i-LIDS-VID", f"i-LIDS-VID/{SPLITS}"),
        ("ilids-vid/i-LIDS-VID", f"ilids-vid/{SPLITS}"),
        ("i-LIDS-VID", ""),
    ],
)
def test_q25_copies_are_found_at_every_known_depth(ilids_tree, nested, splits):
    found = ilids_vid(ilids_tree(nested=nested, splits=splits))
    assert len(found.train) == len(found.test) == 6


def test_q26_entries_are_ranks_among_the_sorted_folders_and_the_first_half_is_tested(
    ilids_tree, read
):
    found = ilids_vid(ilids_tree())  # row 0 is 6 1 3 | 2 5 4
    assert read(found.test) == [(p, c, 3) for c in (1, 2) for p in (1, 4, 319)]
    assert read(found.train) == [(p, c, 3) for p in (2, 9, 10) for c in (1, 2)]


def test_q26_every_row_is_a_split_of_its_own(ilids_tree):
    root = ilids_tree()
    found = [ilids_vid(root, split=k) for k in range(10)]
    assert [d.split for d in found] == list(range(10))
    assert {d.splits for d in found} == {10}
    assert [t.pid for t in found[1].test[:3]] == [1, 9, 319]
    assert len({d.fingerprint for d in found}) == 1  # what differs is the split, not the copy


def test_q26_queries_are_from_camera_1_and_the_gallery_is_camera_2(ilids_tree):
    found = ilids_vid(ilids_tree())
    assert found.query == (0, 1, 2)
    assert [t.camid for t in found.test] == [1, 1, 1, 2, 2, 2]
    assert found.protocol == "ilids-10"


def test_q27_frames_are_in_the_order_of_their_numbers(ilids_tree):
    for tracklet in ilids_vid(ilids_tree()).train:
        numbers = [int(name[-9:-4]) for name in tracklet.frames]
        assert numbers == sorted(numbers)


@pytest.mark.parametrize("camera", [1, 2])
def test_q28_a_person_that_one_camera_lacks_is_named(ilids_tree, camera):
    root = ilids_tree()
    shutil.rmtree(root / "i-LIDS-VID" / "sequences" / f"cam{camera}" / "person009")
    with pytest.raises(FileNotFoundError, match=f"cam{camera}/person009 is missing"):
        ilids_vid(root)


def test_q29_a_person_missing_in_both_cameras_does_not_shift_the_ranks(ilids_tree):
    root = ilids_tree()
    for camera in (1, 2):
        shutil.rmtree(root / "i-LIDS-VID" / "sequences" / f"cam{camera}" / "person009")
    with pytest.raises(ValueError, match="ranks 6 persons, here are 5: some are missing"):
        ilids_vid(root)


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ([0, 1, 2, 3, 4, 5], "row 3 of ls_set does not hold each of 1..6 once"),
        ([1, 1, 2, 3, 4, 5], "row 3 of ls_set does not hold each of 1..6 once"),
        ([1.5, 1, 2, 3, 4, 5], "numbers that are not whole"),
        ([np.nan, 1, 2, 3, 4, 5], "numbers that are not whole"),
    ],
)
def test_q29_a_row_that_is_no_order_of_the_persons_is_refused(ilids_tree, write_splits, row, line):
    root = ilids_tree()
    rows = [np.arange(1, 7)] * 2 + [row] + [np.arange(1, 7)] * 7
    write_splits(root / SPLITS / "train_test_splits_ilidsvid.mat", rows)
    with pytest.raises(ValueError, match=line):
        ilids_vid(root)


@pytest.mark.parametrize("split", [-1, 10])
def test_a_split_that_does_not_exist_is_refused(ilids_tree, split):
    with pytest.raises(ValueError, match=rf"split is {split}, expected 0\.\.9"):
        ilids_vid(ilids_tree(), split=split)


def test_an_image_of_another_person_is_refused(ilids_tree, put_images):
    root = ilids_tree()
    folder = root / "i-LIDS-VID" / "sequences" / "cam1" / "person001"
    put_images(folder, ["cam1_person002_00001.png"])
    with pytest.raises(ValueError, match="its name says person 002, its place says 001"):
        ilids_vid(root)


def test_an_image_of_the_other_camera_is_refused(ilids_tree, put_images):
    root = ilids_tree()
    folder = root / "i-LIDS-VID" / "sequences" / "cam1" / "person001"
    put_images(folder, ["cam2_person001_00001.png"])
    with pytest.raises(ValueError, match="its name says camera 2, its place says 1"):
        ilids_vid(root)


def test_a_missing_split_file_is_named_with_its_origin(ilids_tree):
    root = ilids_tree()
    shutil.rmtree(root / SPLITS)
    with pytest.raises(FileNotFoundError, match=r"ilidsvid\.mat is missing: it comes with iLIDS"):
        ilids_vid(root)


def test_a_folder_without_sequences_says_what_it_should_hold(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected i-LIDS-VID/sequences/cam1"):
        ilids_vid(tmp_path)


def test_a_copy_with_other_persons_is_noted(ilids_tree):
    assert ilids_vid(ilids_tree()).notes == ("6 persons, iLIDS-VID has 300",)
