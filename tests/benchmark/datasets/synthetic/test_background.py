import numpy as np

from benchmark.datasets.synthetic.background import MARGIN, SPAN, backdrop
from benchmark.datasets.synthetic.cameras import cameras


def test_a_backdrop_is_wider_than_a_picture_and_has_a_margin():
    picture = backdrop(0, cameras(0, 2)[0], 64)
    assert picture.dtype == np.uint8
    assert picture.shape == (64 + 2 * round(MARGIN * 64), SPAN * 32, 3)


def test_every_camera_and_seed_has_its_own():
    first, second = cameras(0, 2)
    found = [backdrop(0, first, 64), backdrop(0, second, 64), backdrop(1, first, 64)]
    assert all((a != b).any() for a, b in ((found[0], found[1]), (found[0], found[2])))
    assert (backdrop.__wrapped__(0, first, 64) == found[0]).all()


def test_it_is_duller_than_what_people_wear():
    picture = backdrop(0, cameras(0, 2)[0], 64).astype(float)
    assert picture.std(axis=2).mean() < 12
