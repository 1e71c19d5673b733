"""The AP3D repository: ``layer2.0.conv2.spatial_conv3d.weight``, kernels over time and space.

In NL + AP3D the non-local layers stand among the blocks and are numbered with them, so that what
``layer3.3`` is depends on the rest of the file: `adapt` tells.
"""

import re

from torch import Tensor

NETWORKS = {"ap3d": "ap3d", "ap3d_nl": "ap3d_nl"}
ORIGIN = "github.com/guxinqian/AP3D"
FRAMES = 4  # T that the released networks were trained with
DROPPED = {"classifier.": "the classifier of the training identities; retrieval needs none"}

_BLOCK = re.compile(r"(layer[1-4])\.(\d+)\.(.+)")
_NON_LOCAL = re.compile(r"(theta|phi\.0|g\.0|W\.0|W\.1)\.(\w+)")
_LAYERS = {"theta": "theta", "phi.0": "phi", "g.0": "g", "W.0": "out", "W.1": "norm"}
_ALIGNMENT = {
    "semantic_mapping.weight": "similarity.weight",
    "x_mapping.weight": "gate_own.weight",
    "n_mapping.weight": "gate_found.weight",
    "contrastive_att_net.0.weight": "gate_out.weight",
}
_TAPS = ("before", "own", "after")  # of the frame that a slice of the temporal kernel is for


def rename(key: str) -> str | None:
    """Our name of one of their tensors; a block's is still theirs. None if it has none."""
    if found := re.fullmatch(r"bn\.(\w+)", key):
        return f"head.neck.{found[1]}"
    if re.fullmatch(r"(conv1|bn1)\.\w+", key):
        return f"frames.{key}"
    return key if _BLOCK.fullmatch(key) else None


def adapt(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Blocks by our names, and a temporal kernel [C, C, 3, 1, 1] as three of [C, C, 1, 1]."""
    blocks = [found.groups() for key in state if (found := _BLOCK.fullmatch(key))]
    inserted = {(layer, place) for layer, place, rest in blocks if rest == "theta.weight"}
    ours = {}
    for key, value in state.items():
        found = _BLOCK.fullmatch(key)
        if not found:
            ours[key] = value
            continue
        layer, place, rest = found.groups()
        before = sum(stage == layer and int(i) < int(place) for stage, i in inserted)
        block = int(place) - before
        if (layer, place) in inserted:
            ours[_non_local(layer, block - 1, rest) or key] = value
        elif rest == "conv2.temporal_conv3d.weight":
            for i, tap in enumerate(_TAPS):
                ours[f"{_temporal(layer, block)}.{tap}.weight"] = value[:, :, i]
        else:
            ours[_in_block(layer, block, rest)] = value
    return ours


def _temporal(layer: str, block: int) -> str:
    return f"temporal.stage{layer[-1]}_block{block}"


def _non_local(layer: str, block: int, rest: str) -> str | None:
    """Our name in the non-local layer after a block."""
    found = _NON_LOCAL.fullmatch(rest)
    return found and f"non_local.stage{layer[-1]}_block{block}.{_LAYERS[found[1]]}.{found[2]}"


def _in_block(layer: str, block: int, rest: str) -> str:
    if rest == "conv2.spatial_conv3d.weight":
        rest = "conv2.weight"
    aligning = _ALIGNMENT.get(rest.removeprefix("conv2.APM."))
    if aligning:
        return f"{_temporal(layer, block)}.alignment.{aligning}"
    return f"frames.{layer}.{block}.{rest}"
