import numpy as np

from benchmark.datasets.synthetic.rng import rng_for


def draws(*key):
    return rng_for(*key).random(3).tolist()


def test_equal_keys_draw_alike():
    assert draws(3, "noise", 1, 2) == draws(3, "noise", 1, 2)


def test_another_seed_word_or_number_draws_otherwise():
    keys = [(3, "noise", 1), (4, "noise", 1), (3, "place", 1), (3, "noise", 2), (3, "noise")]
    assert len({tuple(draws(*key)) for key in keys}) == len(keys)


def test_the_numbers_are_those_that_caches_were_rendered_with():
    assert np.allclose(draws(0, "take", 1, 2, 3), FIRST, atol=1e-12)


FIRST = [0.3850071505698496, 0.8091801167121202, 0.6937465836591613]
