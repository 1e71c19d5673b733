"""my_dataset: its layout written in small, and broken in each way that people meet."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

import zoo
from zoo.plugins import add_plugin

add_plugin(str(Path(__file__).with_name("my_dataset.py")))
TRACKS = ("0001_c1_01", "0001_c2_01", "0002_c1_01", "0007_c1_01", "0007_c2_01", "0007_c2_02")


@pytest.fixture
def copy(tmp_path):
    """Persons 1 and 2 to train on, person 7 to test with."""
    (tmp_path / "train.txt").write_text("0001\n0002\n")
    for name in TRACKS:
        (tmp_path / "tracks" / name).mkdir(parents=True)
        for frame in ("0001.jpg", "0002.jpg"):
            Image.new("RGB", (4, 8)).save(tmp_path / "tracks" / name / frame)
    return tmp_path


def test_persons_of_the_list_are_trained_on_and_one_camera_gives_the_queries(copy):
    found = zoo.open_dataset("my_dataset", copy)
    assert [(t.pid, t.camid, len(t)) for t in found.train] == [(1, 1, 2), (1, 2, 2), (2, 1, 2)]
    assert [(t.pid, t.camid, len(t)) for t in found.test] == [(7, 1, 2), (7, 2, 2), (7, 2, 2)]
    assert found.query == (0,)
    assert zoo.open_dataset("my_dataset[query_camera=2]", copy).query == (1, 2)


def test_another_image_is_another_fingerprint(copy):
    before = zoo.open_dataset("my_dataset", copy).fingerprint
    Image.new("RGB", (40, 80)).save(copy / "tracks" / TRACKS[0] / "0002.jpg")
    assert zoo.open_dataset("my_dataset", copy).fingerprint != before


@pytest.mark.parametrize("name", ["train.txt", "tracks"])
def test_what_is_missing_is_named(copy, name):
    (copy / name).rename(copy / "elsewhere")
    with pytest.raises(FileNotFoundError, match=f"{name} is missing"):
        zoo.open_dataset("my_dataset", copy)


def test_a_tracklet_without_images_is_named(copy):
    shutil.rmtree(copy / "tracks" / TRACKS[0])
    (copy / "tracks" / TRACKS[0]).mkdir()
    with pytest.raises(FileNotFoundError, match=f"{TRACKS[0]} holds no image"):
        zoo.open_dataset("my_dataset", copy)


@pytest.mark.parametrize(
    ("break_", "says"),
    [
        (lambda copy: (copy / "train.txt").write_text("anna"), "holds 'anna', expected a person's"),
        (lambda copy: (copy / "train.txt").write_text("9"), "no tracklet of a person in"),
        (lambda copy: (copy / "tracks" / "0007").mkdir(), "not called like 0001_c1_01"),
        (
            lambda copy: (copy / "tracks" / TRACKS[0] / "x.jpg").write_bytes(b""),
            "not called like 0001.jpg",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_name(copy, break_, says):
    break_(copy)
    with pytest.raises(ValueError, match=says):
        zoo.open_dataset("my_dataset", copy)


def test_a_camera_that_saw_nobody_has_no_queries(copy):
    with pytest.raises(ValueError, match="no tracklet for the test from c5"):
        zoo.open_dataset("my_dataset[query_camera=5]", copy)
