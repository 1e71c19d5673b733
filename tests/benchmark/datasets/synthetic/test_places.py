import numpy as np
import pytest
from PIL import Image, ImageDraw

from benchmark.datasets.synthetic.places import PLACES

WIDTH, HEIGHT, HORIZON = 120, 90, 50


def painted(place, seed=0):
    image = Image.new("RGB", (WIDTH, HEIGHT))
    paper = (ImageDraw.Draw(image), np.random.default_rng(seed), WIDTH, HEIGHT, HORIZON)
    PLACES[place](paper)
    return np.asarray(image)


@pytest.mark.parametrize("place", PLACES)
def test_a_place_fills_its_paper_above_and_below_the_horizon(place):
    picture = painted(place)
    assert (picture.sum(axis=2) > 0).mean() > 0.97
    assert abs(picture[:40].mean() - picture[60:].mean()) > 1


@pytest.mark.parametrize("place", PLACES)
def test_a_place_is_the_same_for_the_same_numbers(place):
    assert (painted(place) == painted(place)).all()
    assert (painted(place) != painted(place, seed=1)).any()


def test_places_differ():
    means = {tuple(painted(place).mean(axis=(0, 1)).round()) for place in PLACES}
    assert len(means) == len(PLACES)
