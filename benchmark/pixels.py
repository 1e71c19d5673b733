"""The pixels of a clip: decoded and resized as uint8; normalised on the device."""

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.io import ImageReadMode, decode_image

from benchmark.datasets.base import Tracklet
from benchmark.datasets.storage import open_file

MEAN = (0.485, 0.456, 0.406)  # ImageNet's, of RGB in [0, 1]
STD = (0.229, 0.224, 0.225)


class ImageError(OSError):
    """An image that is missing or cannot be decoded; the message names its path."""


RESIZES = ("bilinear", "bicubic")


def read_clip(
    tracklet: Tracklet, indices: np.ndarray, height: int, width: int, resize: str = "bilinear"
) -> Tensor:
    """The chosen frames as uint8 RGB, [T, 3, height, width].

    Args:
        tracklet: whose frames.
        indices: [T] frames, from 0.
        height: pixels.
        width: pixels.
        resize: ``bilinear`` or ``bicubic``, both antialiased.

    Raises:
        ImageError: a frame is missing or broken.
    """
    once, places = np.unique(indices, return_inverse=True)  # padded clips repeat frames
    images = [_read(tracklet.path(i)) for i in once.tolist()]
    if all(image.shape == images[0].shape for image in images):
        clip = _resize(_stack(images), height, width, resize)
    else:
        clip = _stack([_resize(image[None], height, width, resize)[0] for image in images])
    clip = clip if len(once) == len(indices) else clip[torch.from_numpy(places)]
    return clip.contiguous()


def _read(path: str) -> Tensor:
    try:
        with open_file(path) as file:
            data = np.frombuffer(bytearray(file.read()), np.uint8)
        return decode_image(torch.from_numpy(data), ImageReadMode.RGB)
    except OSError as error:
        reason = error.strerror or str(error)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
    raise ImageError(f"{path} cannot be read as an image: {reason}")


def _stack(images: list[Tensor]) -> Tensor:
    """[3, H, W] each -> [T, 3, H, W], channels last in memory as the decoder leaves them."""
    return torch.stack([image.permute(1, 2, 0) for image in images]).permute(0, 3, 1, 2)


def _resize(images: Tensor, height: int, width: int, mode: str) -> Tensor:
    if images.shape[-2:] == (height, width):
        return images
    return F.interpolate(images, (height, width), mode=mode, antialias=True)


def normalise(clips: Tensor, flip: Tensor | None = None) -> Tensor:
    """uint8 [B, T, 3, H, W] -> ImageNet-normalised float32, on the device that the clips are on.

    Args:
        clips: uint8 clips.
        flip: bool [B]; a clip's frames are mirrored together.
    """
    if flip is not None:
        clips = torch.where(flip[:, None, None, None, None], clips.flip(-1), clips)
    factor, shift = _affine(clips.device)
    return clips.float().mul_(factor).sub_(shift)


@cache
def _affine(device: torch.device) -> tuple[Tensor, Tensor]:
    """Made once a device: sending numbers to a GPU waits for it."""
    with torch.inference_mode(False):
        mean = torch.tensor(MEAN, device=device)[:, None, None]
        scale = 1 / torch.tensor(STD, device=device)[:, None, None]
        return scale / 255, mean * scale
