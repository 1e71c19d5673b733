from itertools import pairwise

import numpy as np

from benchmark.datasets.synthetic.obstacles import THINGS, draw_thing, obstacles
from benchmark.datasets.synthetic.pedestrian import Picture
from tests.benchmark.datasets.synthetic.small import shots


def test_what_is_hidden_at_a_low_occlusion_is_hidden_at_a_higher_one():
    def hidden(shot, occlusion):
        return {
            (number, frame)
            for number, obstacle in enumerate(obstacles(shot, 0))
            for frame in range(shot.length)
            if obstacle.place(frame, shot.length, occlusion) is not None
        }

    amounts = []
    for shot in shots(frames=12)["test"]:
        levels = [hidden(shot, occlusion) for occlusion in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
        assert all(low <= high for low, high in pairwise(levels))
        amounts.append([len(level) for level in levels])
    total = np.sum(amounts, axis=0)
    assert total[0] == 0
    assert (np.diff(total) > 0).all()


def test_things_are_drawn_over_everything_around_their_middle():
    drawn = set()
    for shot in shots()["test"]:
        for obstacle in obstacles(shot, 0):
            assert obstacle.kind in THINGS
            if obstacle.kind == "passer":
                continue
            picture = Picture.on(np.full((64, 32, 3), 7, np.uint8))
            draw_thing(picture, obstacle, 16)
            changed = (picture.colour != 7).any(axis=2)
            columns = changed.nonzero()[1]
            assert 0 < changed.mean() < 0.7
            assert abs(columns.mean() - 15.5) < 3
            drawn.add(obstacle.kind)
    assert drawn == set(THINGS) - {"passer"}


def test_a_thing_out_of_sight_changes_nothing():
    obstacle = next(o for s in shots()["test"] for o in obstacles(s, 0) if o.kind == "pole")
    picture = Picture.on(np.full((64, 32, 3), 7, np.uint8))
    draw_thing(picture, obstacle, 500)
    assert (picture.colour == 7).all()
