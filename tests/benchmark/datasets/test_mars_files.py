import shutil

import pytest

from benchmark.datasets.mars import mars
from benchmark.datasets.mars_files import (
    first_contradiction,
    image_sizes,
    mars_home,
    part_folder,
    sources,
    table_files,
)


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


def test_q12_an_image_in_another_persons_folder_does_not_count(mars_tree, put_images):
    put_images(mars_tree / "bbox_test" / "0005", ["0002C1T0003F003.jpg"])
    assert "0002C1T0003F003.jpg" not in image_sizes(mars_tree / "bbox_test")


def test_sources_are_all_folders_and_the_tables_and_lists_that_are_there(mars_tree):
    (mars_tree / "info" / "test_name.txt").write_text("")
    found = sources(mars_tree)
    below = {folder.relative_to(mars_tree).as_posix() for folder in found.folders}
    persons = {"bbox_train/0001", "bbox_train/0007"} | {
        f"bbox_test/{code}" for code in ("00-1", "0000", "0002", "0005")
    }
    assert below == {".", "info", "bbox_train", "bbox_test"} | persons
    assert {file.name for file in found.files} == {
        "test_name.txt",
        "tracks_train_info.mat",
        "tracks_test_info.mat",
        "query_IDX.mat",
    }


def test_a_copy_that_fits_has_no_contradiction(mars_tree):
    assert first_contradiction(mars_tree) is None
    image = next((mars_tree / "bbox_train" / "0007").iterdir())
    image.unlink()
    assert "0007C1T0003: 3 images, expected 4" in first_contradiction(mars_tree)


@pytest.mark.parametrize("gone", ["bbox_train", "bbox_test", "info"])
def test_a_missing_folder_is_named(mars_tree, gone):
    shutil.rmtree(mars_tree / gone)
    with pytest.raises(FileNotFoundError, match=gone):
        sources(mars_tree)


def test_the_tables_lie_in_the_info_folder(mars_tree):
    assert [file.name for file in table_files(mars_tree)] == [
        "tracks_train_info.mat",
        "tracks_test_info.mat",
        "query_IDX.mat",
    ]
    assert mars_home(mars_tree) == mars_tree
    assert part_folder(mars_tree, "bbox_test") == mars_tree / "bbox_test"
