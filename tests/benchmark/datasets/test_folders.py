import os
import re

import pytest

from benchmark.datasets.folders import (
    find_file,
    find_home,
    grammatical_images,
    image_names,
    subfolders,
)

GRAMMAR = re.compile(r"(?P<person>\d+)_(?P<frame>\d+)\.jpg")


def put(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x" * len(name))


def test_images_are_sorted_and_hidden_or_other_files_do_not_count(tmp_path):
    put(tmp_path, "b.JPG", "a.png", "._a.png", "Thumbs.db", "c.jpeg")
    assert image_names(tmp_path) == [("a.png", 5), ("b.JPG", 5), ("c.jpeg", 6)]


def test_folders_are_sorted_and_hidden_ones_and_files_do_not_count(tmp_path):
    for name in ("b", "a", ".git"):
        (tmp_path / name).mkdir()
    put(tmp_path, "0.jpg")
    assert [path.name for path in subfolders(tmp_path)] == ["a", "b"]


def test_the_nearest_folder_that_holds_all_is_found_through_wrappers(tmp_path):
    (tmp_path / "w" / "v" / "train").mkdir(parents=True)
    assert find_home(tmp_path, ("w", "v"), ("train",)) == tmp_path / "w" / "v"
    (tmp_path / "w" / "train").mkdir()
    assert find_home(tmp_path, ("w", "v"), ("train",)) == tmp_path / "w"
    assert find_home(tmp_path, ("w", "v"), ("train", "test")) is None
    assert find_home(tmp_path, ("w",), ("train",), depth=0) is None


def test_a_file_is_looked_for_from_the_home_up_to_the_root_and_no_further(tmp_path):
    root, home = tmp_path / "root", tmp_path / "root" / "home"
    home.mkdir(parents=True)
    put(tmp_path, "s.mat")
    assert find_file(root, home, ("s.mat",)) is None
    put(root, "s.mat")
    assert find_file(root, home, ("s.mat",)) == root / "s.mat"
    put(home / "splits", "s.mat")
    assert find_file(root, home, ("splits/s.mat", "s.mat")) == home / "splits" / "s.mat"


def test_images_come_in_the_order_of_their_frame_numbers(tmp_path):
    put(tmp_path, "1_10.jpg", "1_9.jpg")
    found = grammatical_images(tmp_path, GRAMMAR, "1_1.jpg", {"person": "1"})
    assert [name for name, _ in found] == ["1_9.jpg", "1_10.jpg"]


@pytest.mark.parametrize(
    ("names", "error", "words"),
    [
        ((), FileNotFoundError, "holds no image: expected images like 1_1.jpg"),
        (("x.jpg",), ValueError, "is not called like 1_1.jpg"),
        (("2_1.jpg",), ValueError, "its name says person 2, its place says 1"),
        (("1_1.jpg", "1_01.jpg"), ValueError, "are both frame 1"),
    ],
)
def test_a_folder_that_is_no_tracklet_is_refused(tmp_path, names, error, words):
    put(tmp_path, *names)
    with pytest.raises(error, match=words):
        grammatical_images(tmp_path, GRAMMAR, "1_1.jpg", {"person": "1"})


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_named_like_an_image_and_is_none_is_refused(tmp_path, make):
    make(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match=r"a\.jpg is named like an image and is no regular file"):
        image_names(tmp_path)
