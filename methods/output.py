"""The contract between a method and everything that measures it."""

from typing import NamedTuple

from torch import Tensor


class ClipOutput(NamedTuple):
    """What a network gives for a batch of clips, in training and in evaluation alike.

    Attributes:
        embedding: [B, D] float32, what retrieval compares.
        metric: [B, D'] float32, what the triplet loss takes (before a BN neck).
        logits: [B, num_classes], or None where ``num_classes`` is 0.
        penalties: further training losses by name, already weighted; may be empty.
    """

    embedding: Tensor
    metric: Tensor
    logits: Tensor | None
    penalties: dict[str, Tensor]


def check_clips(clips: Tensor, *, frames_multiple: int = 1, why: str = "") -> None:
    """Refuse what is no clip batch, or has frames that do not fit, before anything is computed.

    Raises:
        ValueError: the message says which number is wrong and which would fit.
    """
    if clips.ndim != 5 or clips.shape[2] != 3:
        raise ValueError(f"clips have shape {list(clips.shape)}, expected [B, T, 3, H, W]")
    if not clips.is_floating_point():
        raise ValueError(f"clips are {clips.dtype}, expected ImageNet-normalised floats")
    frames = clips.shape[1]
    if frames == 0:
        raise ValueError(f"T = 0 frames do not fit: T may be {frames_multiple} or a multiple of it")
    if frames % frames_multiple:
        fit = max(frames // frames_multiple, 1) * frames_multiple
        raise ValueError(
            f"T = {frames} frames do not fit: {why} needs a multiple of {frames_multiple}, e.g. T "
            f"= {fit}"
        )
