"""The cameras of the synthetic data set: where they look, and how they show it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from benchmark.datasets.synthetic.places import PLACES
from benchmark.datasets.synthetic.rng import rng_for

# exposure, tint (red, green, blue), contrast, saturation
LIGHTS = (
    (1.00, (1.00, 1.00, 1.00), 1.00, 1.00),
    (0.95, (1.05, 1.00, 0.93), 1.01, 0.97),
    (0.96, (0.95, 1.00, 1.06), 1.00, 0.96),
    (1.05, (1.01, 1.00, 0.99), 0.92, 0.92),
    (0.98, (0.98, 1.03, 0.97), 0.98, 0.96),
    (0.90, (0.99, 0.99, 1.01), 0.97, 0.88),
)


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera that does not move.

    Attributes:
        number: from 1.
        places: what it looks at, left and right, keys of `PLACES`.
        horizon: where the ground begins, as a share of the picture's height.
        pitch: looking down, in degrees.
        light: direction the light comes from: right, up, towards the camera (length 1).
        exposure, tint, contrast, saturation: of the picture, 1 is neutral.
        blur: of the lens, standard deviation as a share of the picture's height.
        grain: of the sensor, relative.
        sides: how often walkers come, go right, go away, go left; sums to 1.
    """

    number: int
    places: tuple[str, str]
    horizon: float
    pitch: float
    light: tuple[float, float, float]
    exposure: float
    tint: tuple[float, float, float]
    contrast: float
    saturation: float
    blur: float
    grain: float
    sides: tuple[float, float, float, float]


@lru_cache(maxsize=8)
def cameras(seed: int, count: int) -> tuple[Camera, ...]:
    """The cameras of a data set, as different from each other as can be."""
    order = rng_for(seed, "lights").permutation(len(LIGHTS))
    places = rng_for(seed, "places").permutation(list(PLACES)).tolist()
    found = []
    for i in range(count):
        rng = rng_for(seed, "camera", i)
        exposure, tint, contrast, saturation = LIGHTS[order[i % len(LIGHTS)]]
        light = np.array([rng.uniform(-0.8, 0.8), rng.uniform(0.3, 0.8), rng.uniform(0.4, 0.8)])
        sides = 0.16 + 0.36 * np.array([(i + k) % 4 in (0, 3) for k in range(4)]) / 2
        found.append(
            Camera(
                number=i + 1,
                places=(places[i % len(places)], places[(i + 1) % len(places)]),
                horizon=float(rng.uniform(0.45, 0.72)),
                pitch=float(rng.uniform(4, 16)),
                light=tuple((light / np.sqrt((light**2).sum())).round(4).tolist()),
                exposure=exposure * float(rng.uniform(0.93, 1.07)),
                tint=tuple((np.array(tint) * rng.uniform(0.95, 1.05, 3)).tolist()),
                contrast=contrast * float(rng.uniform(0.95, 1.05)),
                saturation=saturation,
                blur=float(rng.uniform(0.001, 0.005)),
                grain=float(rng.uniform(0.6, 1.6)),
                sides=tuple((sides / sides.sum()).tolist()),
            )
        )
    return tuple(found)
