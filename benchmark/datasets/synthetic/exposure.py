"""What a camera makes of the light: colours, contrast, blur, coarse pixels and grain."""

import numpy as np
from PIL import Image
from scipy import ndimage

from benchmark.datasets.synthetic.rng import rng_for
from benchmark.datasets.synthetic.tracks import RenderSettings, Shot

WEATHER, BALANCE = 0.15, 0.04  # how light and its colour change from shot to shot


class Exposure:
    """How one shot is exposed; its grain goes on from frame to frame, so take them in order."""

    def __init__(self, shot: Shot, settings: RenderSettings):
        camera, noise = shot.camera, settings.noise
        rng = rng_for(settings.seed, "exposure", *shot.key)
        weather = rng.normal(0, 1, 4).clip(-2, 2)
        slope = np.linspace(-0.25, 0.25, settings.size // 2) * rng.uniform(-1, 1)
        gain = camera.exposure * np.exp(WEATHER * weather[0] + slope)[:, None]
        self.gain = np.float32(gain * np.exp(BALANCE * weather[1:]) * np.array(camera.tint))
        self.contrast = np.float32(camera.contrast * rng.uniform(0.75, 1.05))
        self.saturation = np.float32(camera.saturation * rng.uniform(0.7, 1.1))
        self.blur = camera.blur * settings.size
        self.rng = rng_for(settings.seed, "noise", *shot.key)
        smear, coarse, grain = self.rng.uniform(0, 1, 3)
        self.smear = noise * smear * 0.09 * settings.size  # pixels
        self.coarse = 1 + noise * 1.6 * coarse
        self.grain = np.float32(noise * (10 + 14 * grain) * camera.grain)

    def expose(self, light: np.ndarray) -> Image.Image:
        """One frame, ``[H, W, 3]`` in 0..255, as the camera hands it over."""
        grey = light.mean(axis=2, keepdims=True)
        light = grey + self.saturation * (light - grey)
        light = (110 + self.contrast * (light - 110)) * self.gain
        light = ndimage.gaussian_filter(light, (self.blur, self.blur, 0), truncate=3)
        light = _smear(light, self.smear)
        height, width = light.shape[:2]
        if self.coarse > 1:
            image = Image.fromarray(light.clip(0, 255).astype(np.uint8))
            small = (round(width / self.coarse), round(height / self.coarse))
            image = image.resize(small, Image.Resampling.BOX).resize(
                (width, height), Image.Resampling.BILINEAR
            )
            light = np.asarray(image, np.float32)
        light = light + self.grain * self.rng.standard_normal(light.shape, np.float32)
        return Image.fromarray(light.clip(0, 255).astype(np.uint8))


def _smear(light: np.ndarray, pixels: float) -> np.ndarray:
    """Motion blur along the rows: the mean of ``1 + pixels`` neighbours, the outer ones in part."""
    whole = int(pixels / 2)
    part = np.float32(pixels / 2 - whole)
    weights = np.array([part, *[1.0] * (2 * whole + 1), part], np.float32)
    return ndimage.correlate1d(light, weights / weights.sum(), axis=1)
