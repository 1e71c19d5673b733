"""The training losses; each is a mean over the batch."""

import torch
import torch.nn.functional as F
from torch import Tensor

from methods.output import ClipOutput


def batch_hard_triplet(metric: Tensor, pids: Tensor, margin: float | str = 0.3) -> Tensor:
    """Batch-hard triplet loss on Euclidean distances (Hermans et al., 2017, eq. 5).

    For each clip: its farthest positive against its nearest negative.

    Args:
        metric: [B, D] features.
        pids: [B] persons.
        margin: hinge at that margin, or ``"soft"`` for log(1 + exp(·)).

    Returns:
        Mean over the clips that have a positive and a negative.

    Raises:
        ValueError: no clip has both.
    """
    same = pids[:, None] == pids[None]
    others = ~torch.eye(len(pids), dtype=torch.bool, device=pids.device)
    usable = (same & others).any(1) & (~same).any(1)
    if not usable.any():
        raise ValueError("a triplet needs two clips of one person and one of another in the batch")
    distance = euclidean(metric)
    positive = distance.masked_fill(~same, 0).amax(1)
    negative = distance.masked_fill(same, torch.inf).amin(1)
    gap = (positive - negative)[usable]
    return F.softplus(gap).mean() if margin == "soft" else (gap + margin).clamp_min(0).mean()


def euclidean(x: Tensor) -> Tensor:
    """[B, D] -> [B, B] distances in float32; the gradient is finite where two are equal."""
    x = x.float()
    square = x.square().sum(1)
    squared = square[:, None] + square[None] - 2 * x @ x.T
    return squared.clamp_min(1e-12).sqrt()


def losses(
    output: ClipOutput, classes: Tensor, *, triplet: float | str | None, smoothing: float
) -> dict[str, Tensor]:
    """The parts of the training loss by name; their sum is what is minimised.

    Args:
        output: of the network, in training.
        classes: [B] class of each clip.
        triplet: margin, ``"soft"``, or None for no triplet loss.
        smoothing: label smoothing of the cross-entropy, in [0, 1).
    """
    parts = {
        "cross_entropy": F.cross_entropy(output.logits.float(), classes, label_smoothing=smoothing)
    }
    if triplet is not None:
        parts["triplet"] = batch_hard_triplet(output.metric, classes, triplet)
    return parts | output.penalties
