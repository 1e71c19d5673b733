import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from benchmark.datasets.base import Tracklet
from benchmark.datasets.mars import SHA256, mars
from benchmark.datasets.mars_files import TABLES
from benchmark.datasets.matlab import table
from benchmark.files import sha256

TRAIN = [(1, 1, 3), (1, 2, 2), (7, 1, 4)]  # person, camera, frames
TEST = [(-1, 1, 2), (0, 2, 3), (2, 1, 2), (2, 3, 5)]


def name(pid, camera, track, frame):
    code = "00-1" if pid == -1 else f"{pid:04d}"
    return f"{code}C{camera}T{track:04d}F{frame:03d}.jpg"


def write_part(root, part, tracks, *, lists=True, info="info", folder=None):
    """One part in the MARS grammar, of images that are one byte each."""
    names, table = [], []
    for track, (pid, camera, frames) in enumerate(tracks, start=1):
        new = [name(pid, camera, track, frame) for frame in range(1, frames + 1)]
        table.append((len(names) + 1, len(names) + frames, pid, camera))
        names += new
    home = root / (folder or f"bbox_{part}")
    for image in names:
        (home / image[:4]).mkdir(parents=True, exist_ok=True)
        (home / image[:4] / image).write_bytes(b"x")
    (root / info).mkdir(parents=True, exist_ok=True)
    if lists:
        (root / info / f"{part}_name.txt").write_bytes("".join(f"{n}\r\n" for n in names).encode())
    variable = TABLES[f"tracks_{part}_info.mat"]
    scipy.io.savemat(root / info / f"tracks_{part}_info.mat", {variable: np.array(table, np.int32)})
    return names


def write_mars(root, *, query=(3, 4), info="info", **settings):
    write_part(root, "train", TRAIN, info=info, **settings)
    write_part(root, "test", TEST, info=info, **settings)
    scipy.io.savemat(root / info / "query_IDX.mat", {"query_IDX": np.array([query], np.uint16)})
    return root


def test_tracklets_are_read_in_the_order_of_the_tables(tmp_path):
    found = mars(write_mars(tmp_path))
    assert [(t.pid, t.camid, len(t)) for t in found.train] == TRAIN
    assert [(t.pid, t.camid, len(t)) for t in found.test] == TEST
    assert found.query == (2, 3)
    assert found.protocol == "mars-official"
    assert found.notes == ()
    assert all(Path(t.path(k)).is_file() for t in found.test for k in range(len(t)))


def test_a_missing_name_list_is_rebuilt_and_noted(tmp_path):
    with_lists = mars(write_mars(tmp_path / "a"))
    without = mars(write_mars(tmp_path / "b", lists=False))
    assert [t.frames for t in without.test] == [t.frames for t in with_lists.test]
    assert len(without.notes) == 2
    assert "test_name.txt rebuilt from 12 images" in without.notes[1]


def test_nested_folders_and_the_evaluation_folder_are_found(tmp_path):
    write_part(
        tmp_path, "train", TRAIN, info="MARS-evaluation/info", folder="bbox_train/bbox_train"
    )
    write_part(tmp_path, "test", TEST, info="MARS-evaluation/info")
    query = {"query_IDX": np.array([[3]], np.uint16)}
    scipy.io.savemat(tmp_path / "MARS-evaluation" / "info" / "query_IDX.mat", query)
    found = mars(tmp_path)
    assert len(found.train) == len(TRAIN)
    assert found.train[0].folder.endswith(os.path.join("bbox_train", "bbox_train", "0001"))


def test_a_folder_called_mars_inside_the_root_is_looked_into(tmp_path):
    write_mars(tmp_path / "MARS")
    assert len(mars(tmp_path).test) == len(TEST)


def test_a_missing_image_is_named(tmp_path):
    write_mars(tmp_path)
    gone = tmp_path / "bbox_test" / "0002" / name(2, 3, 4, 5)
    gone.unlink()
    with pytest.raises(FileNotFoundError, match=gone.name):
        mars(tmp_path)


def test_a_missing_image_is_noticed_without_name_lists(tmp_path):
    write_mars(tmp_path, lists=False)
    (tmp_path / "bbox_test" / "0000" / name(0, 2, 2, 3)).unlink()
    with pytest.raises(ValueError, match="images are missing"):
        mars(tmp_path)


