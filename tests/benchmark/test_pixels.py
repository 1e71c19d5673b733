"""The pixels of a clip against PIL's, and images that cannot be read."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from benchmark.datasets.base import Tracklet
from benchmark.pixels import MEAN, RESIZES, STD, ImageError, normalise, read_clip, read_image


@pytest.fixture
def photo(tmp_path):
    """A smooth colourful picture, 96×48, as JPEG."""
    y, x = np.mgrid[0:96, 0:48]
    pixels = np.stack([2 * y, 5 * x, 255 - 2 * y], -1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=95)
    return tmp_path / "a.jpg"


def one(path):
    return Tracklet(1, 1, str(path.parent), (path.name,))


@pytest.mark.parametrize("resize", RESIZES)
def test_pixels_agree_with_pil_resize_and_normalize(photo, resize):
    reference = transforms.Compose(
        [
            transforms.Resize((64, 32), transforms.InterpolationMode(resize)),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )(Image.open(photo).convert("RGB"))
    ours = normalise(read_clip(one(photo), np.array([0]), 64, 32, resize)[None])[0, 0]
    assert (ours - reference).abs().max() < 2.5 / 255 / 0.22  # two grey levels: decoder and resizer
    assert (ours - reference).abs().mean() < 0.5 / 255 / 0.22


def test_bicubic_and_bilinear_pixels_differ_and_stay_in_their_range(tmp_path):
    edge = np.zeros((96, 48, 3), np.uint8)
    edge[:, 20:] = 255
    Image.fromarray(edge).save(tmp_path / "edge.png")
    by_name = {r: read_clip(one(tmp_path / "edge.png"), np.array([0]), 64, 32, r) for r in RESIZES}
    assert not torch.equal(by_name["bilinear"], by_name["bicubic"])
    assert by_name["bicubic"][..., 0].max() == 0 and by_name["bicubic"][..., -1].min() == 255


def test_an_image_of_the_right_size_is_left_as_it_is(photo):
    whole = read_clip(one(photo), np.array([0]), 96, 48)
    pixels = np.asarray(Image.open(photo).convert("RGB"), dtype=int).transpose(2, 0, 1)
    assert whole.dtype == torch.uint8
    assert np.abs(whole[0].numpy().astype(int) - pixels).max() <= 2  # decoders differ


def test_a_grey_jpeg_becomes_three_equal_channels(tmp_path):
    Image.fromarray(np.full((64, 32), 77, np.uint8)).save(tmp_path / "grey.jpg")
    clip = read_clip(one(tmp_path / "grey.jpg"), np.array([0]), 64, 32)
    assert clip.shape == (1, 3, 64, 32) and (clip == clip[:, :1]).all()


def test_frames_of_different_size_make_one_clip(photo, tmp_path):
    Image.open(photo).resize((20, 40)).save(tmp_path / "b.jpg")
    tracklet = Tracklet(1, 1, str(tmp_path), ("a.jpg", "b.jpg"))
    assert read_clip(tracklet, np.array([0, 1, 1]), 64, 32).shape == (3, 3, 64, 32)


def test_a_repeated_frame_is_the_same_frame(photo):
    clip = read_clip(one(photo), np.array([0, 0, 0]), 64, 32)
    assert torch.equal(clip[0], clip[2])


@pytest.mark.parametrize("damage", ["missing", "truncated", "empty", "text"])
def test_a_broken_image_is_named(photo, damage):
    if damage == "missing":
        photo.unlink()
    else:
        data = {"truncated": photo.read_bytes()[:300], "empty": b"", "text": b"no image"}[damage]
        photo.write_bytes(data)
    with pytest.raises(ImageError, match=r"a\.jpg cannot be read as an image") as error:
        read_clip(one(photo), np.array([0]), 64, 32)
    assert "\n" not in str(error.value)


def test_flipping_mirrors_all_frames_of_the_chosen_clips():
    batch = torch.randint(0, 256, (2, 3, 3, 8, 4), dtype=torch.uint8)
    plain, flipped = normalise(batch), normalise(batch, torch.tensor([True, False]))
    assert torch.allclose(flipped[0], plain[0].flip(-1)) and torch.allclose(flipped[1], plain[1])


def animated(path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])


ODD = {
    "pipe": (os.mkfifo, "it is no regular file"),
    "folder": (os.mkdir, "it is no regular file"),
    "device": (lambda path: os.symlink("/dev/zero", path), "it is no regular file"),
    "gif": (animated, "it is neither JPEG nor PNG"),
    "deep": (
        lambda path: Image.fromarray(np.zeros((8, 8), np.uint16)).save(path, "PNG"),
        "it has more than 8 bits a channel",
    ),
    "missing": (lambda path: None, "No such file or directory"),
    "empty": (lambda path: Path(path).write_bytes(b""), "it is empty"),
    "cut": (lambda path: Path(path).write_bytes(b"\xff\xd8\xff"), "it is cut short or damaged"),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_image_of_eight_bits_is_one_line_with_its_path(tmp_path, kind):
    make, says = ODD[kind]
    path = str(tmp_path / "a.jpg")
    make(path)
    with pytest.raises(ImageError) as error:
        read_image(path)
    assert str(error.value).startswith(f"{path} cannot be read as an image: {says}")
    assert "\n" not in str(error.value)
