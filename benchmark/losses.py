"""The training losses; each is a mean over the batch.

A recipe names its losses; `LOSSES` holds them by name. One of one's own is a function
``loss(output, classes, recipe) -> Tensor``, put there by ``zoo.register("loss", function)`` or by a
plugin.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from methods.output import ClipOutput, HeadOutput

if TYPE_CHECKING:
    from benchmark.recipe import Recipe

CONTRAST_TEMPERATURE = 0.07


def batch_hard_triplet(
    metric: Tensor, pids: Tensor, margin: float | str = 0.3, distance: str = "euclidean"
) -> Tensor:
    """Batch-hard triplet loss (Hermans et al., 2017, eq. 5).

    For each clip: its farthest positive, another clip of the person, against its nearest negative.

    Args:
        metric: [B, D] features.
        pids: [B] persons.
        margin: hinge at that margin, or ``"soft"`` for log(1 + exp(·)).
        distance: ``euclidean``, or ``cosine`` for minus the cosine.

    Returns:
        Mean over the clips that have a positive and a negative; on a GPU, where a look would have
        to wait, NaN if there is none.

    Raises:
        ValueError: no clip has both, on a CPU.
        KeyError: there is no such distance.
    """
    same = pids[:, None] == pids[None]
    positives = same & ~torch.eye(len(pids), dtype=torch.bool, device=pids.device)
    usable = positives.any(1) & (~same).any(1)
    if usable.device.type == "cpu" and not usable.any():
        raise ValueError("a triplet needs two clips of one person and one of another in the batch")
    between = TRIPLET_DISTANCES[distance](metric)  # [B, B]
    positive = between.masked_fill(~positives, -torch.inf).amax(1)
    negative = between.masked_fill(same, torch.inf).amin(1)
    gap = torch.where(usable, positive - negative, 0)
    hardest = F.softplus(gap) if margin == "soft" else (gap + margin).clamp_min(0)
    return torch.where(usable, hardest, 0).sum() / usable.sum()


def at_least_float32(x: Tensor) -> Tensor:
    """In float32, or in float64 where it is that already."""
    return x if x.dtype == torch.float64 else x.float()


def euclidean(x: Tensor) -> Tensor:
    """[B, D] -> [B, B] distances in float32, by subtraction; the gradient is 0 where two are equal.

    |a|² + |b|² − 2ab would lose what tells near clips apart: at a distance of 0.01 between vectors
    of length 10, half of the gradient is rounding.
    """
    x = at_least_float32(x)
    return torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")


def minus_cosine(x: Tensor) -> Tensor:
    """[B, D] -> [B, B], minus the cosine of each pair, in [-1, 1]."""
    unit = F.normalize(at_least_float32(x), dim=1)
    return -unit @ unit.T


TRIPLET_DISTANCES = {"euclidean": euclidean, "cosine": minus_cosine}


def cross_entropy(output: ClipOutput, classes: Tensor, recipe: "Recipe") -> Tensor:
    """Cross-entropy with the recipe's label smoothing, over all heads with their weights."""
    parts = [
        head.cross_entropy
        * F.cross_entropy(
            at_least_float32(head.logits),
            classes.repeat_interleave(len(head.logits) // len(classes)),
            label_smoothing=recipe.smoothing,
        )
        for head in _heads(output)
        if head.logits is not None
    ]
    return torch.stack(parts).sum()


def triplet(output: ClipOutput, classes: Tensor, recipe: "Recipe") -> Tensor:
    """`batch_hard_triplet` with the recipe's margin, vector and distance, over all heads."""
    parts = [
        head.triplet
        * batch_hard_triplet(
            getattr(head, recipe.triplet_on), classes, recipe.triplet, recipe.triplet_distance
        )
        for head in _heads(output)
        if getattr(head, recipe.triplet_on) is not None and head.triplet
    ]
    return torch.stack(parts).sum()


def contrast(output: ClipOutput, classes: Tensor, recipe: "Recipe") -> Tensor:
    """SINet's contrast between frames, times the recipe's ``contrast``.

    Of one person, a frame's positives are the frames at the same place in his other clips, its
    negatives all his frames at other places. Summed over persons, a mean over one person's pairs
    (Bai et al., "SINet", CVPR 2022).

    Raises:
        ValueError: the method gives no frames.
    """
    if output.frames is None:
        raise ValueError("the loss contrast needs a method that gives frames, such as sinet")
    z = F.normalize(at_least_float32(output.frames), dim=1)  # [B, D, T]
    total = z.new_zeros(())
    for pid in classes.unique():
        own = z[classes == pid]  # [K, D, T]
        clips, _, frames = own.shape
        flat = own.transpose(1, 2).flatten(0, 1)  # [K*T, D]
        place = torch.arange(frames, device=z.device).repeat(clips)
        clip = torch.arange(clips, device=z.device).repeat_interleave(frames)
        similarity = flat @ flat.T / CONTRAST_TEMPERATURE  # [K*T, K*T]
        positive = (place[:, None] == place) & (clip[:, None] != clip)
        if not positive.any():
            continue
        other = similarity.masked_fill(place[:, None] == place, -torch.inf)
        denominator = torch.logaddexp(similarity, other.logsumexp(1, keepdim=True))
        total = total + (denominator - similarity)[positive].mean()
    return recipe.contrast * total


def _heads(output: ClipOutput) -> tuple[HeadOutput, ...]:
    return output.heads or (HeadOutput(output.embedding, output.metric, output.logits),)


Loss = Callable[[ClipOutput, Tensor, "Recipe"], Tensor]
LOSSES: dict[str, Loss] = {
    "cross_entropy": cross_entropy,
    "triplet": triplet,
    "contrast": contrast,
}


def losses(output: ClipOutput, classes: Tensor, recipe: "Recipe") -> dict[str, Tensor]:
    """The parts of the training loss by name; their sum is what is minimised.

    Args:
        output: of the network, in training.
        classes: [B] class of each clip.
        recipe: names its losses and their settings.
    """
    parts = {name: LOSSES[name](output, classes, recipe) for name in recipe.losses}
    return parts | output.penalties
