import shutil

import pytest

from benchmark.datasets.catalogue import open_dataset
from benchmark.datasets.folder import folder


@pytest.fixture
def tree(tmp_path, put_images):
    root = tmp_path / "own"
    for path in (
        "train/anna/1_a",
        "train/anna/2_a",
        "train/ben/1_a",
        "query/cleo/1_a",
        "gallery/cleo/2_b",
        "gallery/-1/2_a",
    ):
        put_images(root / path, ["1.jpg", "2.png"])
    return root


def test_persons_and_cameras_are_numbered_in_sorted_order(tree, read):
    found = folder(tree)
    assert read(found.train) == [(1, 1, 2), (1, 2, 2), (2, 1, 2)]
    assert read(found.test) == [(3, 1, 2), (-1, 2, 2), (3, 2, 2)]
    assert found.query == (0,)
    assert found.protocol == "open"


def test_q44_without_cameras_the_report_says_so(tree):
    found = open_dataset("folder[cameras=false]", tree)
    assert found.notes == ("cameras unknown: tracks of the query's own camera stay in the gallery",)
    assert {t.camid for t in found.test} == {0}


def test_q44_a_folder_that_names_no_camera_is_refused(tree):
    (tree / "query" / "cleo" / "1_a").rename(tree / "query" / "cleo" / "a")
    with pytest.raises(
        ValueError, match=r"if cameras are not known, say 'folder\[cameras=false\]'"
    ):
        folder(tree)


def test_q44_without_cameras_a_query_in_the_gallery_would_be_its_own_match(tree):
    shutil.copytree(tree / "query" / "cleo" / "1_a", tree / "gallery" / "cleo" / "1_a")
    assert len(folder(tree).test) == 4  # the same camera: it leaves the gallery
    with pytest.raises(ValueError, match=r"gallery/cleo/1_a is the query .*query/cleo/1_a again"):
        folder(tree, cameras=False)


@pytest.mark.parametrize("part", ["query", "gallery"])
def test_a_missing_part_is_named(tree, part):
    shutil.rmtree(tree / part)
    with pytest.raises(FileNotFoundError, match=f"{part} holds no tracklets"):
        folder(tree)


def test_an_empty_tracklet_is_named(tree):
    (tree / "query" / "cleo" / "1_z").mkdir()
    with pytest.raises(FileNotFoundError, match=r"query/cleo/1_z holds no \.jpg or \.png"):
        folder(tree)


def test_a_folder_without_tracklets_says_what_it_should_hold(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected \{train,query,gallery\}/<pid>"):
        folder(tmp_path)


def test_a_folder_gets_a_name_that_changes_nothing_else(tree):
    plain, named = open_dataset("folder", tree), open_dataset("folder[name=airport]", tree)
    assert named.name == "folder[name=airport]"
    assert (named.fingerprint, named.test) == (plain.fingerprint, plain.test)
    assert open_dataset("folder[name=airport]:2persons", tree).name.startswith(named.name)


@pytest.mark.parametrize("name", ["../x", "a b", "7", "-x", "é", "a" * 41, "a/b", "x+y"])
def test_what_is_no_name_is_refused_in_one_line(tree, name):
    with pytest.raises(ValueError, match="folder: name is") as caught:
        open_dataset(f"folder[name={name}]", tree)
    assert "\n" not in str(caught.value)
