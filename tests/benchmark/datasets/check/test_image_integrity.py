import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from benchmark.datasets.check import image_integrity
from benchmark.datasets.check.image_integrity import DAMAGED, broken_images, what_is_broken


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_whole_images_are_not_broken(tmp_path, request, kind, deep):
    path = tmp_path / "image"
    path.write_bytes(request.getfixturevalue(kind))
    assert what_is_broken(str(path), deep=deep) is None


def test_bytes_after_the_end_of_an_image_break_nothing(tmp_path, jpeg):
    path = tmp_path / "image.jpg"
    path.write_bytes(jpeg + b"\0" * 300)
    assert what_is_broken(str(path), deep=False) is None


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_q48_an_image_that_is_cut_short_is_found(tmp_path, request, kind, deep):
    path = tmp_path / "image"
    path.write_bytes(request.getfixturevalue(kind)[:-20])
    assert "cannot be decoded" in what_is_broken(str(path), deep=deep)


@pytest.mark.parametrize("deep", [False, True])
def test_q48_empty_and_missing_images_are_found(tmp_path, deep):
    path = tmp_path / "image.jpg"
    assert what_is_broken(str(path), deep=deep) == "cannot be read (No such file or directory)"
    path.write_bytes(b"")
    assert what_is_broken(str(path), deep=deep) == "is empty"


@pytest.mark.parametrize("deep", [False, True])
def test_q48_a_file_that_is_no_image_is_found(tmp_path, deep):
    path = tmp_path / "image.jpg"
    path.write_bytes(b"<html>404</html>")
    assert "cannot be decoded" in what_is_broken(str(path), deep=deep)
    Image.new("RGB", (4, 4)).save(path, "GIF")
    assert "cannot be decoded" in what_is_broken(str(path), deep=deep)


def test_q48_only_decoding_finds_damage_in_the_middle(tmp_path, png):
    path = tmp_path / "image.png"
    middle = png.index(b"IDAT") + 8
    path.write_bytes(png[:middle] + b"\xff" * 8 + png[middle + 8 :])
    assert what_is_broken(str(path), deep=False) is None
    assert "cannot be decoded" in what_is_broken(str(path), deep=True)


def test_q48_an_image_of_absurd_size_is_not_unpacked(tmp_path, monkeypatch, png):
    path = tmp_path / "image.png"
    path.write_bytes(png)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    assert "cannot be decoded" in what_is_broken(str(path), deep=True)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(place=st.integers(0, 2000), new=st.binary(max_size=6), cut=st.integers(0, 2000))
def test_q48_a_damaged_image_never_raises(tmp_path_factory, place, new, cut):
    path = tmp_path_factory.mktemp("fuzz") / "image.jpg"
    Image.linear_gradient("L").resize((16, 32)).save(path, "JPEG")
    data = bytearray(path.read_bytes())
    data[place % len(data) : place % len(data) + len(new)] = new
    path.write_bytes(data[: max(1, len(data) - cut)])
    reason = what_is_broken(str(path), deep=True)
    assert reason is None or "\n" not in reason


def test_several_processes_find_the_same_in_the_same_order(tmp_path, monkeypatch, jpeg, recorder):
    monkeypatch.setattr(image_integrity, "CHUNK", 3)
    paths = []
    for number in range(10):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(b"" if number in (4, 8) else jpeg)
        paths.append(str(path))
    alone = list(broken_images(paths, deep=True, workers=1))
    found = list(broken_images(paths, deep=True, workers=2, progress=recorder))
    assert found == alone == [(paths[4], "is empty"), (paths[8], "is empty")]
    assert recorder.steps == [("decoding images", done, 10) for done in (3, 6, 9, 10)]


def test_of_no_images_none_are_broken():
    assert list(broken_images([], deep=True)) == []


def damaged_within(jpeg):
    """The same with a few bytes of its middle lost: it decodes, and a part of it is grey."""
    middle = len(jpeg) // 2
    return jpeg[:middle] + bytes(30) + jpeg[middle + 30 :]


@pytest.mark.parametrize("workers", [1, 2])
def test_damage_that_a_decoder_repairs_is_named(tmp_path, capfd, workers):
    noise = np.random.default_rng(0).integers(0, 255, (64, 32, 3), dtype=np.uint8)
    paths = [str(tmp_path / f"{n}.jpg") for n in range(3)]
    for path in paths:
        Image.fromarray(noise).save(path)
    Path(paths[1]).write_bytes(damaged_within(Path(paths[1]).read_bytes()))
    ((path, reason),) = broken_images(paths, deep=True, workers=workers)
    assert path == paths[1] and reason.startswith(f"{DAMAGED} (Corrupt JPEG data: ")
    assert "JPEG" not in capfd.readouterr().err
    assert list(broken_images(paths, deep=False)) == []


def test_a_whole_image_is_unpacked_once(tmp_path, monkeypatch, jpeg):
    unpacked = []
    load = JpegImageFile.load
    monkeypatch.setattr(JpegImageFile, "load", lambda self: unpacked.append(self) or load(self))
    (tmp_path / "a.jpg").write_bytes(jpeg)
    assert what_is_broken(str(tmp_path / "a.jpg"), deep=True) is None and not unpacked
    (tmp_path / "b.jpg").write_bytes(jpeg[:-2])
    what_is_broken(str(tmp_path / "b.jpg"), deep=True)
    assert unpacked


@pytest.mark.parametrize("deep", [False, True])
def test_what_is_no_regular_file_is_never_opened(tmp_path, deep):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    for path in (tmp_path / "pipe.jpg", tmp_path / "folder.jpg", "/dev/zero"):
        assert what_is_broken(str(path), deep=deep) == "cannot be read (no regular file)"


def test_a_png_of_sixteen_bits_is_named(tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(tmp_path / "deep.png")
    assert what_is_broken(str(tmp_path / "deep.png"), deep=True).startswith("has more than 8 bits")
