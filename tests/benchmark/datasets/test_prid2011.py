import json
import shutil

import numpy as np
import pytest

from benchmark.datasets.prid2011 import LEFT_OUT, OFFICIAL, prid2011

JSON = "splits_prid2011.json"


def names(*persons):
    return [f"person_{person:04}" for person in persons]


def write_json(root, splits):
    (root / JSON).write_text(json.dumps(splits))


@pytest.mark.parametrize("nested", ["", "prid_2011", "prid2011/prid_2011"])
def test_q30_copies_are_found_at_every_known_depth(prid_tree, read, nested):
    found = prid2011(prid_tree(nested=nested))
    assert read(found.train) == [(p, c, 27) for p in (2, 4) for c in (1, 2)]
    assert found.protocol == "prid178-10"


def test_q30_splits_come_from_json_where_there_is_one(prid_tree):
    root = prid_tree()
    write_json(root, [{"train": names(1, 4), "test": names(5, 2)}])
    found = prid2011(root)
    assert [t.pid for t in found.test] == [2, 5, 2, 5]
    assert found.splits == 1
    shutil.move(root / JSON, root / "multi_shot" / JSON)  # beside the cameras it is not looked for
    assert prid2011(root).splits == 10


def test_q31_ranks_count_persons_with_27_frames_in_both_cameras(prid_tree, read):
    found = prid2011(prid_tree())  # row 0 is 4 1 | 3 2 among the persons 1 2 4 5
    assert read(found.test) == [(p, c, 27) for c in (1, 2) for p in (1, 5)]
    assert found.query == (0, 1)
    assert found.splits == 10


def test_q31_one_frame_more_shifts_no_rank_silently(prid_tree):
    root = prid_tree(lengths={"a": {3: 27}, "b": {}})
    with pytest.raises(ValueError, match="ranks 4 persons, here are 5: some are too many"):
        prid2011(root)


def test_q32_the_178_persons_are_the_published_ones():
    assert len(OFFICIAL) == 178
    assert len(LEFT_OUT) == 22
    assert {6, 19, 31, 199, 200} <= LEFT_OUT
    assert max(OFFICIAL) == 198


def test_q32_a_copy_of_all_200_that_lacks_a_frame_says_whose(tmp_path, put_images, write_splits):
    for letter in "ab":
        for person in range(1, 201):
            short = person in LEFT_OUT or (person, letter) == (12, "b")
            frames = [f"{f:04}.png" for f in range(1, 27 if short else 28)]
            put_images(tmp_path / "multi_shot" / f"cam_{letter}" / f"person_{person:04}", frames)
    rows = [np.arange(1, 179)] * 10
    write_splits(tmp_path / "train_test_splits_prid.mat", rows)
    with pytest.raises(ValueError, match=r"here are 177.*person_0012 has 27 frames not in both"):
        prid2011(tmp_path)
    two_hundred = prid2011(tmp_path, persons=200)
    assert len(two_hundred.test) == 200


def test_q33_the_200_persons_are_halved_alike_everywhere(tmp_path, put_images):
    for letter in "ab":
        for person in range(1, 201):
            put_images(
                tmp_path / "multi_shot" / f"cam_{letter}" / f"person_{person:04}", ["0001.png"]
            )
    found = [prid2011(tmp_path, persons=200, split=k) for k in range(10)]
    assert {d.protocol for d in found} == {"prid200-rand10"}
    assert all(len(d.test) == len(d.train) == 200 for d in found)
    tested = [tuple(t.pid for t in d.test[:100]) for d in found]
    assert len(set(tested)) == 10
    assert tested[0][:8] == (3, 5, 6, 8, 9, 11, 13, 15)
    assert all(not {t.pid for t in d.train} & {t.pid for t in d.test} for d in found)
    shutil.rmtree(tmp_path / "multi_shot" / "cam_b" / "person_0150")
    with pytest.raises(FileNotFoundError, match="cam_b/person_0150 is missing: persons=200 needs"):
        prid2011(tmp_path, persons=200)


def test_q33_no_other_number_of_persons_is_taken(prid_tree):
    with pytest.raises(ValueError, match="persons is 183, expected 178 or 200"):
        prid2011(prid_tree(), persons=183)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "expected a list of splits"),
        ("{}", "expected a list of splits"),
        ("[1]", "split 0 has no list 'test'"),
        ('[{"train": [], "test": ["person_0001"]}]', "split 0 has no list 'train'"),
        ('[{"train": [3], "test": ["person_0001"]}]', "split 0 names '3'"),
        ('[{"train": ["../../x"], "test": ["person_0001"]}]', "split 0 names '../../x'"),
        (
            '[{"train": ["person_0001"], "test": ["person_0001"]}]',
            "split 0 names person_0001 twice",
        ),
        (
            '[{"train": ["person_0001"], "test": ["person_0044"]}]',
            "cam_a/person_0044 is missing",
        ),
    ],
)
def test_q34_a_json_that_names_no_splits_is_refused(prid_tree, text, line):
    root = prid_tree()
    (root / JSON).write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=line) as caught:
        prid2011(root)
    assert "\n" not in str(caught.value)


def test_q35_persons_that_one_camera_saw_are_no_part_of_it(prid_tree):
    found = prid2011(prid_tree())
    assert {t.pid for t in (*found.train, *found.test)} == {1, 2, 4, 5}


def test_frames_are_numbers_and_nothing_else(prid_tree, put_images):
    root = prid_tree()
    put_images(root / "multi_shot" / "cam_a" / "person_0001", ["cover.png"])
    with pytest.raises(ValueError, match=r"cover\.png is not called like 0001\.png"):
        prid2011(root)


def test_a_missing_split_file_is_named_with_its_origin(prid_tree):
    root = prid_tree()
    (root / "train_test_splits_prid.mat").unlink()
    with pytest.raises(FileNotFoundError, match=r"json is missing: .* comes with iLIDS-VID"):
        prid2011(root)


def test_a_copy_with_other_persons_is_noted(prid_tree):
    assert prid2011(prid_tree()).notes == ("4 persons, the protocol has 178",)
