import shutil

import pytest

from benchmark.datasets.base import Tracklet
from benchmark.datasets.mars import mars


def write_lists(root, end="\r\n"):
    for part in ("train", "test"):
        names = sorted(path.name for path in (root / f"bbox_{part}").glob("*/*.jpg"))
        text = "".join(f"{name}{end}" for name in names)
        (root / "info" / f"{part}_name.txt").write_bytes(text.encode())


def test_q1_the_folder_00_1_is_junk_and_0000_are_distractors(mars_tree):
    found = mars(mars_tree)
    assert [(t.pid, t.frames[0][:4]) for t in found.test[:2]] == [(-1, "00-1"), (0, "0000")]
    assert found.train_pids == (1, 7)


def test_q2_rows_count_from_1_and_hold_their_last_image(mars_tree):
    found = mars(mars_tree)
    assert found.train[0] == Tracklet(
        1,
        1,
        str(mars_tree / "bbox_train" / "0001"),
        tuple(f"0001C1T0001F00{frame}.jpg" for frame in (1, 2, 3)),
    )


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_q4_name_lists_are_read_with_any_line_ends(mars_tree, end):
    rebuilt = mars(mars_tree)
    write_lists(mars_tree, end)
    found = mars(mars_tree)
    assert (found.train, found.test) == (rebuilt.train, rebuilt.test)
    assert found.fingerprint == rebuilt.fingerprint
    assert found.notes == ()


def test_q5_name_lists_that_are_missing_are_rebuilt_and_that_is_noted(mars_tree):
    notes = mars(mars_tree).notes
    assert "test_name.txt rebuilt from 16 images on disk" in notes


@pytest.mark.parametrize("home", ["mars", "MARS"])
def test_q8_copies_are_found_at_every_known_depth(mars_tree, home):
    flat = mars(mars_tree)
    moved = mars_tree.rename(mars_tree.with_name(f"{home}_outer")) / "x"
    outer = moved.parent
    (outer / home).mkdir()
    for part in ("bbox_train", "bbox_test"):
        shutil.move(outer / part, outer / "part")
        (outer / home / part).mkdir()
        shutil.move(outer / "part", outer / home / part / part)
    (outer / home / "MARS-evaluation").mkdir()
    shutil.move(outer / "info", outer / home / "MARS-evaluation" / "info")
    found = mars(outer)
    assert [t.frames for t in found.test] == [t.frames for t in flat.test]
    assert found.fingerprint == flat.fingerprint


def test_q13_a_list_in_another_order_than_the_table_is_refused(mars_tree):
    write_lists(mars_tree)
    listed = mars_tree / "info" / "test_name.txt"
    lines = listed.read_text().split()
    listed.write_text("\n".join(lines[2:] + lines[:2]))
    with pytest.raises(ValueError, match="the table says person -1, camera 1"):
        mars(mars_tree)


def test_q15_persons_of_one_camera_and_tracklets_of_two_frames_are_kept(mars_tree):
    found = mars(mars_tree)
    assert [t.camid for t in found.train if t.pid == 7] == [1]
    assert min(map(len, found.test)) == 2
