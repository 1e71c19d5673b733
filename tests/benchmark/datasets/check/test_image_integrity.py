import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmark.datasets.check import image_integrity as intact
from benchmark.datasets.check.image_integrity import fault, faults


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_whole_images_have_no_fault(tmp_path, request, kind, deep):
    path = tmp_path / "image"
    path.write_bytes(request.getfixturevalue(kind))
    assert fault(str(path), deep=deep) is None


def test_bytes_after_the_end_of_an_image_are_no_fault(tmp_path, jpeg):
    path = tmp_path / "image.jpg"
    path.write_bytes(jpeg + b"\0" * 300)
    assert fault(str(path), deep=False) is None


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_q48_an_image_that_is_cut_short_is_found(tmp_path, request, kind, deep):
    path = tmp_path / "image"
    path.write_bytes(request.getfixturevalue(kind)[:-20])
    assert "cannot be decoded" in fault(str(path), deep=deep)


@pytest.mark.parametrize("deep", [False, True])
def test_q48_empty_and_missing_images_are_found(tmp_path, deep):
    path = tmp_path / "image.jpg"
    assert fault(str(path), deep=deep) == "cannot be read (No such file or directory)"
    path.write_bytes(b"")
    assert fault(str(path), deep=deep) == "is empty"


@pytest.mark.parametrize("deep", [False, True])
def test_q48_a_file_that_is_no_image_is_found(tmp_path, deep):
    path = tmp_path / "image.jpg"
    path.write_bytes(b"<html>404</html>")
    assert "cannot be decoded" in fault(str(path), deep=deep)
    Image.new("RGB", (4, 4)).save(path, "GIF")
    assert "cannot be decoded" in fault(str(path), deep=deep)


def test_q48_only_decoding_finds_damage_in_the_middle(tmp_path, png):
    path = tmp_path / "image.png"
    middle = png.index(b"IDAT") + 8
    path.write_bytes(png[:middle] + b"\xff" * 8 + png[middle + 8 :])
    assert fault(str(path), deep=False) is None
    assert "cannot be decoded" in fault(str(path), deep=True)


def test_q48_an_image_of_absurd_size_is_not_unpacked(tmp_path, monkeypatch, png):
    path = tmp_path / "image.png"
    path.write_bytes(png)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    assert "cannot be decoded" in fault(str(path), deep=True)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(place=st.integers(0, 2000), new=st.binary(max_size=6), cut=st.integers(0, 2000))
def test_q48_a_damaged_image_never_raises(tmp_path_factory, place, new, cut):
    path = tmp_path_factory.mktemp("fuzz") / "image.jpg"
    Image.linear_gradient("L").resize((16, 32)).save(path, "JPEG")
    data = bytearray(path.read_bytes())
    data[place % len(data) : place % len(data) + len(new)] = new
    path.write_bytes(data[: max(1, len(data) - cut)])
    reason = fault(str(path), deep=True)
    assert reason is None or "\n" not in reason


def test_several_processes_find_the_same_in_the_same_order(tmp_path, monkeypatch, jpeg):
    monkeypatch.setattr(intact, "CHUNK", 3)
    paths = []
    for number in range(10):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(b"" if number in (4, 8) else jpeg)
        paths.append(str(path))
    told = []

    def on_progress(*progress):
        told.append(progress)

    alone = list(faults(paths, deep=True, workers=1))
    found = list(faults(paths, deep=True, workers=2, on_progress=on_progress))
    assert found == alone == [(paths[4], "is empty"), (paths[8], "is empty")]
    assert told == [("decoding images", done, 10) for done in (3, 6, 9, 10)]


def test_no_images_are_no_faults():
    assert list(faults([], deep=True)) == []
