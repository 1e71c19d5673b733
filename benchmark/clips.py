"""Tracklet to clip: which frames, and their pixels.

Frame rules say which frames stand for a tracklet in test (the names are those of result labels),
samplings which frames are drawn in training. Pixels are decoded and resized as uint8; flipping and
normalising wait for the device.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.io import ImageReadMode, decode_image, read_file

from benchmark.datasets.base import Tracklet

MEAN = (0.485, 0.456, 0.406)  # ImageNet's, of RGB in [0, 1]
STD = (0.229, 0.224, 0.225)


class ImageError(OSError):
    """An image that is missing or cannot be decoded; the message names its path."""


# ---- which frames, in test -----------------------------------------------------------------------


def chunk_first(frames: int, T: int) -> np.ndarray:
    """First frame of each of T chunks of ceil(F/T) (STE-NVAN): min(s·ceil(F/T), F−1)."""
    return np.minimum(np.arange(T) * -(-frames // T), frames - 1)


def even(frames: int, T: int) -> np.ndarray:
    """T frames, floor(F/T) apart; a shorter track repeats its last (torchreid)."""
    return np.minimum(np.arange(T) * max(frames // T, 1), frames - 1)


def begin(frames: int, T: int) -> np.ndarray:
    """T frames from the first on, stride 8, 4, 2 or 1, whichever fits; else looped (AP3D)."""
    stride = next((s for s in (8, 4, 2, 1) if frames >= s * (T - 1) + 1), 1)
    return np.arange(T) * stride % frames


def dense(frames: int, T: int) -> list[np.ndarray]:
    """Consecutive clips of T; the last one is looped over its own frames."""
    return [np.resize(clip, T) for clip in all_frames(frames, T)]


def all_frames(frames: int, T: int) -> list[np.ndarray]:
    """Consecutive clips of T; the last one may be shorter."""
    return [np.arange(start, min(start + T, frames)) for start in range(0, frames, T)]


@dataclass(frozen=True)
class FrameRule:
    """How a tracklet becomes clips in test, and how the clips become one vector again.

    Attributes:
        kind: ``chunk-first``, ``even``, ``begin``, ``dense``, ``all``, ``all-mean`` or ``all-max``.
        frames: frames of a clip (1 for ``all-mean`` and ``all-max``, which pool single frames).
    """

    kind: str
    frames: int

    def __str__(self) -> str:
        return self.kind if self.kind in ("all-mean", "all-max") else f"{self.kind}{self.frames}"

    def clips(self, frames: int) -> list[np.ndarray]:
        """Frame indices of each clip of a tracklet of that many frames."""
        single = {"chunk-first": chunk_first, "even": even, "begin": begin}.get(self.kind)
        if single:
            return [single(frames, self.frames)]
        return (dense if self.kind == "dense" else all_frames)(frames, self.frames)


def frame_rule(text: str, default_frames: int | None = None) -> FrameRule:
    """Read ``chunk-first8``, ``even15``, ``dense4``, ``all32``, ``begin4``, ``all-max``, ….

    Args:
        text: the rule's name; without a number, ``default_frames`` is taken.
        default_frames: clip length of the recipe.

    Raises:
        ValueError: there is no such rule.
    """
    if text in ("all-mean", "all-max"):
        return FrameRule(text, 1)
    found = re.fullmatch(r"(chunk-first|even|begin|dense|all)(\d*)", text)
    frames = int(found[2]) if found and found[2] else default_frames
    if not found or not frames:
        raise ValueError(
            f"unknown frame rule {text!r}: expected chunk-firstT, evenT, beginT, denseT, allT (T "
            f"a number of "
            "frames, e.g. chunk-first8), all-mean or all-max"
        )
    return FrameRule(found[1], frames)


# ---- which frames, in training -------------------------------------------------------------------


def restricted_random(frames: int, T: int, rng: np.random.Generator) -> np.ndarray:
    """A random frame of each of T chunks of ceil(F/T); past the end, the last frame."""
    start = chunk_first(frames, T)
    stop = np.minimum(start + -(-frames // T), frames)
    return rng.integers(start, stop)


def random_frames(frames: int, T: int, rng: np.random.Generator) -> np.ndarray:
    """T random frames in time order, none twice; a shorter track repeats its last."""
    if frames < T:
        return np.minimum(np.arange(T), frames - 1)
    return np.sort(rng.choice(frames, T, replace=False))


def consecutive(frames: int, T: int, rng: np.random.Generator) -> np.ndarray:
    """T frames in a row from a random start; a shorter track repeats its last."""
    start = rng.integers(max(frames - T, 0) + 1)
    return np.minimum(start + np.arange(T), frames - 1)


def strided(frames: int, T: int, rng: np.random.Generator) -> np.ndarray:
    """One frame every 8 of 8·T in a row from a random start; a shorter track wraps (3D-ResNet)."""
    start = rng.integers(max(frames - 8 * T, 0) + 1)
    return (start + 8 * np.arange(T)) % frames


SAMPLINGS: dict[str, Callable[[int, int, np.random.Generator], np.ndarray]] = {
    "restricted-random": restricted_random,
    "random": random_frames,
    "consecutive": consecutive,
    "strided": strided,
}


# ---- pixels --------------------------------------------------------------------------------------


def read_clip(tracklet: Tracklet, indices: np.ndarray, height: int, width: int) -> Tensor:
    """The chosen frames as uint8 RGB, [T, 3, height, width].

    Raises:
        ImageError: a frame is missing or broken.
    """
    once, places = np.unique(indices, return_inverse=True)  # padded clips repeat frames
    images = [_read(tracklet.path(i)) for i in once.tolist()]
    if all(image.shape == images[0].shape for image in images):
        clip = _resize(_stack(images), height, width)
    else:
        clip = _stack([_resize(image[None], height, width)[0] for image in images])
    clip = clip if len(once) == len(indices) else clip[torch.from_numpy(places)]
    return clip.contiguous()


def _read(path: str) -> Tensor:
    try:  # reading apart from decoding is faster than decode_image(path)
        return decode_image(read_file(path), ImageReadMode.RGB)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
    raise ImageError(f"{path} cannot be read as an image: {reason}")


def _stack(images: list[Tensor]) -> Tensor:
    """[3, H, W] each -> [T, 3, H, W], channels last in memory as the decoder leaves them."""
    return torch.stack([image.permute(1, 2, 0) for image in images]).permute(0, 3, 1, 2)


def _resize(images: Tensor, height: int, width: int) -> Tensor:
    if images.shape[-2:] == (height, width):
        return images
    return F.interpolate(images, (height, width), mode="bilinear", antialias=True)


def normalise(clips: Tensor, flip: Tensor | None = None) -> Tensor:
    """uint8 [B, T, 3, H, W] -> ImageNet-normalised float32, on the device that the clips are on.

    Args:
        clips: uint8 clips.
        flip: bool [B]; a clip's frames are mirrored together.
    """
    if flip is not None:
        clips = torch.where(flip[:, None, None, None, None], clips.flip(-1), clips)
    mean = torch.tensor(MEAN, device=clips.device)[:, None, None]
    scale = 1 / torch.tensor(STD, device=clips.device)[:, None, None]
    return clips.float().mul_(scale / 255).sub_(mean * scale)
