"""Augmentation of training clips, from the clip's own generator.

It is the same for all frames of a clip, but that a recipe may mirror each frame for itself. What a
clip gets is drawn before its pixels are read, so that it depends on nothing else.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmark.pixels import MEAN, STD

GROWTH = 8  # a crop is taken from an image that is larger by 1/8
ERASED_SHARE = (0.02, 0.4)  # of the image's area
ERASED_ASPECT = (0.3, 3.33)  # height by width
TRIES = 100
# the value that erased pixels have after normalisation in the papers' code, as a uint8 pixel
FILL = tuple(round(255 * (mean * std + mean)) for mean, std in zip(MEAN, STD, strict=True))


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What happens to one clip.

    Attributes:
        flip: all frames are mirrored.
        flipped: or these alone, [T]; empty: none.
        crop: ``(top, left)`` of the crop in images larger by 1/8, or None.
        erased: ``(top, left, height, width)`` of the erased rectangle, or None.
    """

    flip: bool
    flipped: tuple[bool, ...] = ()
    crop: tuple[int, int] | None = None
    erased: tuple[int, int, int, int] | None = None

    def size_to_read(self, height: int, width: int) -> tuple[int, int]:
        """Size of the images that are read, in pixels."""
        if self.crop is None:
            return height, width
        return height + height // GROWTH, width + width // GROWTH

    def apply(self, clip: Tensor, height: int, width: int) -> Tensor:
        """Crop, erase and mirror frames: uint8 [T, 3, ≥ height, ≥ width] -> [T, 3, height, width].

        Mirroring the whole clip waits for the device.
        """
        if self.crop is not None:
            top, left = self.crop
            clip = clip[..., top : top + height, left : left + width]
        if self.erased is not None:
            top, left, rows, columns = self.erased
            clip = clip.clone()
            fill = torch.tensor(FILL, dtype=clip.dtype)[:, None, None]
            clip[..., top : top + rows, left : left + columns] = fill
        if any(self.flipped):
            clip = torch.where(torch.tensor(self.flipped)[:, None, None, None], clip.flip(-1), clip)
        return clip


def draw_augmentation(
    rng: np.random.Generator,
    *,
    flip: float,
    random_crop: float,
    erase: float,
    height: int,
    width: int,
    flip_frames: int = 0,
) -> Augmentation:
    """Draw what happens to one clip.

    Args:
        rng: the clip's own.
        flip: probability that it is mirrored.
        random_crop: probability that it is enlarged by 1/8 and one crop is taken.
        erase: probability that one rectangle is erased from all its frames (Zhong et al., 2020,
            "Random Erasing Data Augmentation", one draw a clip).
        height: of the images, in pixels.
        width: of the images, in pixels.
        flip_frames: T, to draw for each frame whether it is mirrored; 0 draws for the whole clip.
    """
    mirrored = bool(not flip_frames and rng.random() < flip)
    flipped = tuple((rng.random(flip_frames) < flip).tolist())
    cropped = bool(random_crop and rng.random() < random_crop)
    more = (height // GROWTH, width // GROWTH) if cropped else (0, 0)
    top, left = (int(rng.integers(m + 1)) for m in more)
    erased = None
    if erase and rng.random() < erase:
        erased = _rectangle(rng, height, width)
    crop = (top, left) if cropped else None
    return Augmentation(flip=mirrored, flipped=flipped, crop=crop, erased=erased)


def _rectangle(
    rng: np.random.Generator, height: int, width: int
) -> tuple[int, int, int, int] | None:
    for _ in range(TRIES):
        area = rng.uniform(*ERASED_SHARE) * height * width
        aspect = rng.uniform(*ERASED_ASPECT)
        rows, columns = round((area * aspect) ** 0.5), round((area / aspect) ** 0.5)
        if 0 < rows < height and 0 < columns < width:
            top = int(rng.integers(height - rows + 1))
            return top, int(rng.integers(width - columns + 1)), rows, columns
    return None
