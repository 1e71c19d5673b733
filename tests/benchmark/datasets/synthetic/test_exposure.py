import numpy as np
import pytest

from benchmark.datasets.synthetic.exposure import Exposure
from tests.benchmark.datasets.synthetic.small import render_settings, shots

SHOT = shots()["test"][-1]
LIGHT = np.random.default_rng(0).uniform(0, 255, (32, 16, 3)).astype(np.float32)


def exposed(shot=SHOT, light=LIGHT, **settings):
    return np.asarray(Exposure(shot, render_settings(**settings)).expose(light), float)


def test_a_frame_keeps_its_size():
    assert exposed().shape == (32, 16, 3)


def test_grain_differs_from_frame_to_frame_but_not_from_time_to_time():
    twice = []
    for _ in range(2):
        exposure = Exposure(SHOT, render_settings(noise=1.0))
        twice.append([np.asarray(exposure.expose(LIGHT), float) for _ in range(2)])
    assert (twice[0][0] == twice[1][0]).all()
    assert (twice[0][0] != twice[0][1]).any()


def test_without_noise_every_frame_is_exposed_alike():
    exposure = Exposure(SHOT, render_settings())
    first, second = (np.asarray(exposure.expose(LIGHT)) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("severity", [0.3, 1.0])
def test_noise_smooths_details_and_adds_grain(severity):
    flat = np.full_like(LIGHT, 120)
    assert exposed(light=flat, noise=severity).std() > exposed(light=flat).std()


def test_two_shots_of_one_camera_differ_in_the_weather():
    pairs = [(a, b) for a in shots()["test"] for b in shots()["test"] if a.camera == b.camera]
    a, b = next(pair for pair in pairs if pair[0].key != pair[1].key)
    assert (exposed(a) != exposed(b)).any()
