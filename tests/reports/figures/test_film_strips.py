import numpy as np

from reports.figures import film_strips


def test_right_wrong_and_junk_differ_in_line_and_word_not_in_colour_alone(inspected):
    (axes,) = film_strips.retrieval(inspected).axes
    frames = {patch.get_label(): patch for patch in axes.patches}
    assert set(frames) == {"query", "right", "wrong", "junk"}
    assert len({str(patch.get_linestyle()) for patch in axes.patches}) == 3
    line_styles = {(str(p.get_linestyle()), p.get_linewidth()) for p in axes.patches}
    assert len(line_styles) == len({p.get_edgecolor() for p in axes.patches}) == 4
    words = [text.get_text() for text in axes.texts]
    assert words == [
        "query · person 7 · camera 2",
        "– junk · person 7 · camera 2 · d 0.000",
        "1. ✗ wrong · distractor · camera 2 · d 0.250",
        "31. ✓ right · camera 2 · d 0.500",
    ]


def test_the_headline_says_how_well_it_went_and_under_which_rules(inspected):
    of, rules = film_strips.headline(inspected)
    assert "AP 3.1 %, first of 1 right track at rank 31" in of
    assert rules == "synthetic · open@1/cos-bn/even4"


def test_every_frame_is_drawn_once_and_none_is_mixed_up(inspected):
    (axes,) = film_strips.retrieval(inspected).axes
    shown = [int(np.asarray(image.get_array())[0, 0, 0]) for image in axes.images]
    assert shown == [frame[0, 0, 0] for strip in inspected.strips for frame in strip.frames]


def test_pictures_are_the_ranking_and_each_attention_there_is(inspected, tmp_path):
    paths = film_strips.pictures(inspected, tmp_path)
    assert [path.name for path in paths] == [
        "query-00012.png",
        "query-00012-attention-0.png",
        "query-00012-attention-2.png",
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
