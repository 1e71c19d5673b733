"""Random numbers of the synthetic data set: a generator for each purpose."""

import zlib

import numpy as np


def rng_for(seed: int, what: str, *numbers: int) -> np.random.Generator:
    """The generator of one purpose: equal keys draw alike, in whatever process and order.

    The words are part of the renderer: another word draws other numbers.

    Args:
        seed: of the data set.
        what: the purpose, in a word.
        numbers: of what it is for, e.g. a person's.
    """
    return np.random.default_rng(
        np.random.SeedSequence([seed, zlib.crc32(what.encode()), *numbers])
    )
