"""The contract's tuple, and what is no batch of clips."""

import pytest
import torch

from methods.output import ClipOutput, HeadOutput, check_clips


def test_a_network_with_one_head_names_neither_heads_nor_frames():
    vector = torch.zeros(2, 3)
    out = ClipOutput(vector, vector, None, {})
    assert out.heads == () and out.frames is None


def test_the_losses_of_a_head_count_whole_unless_it_says_otherwise():
    out = HeadOutput(None, None, torch.zeros(2, 5))
    assert (out.cross_entropy, out.triplet) == (1.0, 1.0)


@pytest.mark.parametrize("frames", [4, 8])
def test_a_batch_of_clips_passes(frames):
    check_clips(torch.zeros(2, frames, 3, 8, 4), frames_multiple=4, why="pooling")


@pytest.mark.parametrize("shape", [(2, 4, 64, 32), (2, 3, 4, 64, 32), (4, 3, 64, 32)])
def test_another_shape_is_refused_with_the_expected_one(shape):
    with pytest.raises(ValueError, match=r"expected \[B, T, 3, H, W\]"):
        check_clips(torch.zeros(shape))


def test_bytes_are_refused():
    with pytest.raises(ValueError, match=r"torch\.uint8, expected ImageNet-normalised floats"):
        check_clips(torch.zeros(1, 4, 3, 8, 4, dtype=torch.uint8))


@pytest.mark.parametrize(("frames", "fits"), [(3, 4), (6, 4), (11, 8)])
def test_frames_that_do_not_fit_are_refused_with_a_number_that_does(frames, fits):
    message = f"T = {frames} .* pooling needs a multiple of 4, e.g. T = {fits}"
    with pytest.raises(ValueError, match=message):
        check_clips(torch.zeros(1, frames, 3, 8, 4), frames_multiple=4, why="pooling")


def test_a_clip_without_frames_is_refused():
    with pytest.raises(ValueError, match="T = 0 frames do not fit: T may be 4 or a multiple"):
        check_clips(torch.zeros(1, 0, 3, 8, 4), frames_multiple=4)
