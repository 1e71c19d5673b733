"""A synthetic set that is rendered in a second, for the tests of its parts."""

import inspect
from pathlib import Path

from benchmark.datasets.kind import NOT_KNOBS
from benchmark.datasets.synthetic.dataset import synthetic
from benchmark.datasets.synthetic.tracks import Knobs, RenderSettings, shots_of

DEFAULTS = {
    name: p.default
    for name, p in inspect.signature(synthetic).parameters.items()
    if name not in NOT_KNOBS
}
SMALL = {**DEFAULTS, "identities": 6, "cameras": 3, "tracklets": 3, "frames": 4, "size": 32}


def home(dataset):
    """The folder that a rendered set lies in."""
    return Path(dataset.test[0].folder).parents[1]


def shots(**knobs):
    """The shots of the small set, with other knobs."""
    return shots_of(Knobs(**{**SMALL, **knobs}))


def render_settings(**changed):
    """Settings without a nuisance, but for what is changed."""
    clean = {"size": 32, "occlusion": 0.0, "misalignment": 0.0, "noise": 0.0, "seed": 0}
    return RenderSettings(**{**clean, **changed})
