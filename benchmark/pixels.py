"""The pixels of a clip: decoded and resized as uint8; normalised on the device."""

import io
import warnings
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torchvision.io import ImageReadMode, decode_image

from benchmark.datasets.base import Tracklet
from benchmark.datasets.storage import open_file

MEAN = (0.485, 0.456, 0.406)  # ImageNet's, of RGB in [0, 1]
STD = (0.229, 0.224, 0.225)


class ImageError(OSError):
    """An image that is missing or cannot be decoded; the message names its path."""


JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG"  # first bytes
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
    images = [read_image(tracklet.path(i)) for i in once.tolist()]
    if all(image.shape == images[0].shape for image in images):
        clip = _resize(_stack(images), height, width, resize)
    else:
        clip = _stack([_resize(image[None], height, width, resize)[0] for image in images])
    clip = clip if len(once) == len(indices) else clip[torch.from_numpy(places)]
    return clip.contiguous()


def read_image(path: str) -> Tensor:
    """An image as uint8 RGB, [3, H, W].

    Raises:
        ImageError: it is missing, no regular file, no JPEG or PNG of 8 bits, or damaged; one line.
    """
    reason = "it is cut short or damaged"
    try:
        with open_file(path) as file:  # reading apart from decoding is faster
            data = file.read()
        if not data:
            raise ImageError(f"{path} cannot be read as an image: it is empty")
        if data.startswith(JPEG):
            pixels = torch.frombuffer(bytearray(data), dtype=torch.uint8)
            return decode_image(pixels, ImageReadMode.RGB)
        if data.startswith(PNG):
            return _read_png(path, data)
        reason = "it is neither JPEG nor PNG"
    except ImageError:
        raise
    except OSError as error:
        reason = error.strerror or str(error).replace(str(path), "it")
    except (RuntimeError, ValueError):
        pass  # what torchvision was doing when it failed is no news to anybody
    raise ImageError(f"{path} cannot be read as an image: {reason}")


def _read_png(path: str, data: bytes) -> Tensor:
    """A PNG by Pillow: torchvision's decoder (0.30) ends the process on one that is damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                if image.mode.startswith("I"):
                    raise ImageError(
                        f"{path} cannot be read as an image: it has more than 8 bits a channel: "
                        "convert it"
                    )
                return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
    except ImageError:
        raise
    except Exception:  # Pillow raises a dozen kinds for a broken file
        raise ImageError(f"{path} cannot be read as an image: it is cut short or damaged") from None


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
