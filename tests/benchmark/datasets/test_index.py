import functools
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.datasets import catalogue, index
from benchmark.datasets.catalogue import open_dataset
from benchmark.datasets.mars import MARS, mars


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own, in which every copy is worth an index."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(index, "WORTH", 1)
    return tmp_path / "cache" / "indexes"


@pytest.fixture
def tree(mars_tree):
    """A copy that nobody has changed for a minute."""
    settle(mars_tree)
    return mars_tree


def settle(root):
    past = time.time() - 60
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
        os.utime(folder, (past, past))


@pytest.fixture
def readings(monkeypatch):
    """The roots that were read and not taken from an index."""
    roots = []

    @functools.wraps(mars)
    def counted(root, **how):
        roots.append(root)
        return mars(root, **how)

    monkeypatch.setattr(catalogue, "DATASETS", (replace(MARS, open=counted),))
    return roots


def test_a_copy_is_read_once_and_is_the_same_the_second_time(tree, readings):
    first, second = open_dataset("mars", tree), open_dataset("mars", tree)
    assert len(readings) == 1
    assert first == second == mars(tree)


def test_no_image_is_looked_at_the_second_time(tree, monkeypatch):
    first = open_dataset("mars", tree)
    looked = []
    monkeypatch.setattr("benchmark.datasets.mars_files.image_names", looked.append)
    assert open_dataset("mars", tree) == first
    assert looked == []


def test_a_folder_that_has_changed_is_read_again(tree, put_images):
    first = open_dataset("mars", tree)
    image = tree / "bbox_test" / "0005" / "0005C1T0005F001.jpg"
    data = image.read_bytes()
    image.unlink()
    image.write_bytes(data + b"longer")
    second = open_dataset("mars", tree)
    assert second.fingerprint != first.fingerprint
    assert second == mars(tree)


def test_a_new_folder_and_a_removed_image_are_noticed(tree, put_images):
    open_dataset("mars", tree)
    put_images(tree / "bbox_test" / "0009", ["0009C1T0001F001.jpg"])
    with pytest.raises(ValueError, match="images are too many"):
        open_dataset("mars", tree)


@pytest.mark.parametrize("file", ["train_name.txt", "tracks_test_info.mat"])
def test_another_list_or_table_is_read_again(tree, readings, file):
    listed = tree / "info" / "train_name.txt"
    names = sorted(path.name for path in (tree / "bbox_train").glob("*/*.jpg"))
    listed.write_text("\n".join(names))
    settle(tree)
    open_dataset("mars", tree)
    path = tree / "info" / file
    with path.open("r+b") as there:  # in place: the folder's time stays
        data = there.read()
        there.seek(0)
        there.write(data.replace(b"\n", b"\r\n") if file == "train_name.txt" else b"X" + data[1:])
    settle(tree)
    readings.clear()
    try:
        open_dataset("mars", tree)
    except ValueError as error:
        assert file in str(error)
    assert len(readings) == 1


def test_a_list_that_appears_is_noticed(tree, readings):
    assert open_dataset("mars", tree).notes
    for part in ("train", "test"):
        names = sorted(path.name for path in (tree / f"bbox_{part}").glob("*/*.jpg"))
        (tree / "info" / f"{part}_name.txt").write_text("\n".join(names))
    assert open_dataset("mars", tree).notes == ()
    assert len(readings) == 2


@pytest.mark.parametrize(
    "spoil", [lambda data: b"", lambda data: data[:-9], lambda data: data[:200] + b"?" + data[201:]]
)
def test_a_damaged_index_is_ignored_and_made_again(tree, cache, readings, spoil):
    first = open_dataset("mars", tree)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(spoil(whole))
    assert open_dataset("mars", tree) == first
    assert len(readings) == 2
    assert file.read_bytes() == whole


def test_a_cache_that_cannot_be_written_only_means_slow(tree, cache, readings):
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    assert open_dataset("mars", tree) == open_dataset("mars", tree)
    assert len(readings) == 2


def test_a_folder_changed_just_now_may_change_again_and_is_not_indexed(mars_tree, cache):
    open_dataset("mars", mars_tree)
    assert not cache.exists()


def test_a_small_copy_is_not_indexed(tree, cache, monkeypatch):
    monkeypatch.setattr(index, "WORTH", 100)
    open_dataset("mars", tree)
    assert not cache.exists()


def test_an_index_that_is_not_trusted_is_made_again(tree, cache, readings):
    open_dataset("mars", tree)
    image = tree / "bbox_test" / "0005" / "0005C1T0005F001.jpg"
    image.write_bytes(b"rewritten in place")
    assert open_dataset("mars", tree) != mars(tree)
    assert open_dataset("mars", tree, trust_index=False) == mars(tree)
    assert open_dataset("mars", tree) == mars(tree)


def test_copies_in_two_places_have_an_index_each(tree, cache, tmp_path):
    here = open_dataset("mars", tree)
    elsewhere = tree.rename(tmp_path / "elsewhere")
    settle(elsewhere)
    there = open_dataset("mars", elsewhere)
    assert there.fingerprint == here.fingerprint
    assert all(Path(t.folder).is_relative_to(elsewhere) for t in (*there.train, *there.test))
    assert len(list(cache.iterdir())) == 2


def test_a_root_in_other_words_gives_paths_in_these_words(tree, readings, monkeypatch):
    open_dataset("mars", tree)
    monkeypatch.chdir(tree.parent)
    found = open_dataset("mars", Path("mars"))
    assert len(readings) == 1
    assert found == mars(Path("mars"))
    assert found.train[0].folder == os.path.join("mars", "bbox_train", "0001")
