import json

import numpy as np
import pytest

from reports.figures import attention
from reports.figures import film_strips as gallery
from reports.read import inspection
from reports.read.inspection import Inspection, Strip


def a_strip(kind, rank=None, row=0, pid=7, distance=None, frames=4, **arrays):
    grey = np.full((frames, 16, 8, 3), 40 * row % 255, dtype=np.uint8)
    place = {"row": row, "pid": pid, "camid": 2, "distance": distance}
    return Strip(kind=kind, rank=rank, **place, frames=grey, attention=arrays)


def cells(frames=4, rows=4, columns=2):
    """Attention of three cells: each looks at one place of the first frame, and a little around."""
    array = np.full((3, frames, rows, columns), 0.001, dtype=np.float32)
    for cell in range(3):
        array[cell, 0, cell, 1] = 1
    return array / array.sum((1, 2, 3), keepdims=True)


@pytest.fixture
def looked():
    """A query, one junk track, a wrong one and a right one far behind."""
    strips = (
        a_strip("query", row=12, stage2=cells(), scores=np.full((4, 2), 0.25, np.float32)),
        a_strip("junk", row=1, distance=0.0),
        a_strip("wrong", rank=1, row=2, pid=0, distance=0.25, stage2=cells()),
        a_strip("right", rank=31, row=3, distance=0.5),
    )
    about = {"run": "0123456789ab", "method": "sta", "recipe": "quick", "seed": 0, "split": 0}
    about |= {"dataset": "synthetic", "fingerprint": "bits", "label": "open@1/cos-bn/even4"}
    return Inspection(**about, query=12, ap=0.03125, first=31.0, matches=1, strips=strips)


def test_what_was_saved_is_read_again(looked, tmp_path):
    path = inspection.save(looked, tmp_path)
    again = inspection.load(path)
    assert path.name == "query-00012.json"
    assert [s.kind for s in again.strips] == ["query", "junk", "wrong", "right"]
    assert (again.ap, again.first, again.strips[3].rank) == (0.03125, 31.0, 31)
    for one, other in zip(looked.strips, again.strips, strict=True):
        assert np.array_equal(one.frames, other.frames)
        assert list(one.attention) == list(other.attention)
        for name, array in one.attention.items():
            assert np.array_equal(array, other.attention[name])


def test_the_same_inspection_gives_the_same_bytes(looked, tmp_path):
    files = [inspection.save(looked, tmp_path / name).with_suffix(".npz") for name in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_text("{"),
        lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 9})),
        lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), "colour": 1})),
        lambda path: path.with_suffix(".npz").unlink(),
        lambda path: path.with_suffix(".npz").write_bytes(b"PK"),
    ],
    ids=["not JSON", "another schema", "unknown field", "no arrays", "broken arrays"],
)
def test_what_is_no_inspection_is_named_in_one_line(looked, tmp_path, spoil):
    path = inspection.save(looked, tmp_path)
    spoil(path)
    with pytest.raises(ValueError, match=r"query-00012\.json is no inspection") as caught:
        inspection.load(path)
    assert "\n" not in str(caught.value)


def test_right_wrong_and_junk_differ_in_line_and_word_not_in_colour_alone(looked):
    (axes,) = gallery.retrieval(looked).axes
    frames = {patch.get_label(): patch for patch in axes.patches}
    assert set(frames) == {"query", "right", "wrong", "junk"}
    assert len({str(patch.get_linestyle()) for patch in axes.patches}) == 3
    looks = {(str(p.get_linestyle()), p.get_linewidth()) for p in axes.patches}
    assert len(looks) == len({p.get_edgecolor() for p in axes.patches}) == 4
    words = [text.get_text() for text in axes.texts]
    assert words == [
        "query · person 7 · camera 2",
        "– junk · person 7 · camera 2 · d 0.000",
        "1. ✗ wrong · distractor · camera 2 · d 0.250",
        "31. ✓ right · camera 2 · d 0.500",
    ]


def test_the_headline_says_how_well_it_went_and_under_which_rules(looked):
    of, rules = gallery.headline(looked)
    assert "AP 3.1 %, first of 1 right track at rank 31" in of
    assert rules == "synthetic · open@1/cos-bn/even4"


def test_every_frame_is_drawn_once_and_none_is_mixed_up(looked):
    (axes,) = gallery.retrieval(looked).axes
    shown = [int(np.asarray(image.get_array())[0, 0, 0]) for image in axes.images]
    assert shown == [frame[0, 0, 0] for strip in looked.strips for frame in strip.frames]


def test_pictures_are_the_ranking_and_each_attention_there_is(looked, tmp_path):
    paths = gallery.pictures(looked, tmp_path)
    assert [path.name for path in paths] == [
        "query-00012.png",
        "query-00012-attention-0.png",
        "query-00012-attention-2.png",
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


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


def test_arrows_lead_from_the_watched_cell_to_the_strongest_places_elsewhere():
    array = cells()
    assert attention.cell_place(array, 0) == (2, 1, 1)
    assert attention.strongest(array, 2) == [(0, 2, 1)]
    own = array.copy()
    own[0, 2] = 50  # its own frame gets no arrow, nor what is faint beside it
    assert attention.strongest(own, 0) == []


def test_each_frame_s_share_of_a_cell_s_attention_is_written_below_it():
    array = np.zeros((3, 2, 2, 1), dtype=np.float32)
    array[:, 0, 0], array[:, 1, 1] = 0.75, 0.25
    figure = attention.draw(a_strip("query", stage3=array), "title")
    for axes in figure.axes:
        assert [text.get_text() for text in axes.texts if "%" in text.get_text()] == [
            "75 %",
            "25 %",
        ]
        assert "peak 1.5 × even" in axes.get_title("left")


def test_the_scores_of_all_frames_and_bands_are_written_on_them():
    scores = np.array([[0.4, 0.1], [0.3, 0.2], [0.2, 0.3], [0.1, 0.4]], dtype=np.float32)
    (axes,) = attention.draw(a_strip("query", scores=scores), "title").axes
    numbers = [text.get_text() for text in axes.texts][: 3 * 4]
    assert numbers == ["40", "10", "1", "30", "20", "2", "20", "30", "3", "10", "40", "4"]
    dims = [image.get_array()[..., 3] for image in axes.images if image.get_label() == "dim"]
    assert dims[0][0, 0] == 0 and dims[0][1, 0] > dims[1][1, 0] > dims[2][1, 0] > 0


def test_weights_between_frames_keep_their_sign_and_size():
    pairs = np.array([[2e-4, -1e-4], [0, 1e-4]], dtype=np.float32)
    (axes,) = attention.draw(a_strip("query", frames=2, frame_pairs=pairs), "title").axes
    assert [text.get_text() for text in axes.texts] == ["2.0", "-1.0", "0.0", "1.0"]
    assert "10^-4" in axes.get_title("left")
    low, high = axes.images[0].get_clim()
    assert low == -high


def test_frame_weights_and_channel_weights_are_drawn_as_they_are():
    arrays = {"frame_weights": np.array([0.5, 0.25, 0.125, 0.125], dtype=np.float32)}
    arrays["stage4_channel"] = np.array([0.2, 0.9, 0.4], dtype=np.float32)
    frames, channels = attention.draw(a_strip("query", **arrays), "title").axes
    assert [text.get_text() for text in frames.texts] == ["50 %", "25 %", "12 %", "12 %"]
    assert list(channels.get_lines()[0].get_ydata()) == pytest.approx([0.9, 0.4, 0.2])
