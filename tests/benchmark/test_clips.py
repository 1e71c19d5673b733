"""Which frames, and their pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms

from benchmark import clips
from benchmark.clips import frame_rule
from benchmark.datasets.base import Tracklet
from benchmark.pixels import ImageError, normalise, read_clip

LENGTHS, T = st.integers(1, 200), st.sampled_from([1, 4, 8, 15])


def test_chunk_first_repeats_what_ste_nvan_picks():
    assert clips.chunk_first(9, 8).tolist() == [0, 2, 4, 6, 8, 8, 8, 8]
    assert clips.chunk_first(17, 8).tolist() == [0, 3, 6, 9, 12, 15, 16, 16]
    assert clips.chunk_first(3, 4).tolist() == [0, 1, 2, 2]


def test_even_drops_the_tail_and_pads_with_the_last():
    assert clips.even(17, 8).tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    assert clips.even(3, 5).tolist() == [0, 1, 2, 2, 2]


def test_begin_takes_the_longest_stride_that_fits():
    assert clips.begin(25, 4).tolist() == [0, 8, 16, 24]
    assert clips.begin(24, 4).tolist() == [0, 4, 8, 12]
    assert clips.begin(7, 4).tolist() == [0, 2, 4, 6]
    assert clips.begin(3, 4).tolist() == [0, 1, 2, 0]


def test_dense_loops_its_last_clip_and_all_leaves_it_short():
    assert [c.tolist() for c in clips.dense(6, 4)] == [[0, 1, 2, 3], [4, 5, 4, 5]]
    assert [c.tolist() for c in clips.all_frames(6, 4)] == [[0, 1, 2, 3], [4, 5]]


@given(LENGTHS, T)
def test_chunk_first_is_the_definition(frames, t):
    chunk = -(-frames // t)
    expected = [min(s * chunk, frames - 1) for s in range(t)]
    assert clips.chunk_first(frames, t).tolist() == expected


@given(LENGTHS, T, st.integers(0, 5))
def test_restricted_random_draws_from_each_chunk_in_turn(frames, t, seed):
    drawn = clips.restricted_random(frames, t, np.random.default_rng(seed))
    chunk = -(-frames // t)
    for s, frame in enumerate(drawn.tolist()):
        inside = range(s * chunk, min((s + 1) * chunk, frames))
        assert frame in inside if inside else frame == frames - 1


@pytest.mark.parametrize("name", clips.SAMPLINGS)
@given(frames=LENGTHS, t=T, seed=st.integers(0, 5))
def test_every_sampling_gives_t_frames_in_order_unless_it_wraps(name, frames, t, seed):
    drawn = clips.SAMPLINGS[name](frames, t, np.random.default_rng(seed))
    assert len(drawn) == t and drawn.min() >= 0 and drawn.max() < frames
    assert name == "strided" or (np.diff(drawn) >= 0).all()


def test_strided_takes_every_eighth_and_wraps_a_short_track():
    assert clips.strided(64, 8, np.random.default_rng(0)).tolist() == list(range(0, 64, 8))
    assert clips.strided(10, 3, np.random.default_rng(0)).tolist() == [0, 8, 6]


@pytest.mark.parametrize(
    "text", ["chunk-first8", "even15", "dense4", "all32", "begin4", "all-mean"]
)
def test_a_frame_rule_is_written_as_it_is_read(text):
    assert str(frame_rule(text)) == text


def test_a_rule_without_a_number_takes_the_recipes():
    assert str(frame_rule("chunk-first", 4)) == "chunk-first4"


@pytest.mark.parametrize("text", ["chunk-first", "chunks8", "", "dense0", "all"])
def test_an_unknown_frame_rule_is_refused(text):
    with pytest.raises(ValueError, match="unknown frame rule"):
        frame_rule(text)


# ---- pixels --------------------------------------------------------------------------------------


@pytest.fixture
def photo(tmp_path):
    """A smooth colourful picture, 96×48, as JPEG."""
    y, x = np.mgrid[0:96, 0:48]
    pixels = np.stack([2 * y, 5 * x, 255 - 2 * y], -1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=95)
    return tmp_path / "a.jpg"


def one(path):
    return Tracklet(1, 1, str(path.parent), (path.name,))


def test_pixels_agree_with_pil_resize_and_normalize(photo):
    reference = transforms.Compose(
        [
            transforms.Resize((64, 32)),
            transforms.ToTensor(),
            transforms.Normalize(clips.MEAN, clips.STD),
        ]
    )(Image.open(photo).convert("RGB"))
    ours = normalise(read_clip(one(photo), np.array([0]), 64, 32)[None])[0, 0]
    assert (ours - reference).abs().max() < 2.5 / 255 / 0.22  # two grey levels: decoder and resizer
    assert (ours - reference).abs().mean() < 0.5 / 255 / 0.22


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
