import numpy as np

from benchmark.datasets.synthetic.cameras import cameras
from benchmark.datasets.synthetic.places import PLACES


def test_cameras_are_numbered_from_1_and_differ():
    found = cameras(0, 9)
    assert [camera.number for camera in found] == list(range(1, 10))
    assert len({(camera.exposure, camera.tint) for camera in found}) == 9


def test_a_camera_looks_at_two_places_and_light_has_length_1():
    for camera in cameras(5, 6):
        assert len(set(camera.places)) == 2
        assert set(camera.places) <= set(PLACES)
        assert np.isclose(np.linalg.norm(camera.light), 1, atol=1e-3)
        assert np.isclose(sum(camera.sides), 1)
        assert 0.4 < camera.horizon < 0.75


def test_more_cameras_keep_the_first_ones():
    assert cameras(2, 6)[:3] == cameras(2, 3)
    assert cameras(2, 3) != cameras(3, 3)
