"""Trained weights as they are shipped: in half precision, without the classifier."""

import torch
from torch import Tensor

CLASSIFIER = "head.classifier."
STATISTICS = ("running_mean", "running_var")


def halved(
    state: dict[str, Tensor],
) -> tuple[dict[str, Tensor], tuple[str, ...], tuple[str, ...]]:
    """Weights in float16, statistics of BatchNorm in float32, no classifier.

    Returns:
        The tensors, what was left out and what float16 cannot hold, both in words.
    """
    found, dropped, kept = {}, [], []
    for key, value in state.items():
        if key.startswith(CLASSIFIER):
            dropped.append(f"left out {key}: the classifier of the training persons")
        elif not value.is_floating_point() or key.endswith(STATISTICS):
            found[key] = value.contiguous()
        elif value.abs().max() > torch.finfo(torch.float16).max:
            kept.append(f"{key} stays float32: float16 cannot hold it")
            found[key] = value.contiguous()
        else:
            found[key] = value.to(torch.float16).contiguous()
    return found, tuple(dropped), tuple(kept)
