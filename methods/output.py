"""The contract between a method and everything that measures it."""

from typing import NamedTuple

from torch import Tensor


class HeadOutput(NamedTuple):
    """What one of several heads gives, and how much its losses count; ``paper/*`` recipes only.

    Attributes:
        embedding: [B, D] after the neck, or None where the head has no triplet loss.
        metric: [B, D] before it, or None.
        logits: [B, num_classes], or [B*T, num_classes] for a head on single frames (a clip's frames
            stand together); None where the head has no cross-entropy.
        cross_entropy: weight of its cross-entropy.
        triplet: weight of its triplet loss.
    """

    embedding: Tensor | None
    metric: Tensor | None
    logits: Tensor | None
    cross_entropy: float = 1.0
    triplet: float = 1.0


class ClipOutput(NamedTuple):
    """What a network gives for a batch of clips, in training and in evaluation alike.

    Attributes:
        embedding: [B, D] float32, what retrieval compares.
        metric: [B, D'] float32, what the triplet loss takes (before a BN neck).
        logits: [B, num_classes], or None where ``num_classes`` is 0.
        penalties: further training losses by name, already weighted; may be empty.
        heads: where a method trains several heads: all of them; the losses are then theirs, and
            ``metric`` and ``logits`` take part in none. Empty for one head.
        frames: [B, D, T] embeddings of single frames, for losses that compare frames; or None.
    """

    embedding: Tensor
    metric: Tensor
    logits: Tensor | None
    penalties: dict[str, Tensor]
    heads: tuple[HeadOutput, ...] = ()
    frames: Tensor | None = None


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
