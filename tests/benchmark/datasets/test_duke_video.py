import json
import shutil

import pytest

from benchmark.datasets.duke_video import duke_video

GALLERY = [(2, 6, 2), (2, 7, 2), (4, 5, 2), (4, 8, 3), (9, 1, 2)]


@pytest.mark.parametrize(
    "nested", ["", "DukeMTMC-VideoReID", "dukemtmc-vidreid/DukeMTMC-VideoReID"]
)
def test_q16_copies_are_found_at_every_known_depth(duke_tree, read, nested):
    found = duke_video(duke_tree(nested=nested))
    assert read(found.train) == [(1, 1, 3), (1, 4, 2), (3, 2, 2), (3, 3, 2)]
    assert read(found.test) == GALLERY
    assert found.protocol == "duke-folders"


@pytest.mark.parametrize("gap", ["_", ""])
def test_q17_names_with_and_without_underscores_say_the_same(duke_tree, read, gap):
    assert read(duke_video(duke_tree(gap=gap)).test) == GALLERY


def test_q17_a_distractor_is_named_with_d_and_is_a_person_that_nobody_asks_for(
    duke_tree, put_images, read
):
    root = duke_tree()
    put_images(root / "gallery" / "0011" / "0001", ["0011_C3_F0001_D77.jpg"])
    assert read(duke_video(root).test)[-1] == (11, 3, 1)


def test_q18_a_tracklet_that_begins_at_frame_2_keeps_its_last_frame(duke_tree):
    found = duke_video(duke_tree())
    frames = [name[8:13] for name in found.test[3].frames]
    assert frames == ["F0002", "F0003", "F0004"]


def test_q19_queries_are_rows_of_the_gallery_and_are_not_added_again(duke_tree):
    found = duke_video(duke_tree())
    assert found.query == (0, 3)
    assert len(found.test) == len(GALLERY)


def test_q19_a_gallery_tracklet_after_the_last_query_is_kept(duke_tree):
    assert duke_video(duke_tree()).test[-1].pid == 9


def test_q20_a_query_that_the_gallery_lacks_is_refused(duke_tree):
    root = duke_tree()
    shutil.rmtree(root / "gallery" / "0004" / "0002")
    with pytest.raises(ValueError, match=r"query/0004/0002 is not in the gallery with the same 3"):
        duke_video(root)


def test_q20_a_query_with_a_frame_less_in_the_gallery_is_refused(duke_tree):
    root = duke_tree()
    (root / "gallery" / "0002" / "0001" / "0002_C6_F0002_X3024.jpg").unlink()
    with pytest.raises(ValueError, match="query/0002/0001 is not in the gallery"):
        duke_video(root)


def test_q20_a_gallery_that_holds_a_tracklet_twice_is_refused(duke_tree):
    root = duke_tree()
    shutil.copytree(root / "gallery" / "0002" / "0001", root / "gallery" / "0002" / "0009")
    with pytest.raises(ValueError, match="hold the same images"):
        duke_video(root)


def test_q20_a_query_that_is_there_twice_is_refused(duke_tree):
    root = duke_tree()
    shutil.copytree(root / "query" / "0002" / "0001", root / "query" / "0002" / "0009")
    with pytest.raises(ValueError, match=r"query/0002/0009 is a query twice"):
        duke_video(root)


def test_q21_lists_that_other_programs_left_behind_are_not_read(duke_tree):
    root = duke_tree()
    before = duke_video(root).fingerprint
    for part in ("train", "query", "gallery"):
        (root / f"split_{part}.json").write_text(json.dumps({"tracklets": ["/gone"]}))
    assert duke_video(root).fingerprint == before


def test_q22_an_image_of_another_person_is_refused(duke_tree, put_images):
    root = duke_tree()
    put_images(root / "train" / "0001" / "0001", ["0003_C1_F0009_X9.jpg"])
    with pytest.raises(ValueError, match=r"its name says person 0003, its place says 0001"):
        duke_video(root)


def test_q22_an_image_of_another_camera_is_refused(duke_tree, put_images):
    root = duke_tree()
    put_images(root / "train" / "0001" / "0001", ["0001_C2_F0009_X9.jpg"])
    with pytest.raises(ValueError, match="camera 2 in a tracklet of camera 1"):
        duke_video(root)


def test_q22_a_camera_that_does_not_exist_is_refused(duke_tree, put_images):
    root = duke_tree()
    put_images(root / "train" / "0001" / "0001", ["0001_C9_F0009_X9.jpg"])
    with pytest.raises(ValueError, match="is not called like 0001_C6_F0099_X30823"):
        duke_video(root)


def test_q23_one_frame_under_both_namings_is_refused(duke_tree, put_images):
    root = duke_tree()
    put_images(root / "train" / "0001" / "0001", ["0001C1F0001X3012.jpg"])
    with pytest.raises(ValueError, match="are both frame 1"):
        duke_video(root)


def test_q24_the_withdrawal_is_told_to_readers_of_results(duke_tree):
    (note,) = duke_video(duke_tree()).notes
    assert "withdrawn" in note
    assert "http" not in note


def test_an_empty_tracklet_is_named(duke_tree):
    root = duke_tree()
    (root / "train" / "0001" / "0007").mkdir()
    with pytest.raises(FileNotFoundError, match="train/0001/0007 holds no image"):
        duke_video(root)


@pytest.mark.parametrize("part", ["train", "query", "gallery"])
def test_a_missing_part_is_named(duke_tree, part):
    root = duke_tree()
    shutil.rmtree(root / part)
    with pytest.raises(FileNotFoundError, match=f"{part} is missing"):
        duke_video(root)


def test_the_fingerprint_sees_sizes_but_not_where_the_copy_lies(duke_tree, tmp_path):
    root = duke_tree()
    before = duke_video(root).fingerprint
    moved = root.rename(tmp_path / "elsewhere")
    assert duke_video(moved).fingerprint == before
    next((moved / "train" / "0001" / "0001").iterdir()).write_bytes(b"longer")
    assert duke_video(moved).fingerprint != before
