import numpy as np
import pytest

from benchmark.datasets.check.examine import examine
from benchmark.datasets.lsvid import LSVID, lsvid


@pytest.fixture
def tree(lsvid_tree):
    return lsvid_tree


@pytest.mark.parametrize("query", ["mat", "v5", "npy"])
def test_q36_queries_are_read_from_every_kind_of_file(tree, query):
    assert lsvid(tree(first=1, query=query)).query == (0, 3)


@pytest.mark.parametrize(("nested", "info"), [("LS-VID", ""), ("", "info"), ("LS-VID", "info")])
def test_q37_copies_are_found_nested_and_with_lists_below_info(tree, read, nested, info):
    found = lsvid(tree(nested=nested, info=info, first=1))
    assert read(found.train) == [(1, 3, 3), (2, 15, 2)]


def test_q38_a_prefix_does_not_catch_a_longer_sibling(tree, read):
    found = lsvid(tree(first=1))
    assert read(found.test) == [(7, 1, 2), (7, 2, 3), (7, 5, 2), (8, 1, 2)]


@pytest.mark.parametrize("tail", [".jpg", "_0.jpg", "_morning_0500_0.jpg"])
def test_q39_the_third_field_is_the_camera_however_many_follow(tree, tail):
    assert [t.camid for t in lsvid(tree(tail=tail)).test] == [1, 2, 5, 1]


def test_q39_a_name_without_a_camera_is_refused(tree, put_images):
    root = tree()
    put_images(root / "tracklet_test" / "0009", ["0009_x.jpg"])
    listed = root / "list_sequence" / "list_seq_test.txt"
    listed.write_text(listed.read_text() + "tracklet_test/0009/0009 9\n")
    with pytest.raises(ValueError, match=r"0009_x\.jpg: the third field of its name is no camera"):
        lsvid(root)


def test_q39_a_prefix_that_spans_two_cameras_is_refused(tree, put_images):
    root = tree()
    put_images(root / "tracklet_test" / "0009", ["0009_1_01_1.jpg", "0009_1_02_1.jpg"])
    listed = root / "list_sequence" / "list_seq_test.txt"
    listed.write_text(listed.read_text() + "tracklet_test/0009/0009_1 9\n")
    with pytest.raises(ValueError, match="camera 2 in a tracklet of camera 1"):
        lsvid(root)


def test_q40_every_test_tracklet_is_kept_and_the_protocol_takes_the_queries_out(tree):
    found = lsvid(tree())
    assert len(found.test) == 4
    assert found.protocol == "open"


@pytest.mark.parametrize("first", [0, 1])
def test_q41_persons_counted_from_0_are_no_distractors(tree, first):
    found = lsvid(tree(first=first))
    assert [t.pid for t in found.train] == [1, 2]
    note = "persons are numbered from 0 in the lists, from 1 here"
    assert found.notes == ((note,) if first == 0 else ())


@pytest.mark.parametrize("prefix", ["../x", "/etc/passwd", "a/../../x", "C:/x", "..\\x", ""])
def test_q42_a_list_cannot_lead_out_of_the_folder(tree, prefix):
    root = tree()
    (root / "list_sequence" / "list_seq_train.txt").write_text(f"{prefix} 1\n")
    with pytest.raises((ValueError, FileNotFoundError), match=r"leads out|is not '<prefix>"):
        lsvid(root)


def test_an_image_of_two_tracklets_is_refused(tree):
    root = tree()
    listed = root / "list_sequence" / "list_seq_test.txt"
    listed.write_text(listed.read_text() + "tracklet_test/0007/0007_0001 7\n")
    with pytest.raises(ValueError, match="belongs to two tracklets"):
        lsvid(root)


def test_a_tracklet_without_images_is_named(tree):
    root = tree()
    for image in (root / "tracklet_train" / "0001").iterdir():
        image.unlink()
    with pytest.raises(FileNotFoundError, match=r"0001/0001_0001_03_\* is missing: a list names"):
        lsvid(root)


@pytest.mark.parametrize("line", ["one-word", "tracklet_train/x person", "x 1.5", "x -2", "x ²"])
def test_a_line_that_is_no_prefix_and_person_is_named(tree, line):
    root = tree()
    (root / "list_sequence" / "list_seq_train.txt").write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"list_seq_train\.txt, line 2: .* is not '<prefix>"):
        lsvid(root)


@pytest.mark.parametrize("rows", [[0], [5], [1, 1], [1.5]])
def test_query_rows_that_do_not_exist_are_refused(tree, rows):
    root = tree(query="npy")
    np.save(root / "test" / "query.npy", np.array(rows))
    with pytest.raises(ValueError, match=r"query\.npy"):
        lsvid(root)


def test_a_query_file_is_never_unpickled(tree):
    root = tree(query="npy")
    np.save(root / "test" / "query.npy", np.array([1, None], object), allow_pickle=True)
    with pytest.raises(ValueError, match="holds no query rows"):
        lsvid(root)


@pytest.mark.parametrize("gone", ["tracklet_test", "list_sequence", "test"])
def test_a_missing_part_is_named(tree, gone):
    root = tree()
    (root / gone).rename(root / "gone")
    with pytest.raises(FileNotFoundError, match=gone):
        lsvid(root)


def test_images_that_no_list_names_are_fine_and_other_files_are_not(tree, put_images):
    root = tree(nested="LS-VID")
    put_images(root / "LS-VID" / "tracklet_test" / "0007", ["0007_0009_01_1.jpg"])
    assert not [f for f in examine("lsvid", root) if f.verdict == "wrong"]
    (root / "LS-VID" / "tracklet_train" / "0001" / ".DS_Store").write_bytes(b"x")
    (wrong,) = [f for f in examine("lsvid", root) if f.verdict == "wrong"]
    assert ".DS_Store is no image" in wrong.found


def test_counts_that_nobody_measured_cannot_make_a_copy_wrong(tree, monkeypatch):
    monkeypatch.setitem(LSVID.reference_counts, "lsvid", {"train persons": 2, "test tracklets": 5})
    found = {f.check: f.verdict for f in examine("lsvid", tree())}
    assert found["train persons"] == "official"
    assert found["test tracklets"] == "differs"


@pytest.mark.parametrize(("nested", "info"), [("", ""), ("LS-VID", "info")])
def test_opening_depends_on_the_lists_the_queries_and_the_folders_of_the_prefixes(
    tree, nested, info
):
    root = tree(nested=nested, info=info)
    home = root / nested
    found = LSVID.sources(root)
    assert {path.relative_to(home).as_posix() for path in found.folders} == {
        ".",
        "tracklet_train/0001",
        "tracklet_train/0002",
        "tracklet_test/0007",
        "tracklet_test/0008",
    }
    names = {"list_seq_train.txt", "list_seq_test.txt", "info_test.mat"}
    assert {path.name for path in found.files} == names