def test_a_table_that_contradicts_the_names_is_named(tmp_path):
    write_mars(tmp_path)
    tracks = [(pid, camera + (pid == 7), frames) for pid, camera, frames in TRAIN]
    write_part(tmp_path, "train", tracks, folder="elsewhere", lists=False)
    with pytest.raises(
        ValueError, match=r"0007C1T0003F001\.jpg: the table says person 7, camera 2"
    ):
        mars(tmp_path)


def test_a_stray_image_does_not_shift_a_track_silently(tmp_path):
    write_mars(tmp_path, lists=False)
    (tmp_path / "bbox_test" / "0000" / name(0, 2, 2, 4)).write_bytes(b"x")
    with pytest.raises(ValueError, match="images are too many"):
        mars(tmp_path)


def test_hidden_and_foreign_files_do_not_count(tmp_path):
    write_mars(tmp_path, lists=False)
    person = tmp_path / "bbox_test" / "0002"
    for stray in (f"._{name(2, 1, 3, 1)}", "Thumbs.db", "note.jpg"):
        (person / stray).write_bytes(b"x")
    assert [len(t) for t in mars(tmp_path).test] == [frames for *_, frames in TEST]


def test_query_rows_are_counted_without_wrapping_around(tmp_path):
    write_mars(tmp_path, query=(0, 3))  # 0 - 1 is 65535 in uint16
    with pytest.raises(ValueError, match=r"query_IDX\.mat: rows must lie in 1\.\.4"):
        mars(tmp_path)


@pytest.mark.parametrize("file", TABLES)
def test_a_missing_or_broken_table_is_named(tmp_path, file):
    write_mars(tmp_path)
    (tmp_path / "info" / file).write_bytes(b"no table")
    with pytest.raises(ValueError, match=file):
        mars(tmp_path)
    (tmp_path / "info" / file).unlink()
    with pytest.raises(FileNotFoundError, match=file):
        mars(tmp_path)


def test_a_folder_without_mars_says_what_it_should_hold(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected bbox_train/, bbox_test/ and info/"):
        mars(tmp_path)


def test_the_fingerprint_sees_names_and_sizes(tmp_path):
    write_mars(tmp_path)
    before = mars(tmp_path).fingerprint
    assert mars(tmp_path).fingerprint == before
    (tmp_path / "bbox_train" / "0001" / name(1, 1, 1, 1)).write_bytes(b"longer")
    assert mars(tmp_path).fingerprint != before


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


@pytest.mark.skipif(
    "ZOO_MARS_INFO" not in os.environ, reason="ZOO_MARS_INFO names no folder of MARS tables"
)
def test_the_real_tables_have_the_known_counts():
    info = Path(os.environ["ZOO_MARS_INFO"])
    tables = {file: table(info / file, variable, "") for file, variable in TABLES.items()}
    for file, tracks, images in (("train", 8298, 509_914), ("test", 12_180, 681_089)):
        rows = tables[f"tracks_{file}_info.mat"]
        assert rows.shape == (tracks, 4)
        assert rows[0, 0] == 1
        assert rows[-1, 1] == images
        assert (rows[1:, 0] == rows[:-1, 1] + 1).all()
        assert set(rows[:, 3]) == set(range(1, 7))
    assert len(set(tables["tracks_train_info.mat"][:, 2])) == 625
    pids = tables["tracks_test_info.mat"][:, 2]
    assert len(set(pids)) == 634 + 2
    assert (Counter(pids)[-1], Counter(pids)[0]) == (870, 3248)
    query = tables["query_IDX.mat"].ravel()
    assert len(query) == 1980
    assert len(set(pids[query - 1])) == 626


@pytest.mark.skipif(
    "ZOO_MARS_INFO" not in os.environ, reason="ZOO_MARS_INFO names no folder of MARS tables"
)
@pytest.mark.parametrize("file", SHA256)
def test_the_real_tables_have_the_official_hashes(file):
    assert sha256(Path(os.environ["ZOO_MARS_INFO"], file)) == SHA256[file]


def test_progress_advances_with_every_person(mars_tree, recorder):
    mars(mars_tree, progress=recorder)
    assert recorder.steps == [
        *(("reading bbox_train", done, 2) for done in (1, 2)),
        *(("reading bbox_test", done, 4) for done in (1, 2, 3, 4)),
    ]
