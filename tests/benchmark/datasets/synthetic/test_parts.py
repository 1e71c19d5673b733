import math

import pytest

from benchmark.datasets.synthetic.parts import add, hanging, mix


def test_points_are_added_and_mixed():
    assert add((1, 2, 3), (1, 0, -1)) == (2, 2, 2)
    assert mix((0, 0, 0), (2, 4, 6), 0.25) == (0.5, 1, 1.5)


@pytest.mark.parametrize("angle", [-1.0, 0.0, 0.4])
def test_a_limb_hangs_down_and_swings_forward(angle):
    forward, left, up = hanging(0.3, angle)
    assert left == 0
    assert math.hypot(forward, up) == pytest.approx(0.3)
    assert math.atan2(forward, -up) == pytest.approx(angle)
