import numpy as np
import pytest

from reports.figures import attention


@pytest.mark.parametrize(
    ("name", "shape", "kind"),
    [
        ("stage3_block1", (3, 4, 8, 4), "cells"),
        ("stage3_block1", (3, 2, 8, 4), "cells"),
        ("stage3_block1", (3, 3, 8, 4), ""),
        ("scores", (4, 8), "bands"),
        ("scores", (4, 4), "bands"),
        ("frame_pairs", (4, 4), "pairs"),
        ("frame_weights", (4,), "frames"),
        ("stage4_channel", (512,), "channels"),
        ("stage4_channel", (4,), "channels"),
        ("anything", (5, 6, 7), ""),
    ],
)
def test_an_array_is_drawn_by_what_it_is(name, shape, kind):
    assert attention.kind_of(name, np.zeros(shape), frames=4) == kind


def test_arrows_lead_from_the_watched_cell_to_the_strongest_places_elsewhere(fake):
    array = fake.cells()
    assert attention.cell_place(array, 0) == (2, 1, 1)
    assert attention.strongest(array, 2) == [(0, 2, 1)]
    own = array.copy()
    own[0, 2] = 50  # its own frame gets no arrow, nor what is faint beside it
    assert attention.strongest(own, 0) == []


def test_each_frame_s_share_of_a_cell_s_attention_is_written_below_it(fake):
    array = np.zeros((3, 2, 2, 1), dtype=np.float32)
    array[:, 0, 0], array[:, 1, 1] = 0.75, 0.25
    figure = attention.draw(fake.strip("query", stage3=array), "title")
    for axes in figure.axes:
        assert [text.get_text() for text in axes.texts if "%" in text.get_text()] == [
            "75 %",
            "25 %",
        ]
        assert "peak 1.5 × even" in axes.get_title("left")


def test_the_scores_of_all_frames_and_bands_are_written_on_them(fake):
    scores = np.array([[0.4, 0.1], [0.3, 0.2], [0.2, 0.3], [0.1, 0.4]], dtype=np.float32)
    (axes,) = attention.draw(fake.strip("query", scores=scores), "title").axes
    numbers = [text.get_text() for text in axes.texts][: 3 * 4]
    assert numbers == ["40", "10", "1", "30", "20", "2", "20", "30", "3", "10", "40", "4"]
    dims = [image.get_array()[..., 3] for image in axes.images if image.get_label() == "dim"]
    assert dims[0][0, 0] == 0 and dims[0][1, 0] > dims[1][1, 0] > dims[2][1, 0] > 0


def test_weights_between_frames_keep_their_sign_and_size(fake):
    pairs = np.array([[2e-4, -1e-4], [0, 1e-4]], dtype=np.float32)
    (axes,) = attention.draw(fake.strip("query", frames=2, frame_pairs=pairs), "title").axes
    assert [text.get_text() for text in axes.texts] == ["2.0", "-1.0", "0.0", "1.0"]
    assert "10^-4" in axes.get_title("left")
    low, high = axes.images[0].get_clim()
    assert low == -high


def test_frame_weights_and_channel_weights_are_drawn_as_they_are(fake):
    arrays = {"frame_weights": np.array([0.5, 0.25, 0.125, 0.125], dtype=np.float32)}
    arrays["stage4_channel"] = np.array([0.2, 0.9, 0.4], dtype=np.float32)
    frames, channels = attention.draw(fake.strip("query", **arrays), "title").axes
    assert [text.get_text() for text in frames.texts] == ["50 %", "25 %", "12 %", "12 %"]
    assert list(channels.get_lines()[0].get_ydata()) == pytest.approx([0.9, 0.4, 0.2])
