"""What stands behind the people of the synthetic data set."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from benchmark.datasets.synthetic.cameras import Camera
from benchmark.datasets.synthetic.places import PLACES
from benchmark.datasets.synthetic.rng import rng_for

SPAN = 8  # width of a backdrop, in picture widths
MARGIN = 0.15  # that much of a picture's height is painted above and below it


@lru_cache(maxsize=16)
def backdrop(seed: int, camera: Camera, height: int) -> np.ndarray:
    """What stands behind the walkers, painted once: uint8, ``SPAN`` pictures wide.

    Args:
        seed: of the data set.
        camera: whose view it is.
        height: of a picture in pixels; its width is half of that.
    """
    rng = rng_for(seed, "backdrop", camera.number)
    edge = round(MARGIN * height)
    width, tall = SPAN * height // 2, height + 2 * edge
    image = Image.new("RGB", (width, tall))
    for half, place in enumerate(camera.places):
        part = Image.new("RGB", (width // 2, tall))
        horizon = edge + round(camera.horizon * height)
        PLACES[place]((ImageDraw.Draw(part), rng, width // 2, tall, horizon))
        image.paste(part, (half * (width // 2), 0))
    image = image.filter(ImageFilter.GaussianBlur(height / 200))
    rough = rng.normal(0, 1, (tall // 6 + 1, width // 6 + 1))
    mottle = Image.fromarray((128 + 14 * rough).clip(0, 255).astype(np.uint8)).resize(
        (width, tall), Image.Resampling.BICUBIC
    )
    shade = 1 + (np.asarray(mottle, np.float32)[..., None] - 128) / 300
    colours = np.asarray(image, np.float32)
    haze = colours.mean(axis=2, keepdims=True)
    colours = 128 + 0.45 * (haze + 0.5 * (colours - haze) - 128)  # dull: one looks at people
    return (colours * shade).clip(0, 255).astype(np.uint8)
