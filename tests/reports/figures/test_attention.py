import numpy as np
import pytest

from reports.figures import attention
from reports.read.attention_kinds import KINDS

ARRAYS = {
    "stage3_block1": (3, 4, 8, 4),
    "stage3_block1_alignment": (3, 4, 8, 4),
    "boosting": (4, 4, 8, 4),
    "stage3_mask": (4, 8, 4),
    "memory_shares": (4, 8, 4),
    "correlation": (2, 8, 4),
    "row_scores": (4, 8),
    "scores": (4, 4),
    "frame_pairs": (4, 4),
    "frame_weights": (4,),
    "stage4_channel": (32,),
}


def some(*names):
    rng = np.random.default_rng(0)
    return {name: rng.random(ARRAYS[name], dtype=np.float32) for name in names}


def test_every_kind_of_array_can_be_drawn():
    assert set(attention.ONE) | set(attention.THREE) == {kind.name for kind in KINDS}
    assert not set(attention.ONE) & set(attention.THREE)


def test_what_is_of_no_kind_is_left_out_and_the_rest_keeps_its_order(fake):
    arrays = {**some("scores"), "anything": np.zeros((5, 6)), **some("frame_weights")}
    found = attention.views(fake.strip("query", **arrays))
    assert [(view.name, view.kind) for view in found] == [
        ("scores", "bands"),
        ("frame_weights", "frames"),
    ]


@pytest.mark.parametrize("frames", [1, 2, 3, 8])
def test_panels_and_titles_lie_inside_the_picture_and_apart(fake, frames):
    names = [name for name in ARRAYS if name != "correlation" or frames % 2 == 0]
    rng = np.random.default_rng(0)
    shapes = {
        name: [frames if n == 4 else frames // 2 if n == 2 else n for n in ARRAYS[name]]
        for name in names
    }
    arrays = {name: rng.random(shape, dtype=np.float32) for name, shape in shapes.items()}
    for name in ("stage3_block1", "stage3_block1_alignment", "boosting", "stage3_mask"):
        arrays[name] = arrays[name][..., :2]
    figure = attention.draw(fake.strip("query", frames=frames, **arrays), "title " * 40)
    assert len(figure.axes) == len(names) + 2 * 2
    figure.canvas.draw()
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    page = figure.bbox
    for i, box in enumerate(boxes):
        assert page.x0 <= box.x0 and page.y0 <= box.y0
        assert box.x1 <= page.x1 and box.y1 <= page.y1, figure.axes[i].get_title("left")
        assert not box.overlaps(figure.texts[0].get_window_extent())
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_frames_keep_their_shape(fake):
    strip = fake.strip("query", frames=2, **{"frame_weights": np.ones(2, np.float32)})
    figure = attention.draw(strip, "title")
    width, height = figure.axes[0].get_window_extent().size
    assert width / height == pytest.approx(2 * 8 / 16, rel=0.01)


def test_every_kind_has_a_key_and_it_stands_in_the_picture(fake):
    assert set(attention.KEYS) == {kind.name for kind in KINDS}
    strip = fake.strip("query", scores=np.full((4, 2), 0.25, np.float32))
    words = attention.draw(strip, "title").get_suptitle()
    assert words.startswith("title\nKey: bright: much attention")
