import numpy as np
import pytest

from reports.figures import attention


def test_weights_between_frames_keep_their_sign_and_size(fake):
    pairs = np.array([[2e-4, -1e-4], [0, 1e-4]], dtype=np.float32)
    (axes,) = attention.draw(fake.strip("query", frames=2, frame_pairs=pairs), "title").axes
    assert [text.get_text() for text in axes.texts] == ["2.0", "-1.0", "0.0", "1.0"]
    assert "10^-4" in axes.get_title("left")
    low, high = axes.images[0].get_clim()
    assert low == -high


def test_weights_that_are_rounding_errors_are_said_to_be_about_nothing(fake):
    noise = np.array([[2e-9, -1e-9], [0, 1e-9]], dtype=np.float32)
    (axes,) = attention.draw(fake.strip("query", frames=2, frame_pairs=noise), "title").axes
    assert axes.get_title("left").endswith("all ≈ 0") and not axes.texts
    assert not np.asarray(axes.images[0].get_array()).any()
    weights = {"frame_weights": np.array([1 - 1e-5, 1e-5, 0, 0], dtype=np.float32)}
    (frames,) = attention.draw(fake.strip("query", **weights), "title").axes
    assert [text.get_text() for text in frames.texts] == ["100 %", "≈ 0", "≈ 0", "≈ 0"]


def test_frame_weights_and_channel_weights_are_drawn_as_they_are(fake):
    arrays = {"frame_weights": np.array([0.5, 0.25, 0.125, 0.125], dtype=np.float32)}
    arrays["stage4_channel"] = np.array([0.2, 0.9, 0.4], dtype=np.float32)
    frames, channels = attention.draw(fake.strip("query", **arrays), "title").axes
    assert [text.get_text() for text in frames.texts] == ["50 %", "25 %", "12 %", "12 %"]
    assert list(channels.get_lines()[0].get_ydata()) == pytest.approx([0.9, 0.4, 0.2])
