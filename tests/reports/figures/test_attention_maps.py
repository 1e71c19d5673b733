import numpy as np
import pytest

from reports.figures import attention
from reports.figures.film import DARKEST


def drawn(fake, frames=4, **arrays):
    (axes,) = attention.draw(fake.strip("query", frames=frames, **arrays), "title").axes
    return axes


def words(axes):
    return [text.get_text() for text in axes.texts]


def shares(axes):
    """What is left of each frame, 0 for the darkest, by frame."""
    return {
        int(image.get_extent()[0]): (1 - image.get_array()[..., 3] / DARKEST).round(6)
        for image in axes.images
        if image.get_label() == "shade"
    }


def test_gates_darken_on_their_own_scale_whatever_their_peak(fake):
    gates = np.stack([np.full((2, 1), v, np.float32) for v in (0.1, 0.2, 0.3, 0.4)])
    axes = drawn(fake, stage3_mask=gates)
    assert all(np.allclose(shares(axes)[i], gates[i]) for i in range(4))
    assert words(axes) == ["0.10", "0.20", "0.30", "0.40"]
    assert "hatched" not in axes.get_title("left") and not axes.collections


def test_frames_that_were_merged_share_one_picture_and_one_number(fake):
    gates = np.array([[[0.2], [0.4]], [[0.6], [1.0]]], dtype=np.float32)
    axes = drawn(fake, level2_pair_gates=gates)
    for frame, left in shares(axes).items():
        assert np.allclose(left, gates[frame // 2])
    assert words(axes) == ["0.30", "0.80"]
    assert [text.get_position()[0] for text in axes.texts] == [1, 3]
    assert "every 2 frames" in axes.get_title("left")


def test_erased_rows_are_hatched_in_the_frame_that_lost_them(fake):
    kept = np.ones((2, 4, 2), dtype=np.float32)
    kept[1, 1] = 0
    axes = drawn(fake, frames=2, kept_mask=kept)
    boxes = [patch.get_paths()[0].get_extents() for patch in axes.collections]
    assert [(box.x0, box.x1, box.y0, box.y1) for box in boxes] == [
        (1, 1.5, 0.25, 0.5),
        (1.5, 2, 0.25, 0.5),
    ]
    assert "0 is hatched" in axes.get_title("left") and words(axes) == ["1.00", "0.75"]


def test_shares_are_scaled_by_the_peak_and_summed_below_each_frame(fake):
    array = np.zeros((2, 2, 1), dtype=np.float32)
    array[0, 0], array[0, 1], array[1, 0] = 0.02, 0.01, 0.005
    axes = drawn(fake, frames=2, memory_shares=array)
    assert np.allclose(shares(axes)[0].ravel(), [1, 0.5])
    assert np.allclose(shares(axes)[1].ravel(), [0.25, 0])
    assert words(axes) == ["3 %", "0 %"] and "bright 2 %" in axes.get_title("left")


def test_a_correlation_belongs_to_every_second_frame_and_may_be_negative(fake):
    array = np.array([[[-1.0], [1.0]], [[3.0], [0.0]]], dtype=np.float32)
    axes = drawn(fake, correlation=array)
    assert set(shares(axes)) == {1, 3}
    assert np.allclose(shares(axes)[1].ravel(), [0, 0.5])
    assert np.allclose(shares(axes)[3].ravel(), [1, 0.25])
    assert words(axes) == ["1", "3"]
    assert [text.get_position()[0] for text in axes.texts] == [1.5, 3.5]


@pytest.mark.parametrize("name", ["stage3_mask", "memory_shares", "correlation", "row_scores"])
def test_arrays_of_zeros_are_drawn(fake, name):
    shape = {"correlation": (2, 2, 2), "row_scores": (4, 2)}.get(name, (4, 2, 2))
    axes = drawn(fake, **{name: np.zeros(shape, dtype=np.float32)})
    assert all(np.isfinite(left).all() for left in shares(axes).values())


SCORES = np.array([[0.4, 0.1], [0.3, 0.2], [0.2, 0.3], [0.1, 0.4]], dtype=np.float32)


def test_the_scores_of_all_frames_and_bands_are_written_on_them(fake):
    axes = drawn(fake, scores=SCORES)
    numbers = words(axes)
    assert numbers[:8] == ["40", "10", "30", "20", "20", "30", "10", "40"]
    assert numbers[8:] == ["1", "2", "3", "4"]
    left = shares(axes)
    assert left[0][0, 0] == 1 and left[0][0, 0] > left[1][0, 0] > left[2][0, 0] > 0


@pytest.mark.parametrize(
    ("name", "whole"),
    [("scores", "each band's attention"), ("row_scores", "each frame's attention")],
)
def test_the_title_says_what_the_percents_are_of(fake, name, whole):
    assert f"percent of {whole}" in drawn(fake, **{name: SCORES}).get_title("left")
