"""The TCLNet repository: ``TSE_Module.branch.0.conv1.weight``."""

import re

import torch
from torch import Tensor

NETWORKS = {"tclnet": "tclnet"}
ORIGIN = "github.com/blue-blue272/VideoReID-TCLNet"
FRAMES = 4  # T that the released networks were trained with
DROPPED = {"classifier.": "the classifiers of the training persons; retrieval needs none"}
_FIELDS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def rename(key: str) -> str | None:
    """Our name of one of their tensors; None if it has none."""
    if found := re.fullmatch(r"layer2\.4\.W\.([01]\.\w+)", key):  # no block, but TSB
        return f"tsb.embed.{found[1]}"
    if re.fullmatch(r"(conv1|bn1|layer[123]\.\d)\..+", key):
        return f"frames.{key}"
    if found := re.fullmatch(r"TSE_Module\.layer4\.([01]\..+)", key):
        return f"frames.layer4.{found[1]}"
    if found := re.fullmatch(r"TSE_Module\.branch\.([01]\..+)", key):
        return f"tse.branches.{found[1]}"
    if key == "TSE_Module.conv_reduce.weight":
        return "tse.reduce.weight"
    if found := re.fullmatch(r"TSE_Module\.conv_erase\.([01]\.\w+)", key):
        return f"tse.embed.{found[1]}"
    if found := re.fullmatch(r"bn\.([01]\.\w+)", key):  # of each learner; `adapt` joins them
        return f"head.neck.{found[1]}"
    return None


def adapt(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The renamed tensors with one BatchNorm for both learners' halves."""
    joined = dict(state)
    for field in _FIELDS:
        halves = [joined.pop(f"head.neck.{i}.{field}", None) for i in (0, 1)]
        if None not in halves:
            counter = field == "num_batches_tracked"
            joined[f"head.neck.{field}"] = halves[0] if counter else torch.cat(halves)
    return joined
