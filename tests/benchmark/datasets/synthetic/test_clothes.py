from dataclasses import replace

import numpy as np
import pytest

from benchmark.datasets.synthetic.clothes import (
    ROW,
    ROWS,
    STRIPE,
    TURN,
    TURNS,
    face_texture,
    leg_texture,
    torso_texture,
)
from benchmark.datasets.synthetic.people import PATTERNS, people

PERSON = replace(people(0, "test", 1)[0], bag="none", pattern="plain", stripe=False)


def accented(pattern):
    """Share of a torso in the second colour."""
    plain, worn = torso_texture(PERSON), torso_texture(replace(PERSON, pattern=pattern))
    return (plain != worn).any(axis=2)


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if p != "plain"])
def test_every_pattern_shows_but_leaves_the_main_colour(pattern):
    assert 0.02 < accented(pattern).mean() < 0.8


def test_patterns_differ():
    assert len({accented(pattern).tobytes() for pattern in PATTERNS}) == len(PATTERNS)


def test_a_badge_is_in_front_and_a_print_on_the_back():
    assert abs(TURN[accented("badge")]).max() < 40
    assert abs(TURN[accented("print")]).min() > 130


@pytest.mark.parametrize("bag", ["backpack", "shoulder bag"])
def test_straps_of_a_bag_cross_the_torso(bag):
    changed = (torso_texture(replace(PERSON, bag=bag)) != torso_texture(PERSON)).any(axis=2)
    assert 0.05 < changed.mean() < 0.5


def test_a_stripe_runs_down_the_outer_side_of_each_leg():
    striped = replace(PERSON, stripe=True)
    for side in (1, -1):
        stripe = (leg_texture(striped, side) == STRIPE).all(axis=2)
        assert stripe.any(axis=1).all()
        assert abs(TURN[stripe] - 90 * side).max() < 30
    assert (leg_texture(PERSON, 1) == PERSON.lower).all()


def test_a_face_looks_to_the_front_and_hair_grows_from_the_top():
    bald, haired = (replace(PERSON, hairstyle=style) for style in ("bald", "short"))
    face = face_texture(bald)
    features = (face != PERSON.skin).any(axis=2)
    assert abs(TURN[features]).max() < 45
    hair = (face_texture(haired) == PERSON.hair).all(axis=2)
    assert hair[ROW > 0.85].all()
    assert not hair[(ROW < 0.5) & (abs(TURN) < 50)].any()


def test_textures_go_once_round():
    for texture in (torso_texture(PERSON), leg_texture(PERSON, 1), face_texture(PERSON)):
        assert texture.shape == (ROWS, TURNS, 3)
        assert texture.dtype == np.float32
