import math
from dataclasses import replace

import pytest

from benchmark.datasets.synthetic.body import SOLE, parts
from benchmark.datasets.synthetic.people import people

PERSON = replace(
    people(0, "test", 1)[0], bag="none", hat="none", hairstyle="bald", cut="trousers", boots=False
)
PHASES = [k * math.pi / 4 for k in range(8)]


def points(person, phase):
    return [point for part in parts(person, phase) for point in (part.start, part.end)]


@pytest.mark.parametrize("phase", PHASES)
def test_the_lower_foot_stands_on_the_ground_at_every_moment(phase):
    assert min(up for _, _, up in points(PERSON, phase)) == pytest.approx(SOLE, abs=1e-9)


@pytest.mark.parametrize("phase", PHASES)
def test_a_body_is_about_one_height_tall(phase):
    tall = max(up for _, _, up in points(PERSON, phase))
    assert 0.8 < tall / PERSON.height < 1.1


def test_the_gait_repeats_after_two_steps():
    a, b = points(PERSON, 0.3), points(PERSON, 0.3 + 2 * math.pi)
    assert [x for p in a for x in p] == pytest.approx([x for p in b for x in p])


def test_arms_swing_against_the_legs():
    forward = points(PERSON, math.pi / 2)
    knees = {round(p[1] > 0): p[0] for p in forward if 0.15 < p[2] < 0.35 and abs(p[1]) > 0.02}
    assert len(knees) == 2
    assert knees[1] != knees[0]


@pytest.mark.parametrize(
    ("changed", "more"),
    [
        ({"bag": "backpack"}, 2),
        ({"bag": "shoulder bag"}, 1),
        ({"bag": "hand bag"}, 2),
        ({"hat": "cap"}, 2),
        ({"hat": "beanie"}, 1),
        ({"hairstyle": "ponytail"}, 2),
        ({"hairstyle": "short"}, 1),
        ({"cut": "skirt"}, 1),
        ({"boots": True}, 2),
    ],
)
def test_what_a_person_carries_and_wears_is_drawn(changed, more):
    bare = len(list(parts(PERSON, 0.0)))
    assert len(list(parts(replace(PERSON, **changed), 0.0))) == bare + more
