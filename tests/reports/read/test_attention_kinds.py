import pytest

from reports.read.attention_kinds import KINDS, kind_of


@pytest.mark.parametrize(
    ("name", "shape", "kind"),
    [
        ("stage3_block1", (3, 4, 8, 4), "cells"),
        ("stage3_block12", (3, 2, 8, 4), "cells"),  # two frames became one
        ("stage4_spatial", (3, 4, 8, 4), "cells"),
        ("stage3_block1_alignment", (3, 4, 8, 4), "alignment"),
        ("boosting", (4, 4, 8, 4), "boosting"),
        ("level1_pair_gates", (4, 16, 8), "gates"),
        ("level2_frame_gates", (2, 16, 8), "gates"),
        ("stage3_mask", (4, 16, 8), "gates"),
        ("stage3_block1_kept", (4, 16, 8), "gates"),
        ("stage3_block1_kernel_shares", (4, 16, 8), "shares"),
        ("correlation", (2, 16, 8), "correlation"),
        ("row_scores", (4, 8), "rows"),
        ("scores", (4, 8), "bands"),
        ("scores", (4, 4), "bands"),
        ("frame_pairs", (4, 4), "pairs"),
        ("frame_weights", (4,), "frames"),
        ("stage4_channel", (4,), "channels"),
        ("stage4_channel", (512,), "channels"),
    ],
)
def test_the_last_words_of_a_name_say_what_an_array_is(name, shape, kind):
    assert kind_of(name, shape, frames=4) == kind


@pytest.mark.parametrize("name", ["boosting", "stage3_block1", "stage3_block1_alignment"])
def test_with_three_frames_the_name_alone_tells_cells_from_frames(name):
    expected = {"boosting": "boosting", "stage3_block1": "cells"}.get(name, "alignment")
    assert kind_of(name, (3, 3, 8, 4), frames=3) == expected


@pytest.mark.parametrize("name", ["anything", "stage3_blocks", "mask_of_cells", "rowscores", ""])
def test_an_array_of_an_unknown_name_is_refused_with_the_names_there_are(name):
    with pytest.raises(ValueError, match=r"its name ends in none of block#, spatial, .*, channel"):
        kind_of(name, (4, 8), frames=4)


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("stage3_block1", (3, 3, 8, 4), r"\[3, T', rows, columns\]"),
        ("stage3_block1", (2, 4, 8, 4), r"\[3, T', rows, columns\]"),
        ("stage3_block1_alignment", (3, 2, 8, 4), r"\[3, T, rows, columns\]"),
        ("boosting", (4, 2, 8, 4), r"\[T, T, rows, columns\]"),
        ("stage3_mask", (3, 8, 4), r"\[T', rows, columns\]"),
        ("stage3_mask", (0, 8, 4), r"\[T', rows, columns\]"),
        ("correlation", (4, 8, 4), r"\[T/2, rows, columns\]"),
        ("frame_weights", (8,), r"\[T\]"),
        ("frame_pairs", (4,), r"\[T, T\]"),
    ],
)
def test_a_shape_that_does_not_go_with_the_name_is_refused(name, shape, expected):
    with pytest.raises(ValueError, match=rf"{name}: its shape .* expected {expected} for T = 4"):
        kind_of(name, shape, frames=4)


def test_no_ending_belongs_to_two_kinds():
    endings = [ending for kind in KINDS for ending in kind.endings]
    assert len(endings) == len(set(endings))
    assert len({kind.name for kind in KINDS}) == len(KINDS)
