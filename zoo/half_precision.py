"""Trained weights as they are shipped: in half precision, without the classifier."""

import torch
from torch import Tensor

# what only training needs: classifiers, and heads of features that retrieval does not compare
CLASSIFIERS = ("head.classifier.", "head.below.")
_STATISTICS = ("running_mean", "running_var")


def to_half(
    state: dict[str, Tensor],
) -> tuple[dict[str, Tensor], tuple[str, ...], tuple[str, ...]]:
    """Weights in float16, statistics of BatchNorm in float32, no classifier.

    Returns:
        The tensors; what was left out; and what stays in float32 since float16 cannot hold it, both
        as lines for people.
    """
    half, dropped, kept = {}, [], []
    for key, value in state.items():
        if key.startswith(CLASSIFIERS):
            dropped.append(f"left out {key}: the classifier of the training identities")
        elif not value.is_floating_point() or key.endswith(_STATISTICS):
            half[key] = value.contiguous()
        elif value.abs().max() > torch.finfo(torch.float16).max:
            kept.append(f"{key} stays float32: float16 cannot hold it")
            half[key] = value.contiguous()
        else:
            half[key] = value.to(torch.float16).contiguous()
    return half, tuple(dropped), tuple(kept)
