from dataclasses import replace

import numpy as np
import pytest

from benchmark.datasets.synthetic.pedestrian import Picture, Stand, draw
from benchmark.datasets.synthetic.people import people

PERSON = replace(people(0, "test", 1)[0], bag="none", hat="none")
LIGHT = (0.0, 0.6, 0.8)


def stand(**changed):
    known = {"x": 32.0, "y": 120.0, "scale": 100.0, "heading": 0.0, "pitch": 8.0, "light": LIGHT}
    return Stand(**{**known, **changed})


def drawn(place, person=PERSON):
    picture = Picture.on(np.zeros((128, 64, 3), np.uint8))
    draw(picture, person, place, 0.5)
    return picture


def test_a_person_stands_on_the_spot_and_is_as_tall_as_the_scale_says():
    rows, columns = np.isfinite(drawn(stand()).depth).nonzero()
    assert rows.max() == pytest.approx(120, abs=6)
    assert rows.max() - rows.min() == pytest.approx(100, abs=14)
    assert columns.mean() == pytest.approx(32, abs=3)


def test_twice_the_scale_is_twice_the_height():
    half, whole = (np.isfinite(drawn(stand(scale=s)).depth).any(axis=1).sum() for s in (50, 100))
    assert whole == pytest.approx(2 * half, rel=0.06)


@pytest.mark.parametrize("heading", [0, 90, 180, 270])
def test_a_person_can_be_drawn_from_every_side(heading):
    assert 0.1 < np.isfinite(drawn(stand(heading=heading)).depth).mean() < 0.6


def test_front_and_back_differ():
    front, back = (drawn(stand(heading=h)).colour.astype(int) for h in (0, 180))
    assert (abs(front - back[:, ::-1]).sum(axis=2) > 60).mean() > 0.005


def test_who_is_nearer_hides_who_is_behind_in_either_order():
    red, blue = (replace(PERSON, colours=(name, "black")) for name in ("red", "blue"))
    near, far = stand(y=124.0, pitch=20.0), stand(y=110.0, pitch=20.0)
    both = Picture.on(np.zeros((128, 64, 3), np.uint8))
    draw(both, red, near, 0.5)
    draw(both, blue, far, 0.5)
    alone = drawn(near, red)
    seen = np.isfinite(alone.depth)
    assert (both.depth >= alone.depth).all()
    assert (both.colour[seen] == alone.colour[seen]).mean() > 0.5


def test_what_is_out_of_the_picture_changes_nothing():
    picture = drawn(stand(x=-500.0))
    assert not picture.colour.any()
    assert not np.isfinite(picture.depth).any()


def test_the_right_of_the_walker_who_comes_is_the_left_of_the_picture():
    left = stand().project((0, 0.1, 0.5))
    assert left[0] > stand().x
    near, far = stand().project((0.1, 0, 0.5))[2], stand().project((-0.1, 0, 0.5))[2]
    assert near > far
