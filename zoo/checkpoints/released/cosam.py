"""The COSAM repository: ``attention_modules.attention_modules.3.dim_reduction.0.weight``.

Its networks are of two layouts. On ResNet-50 the trunk is a numbered list in which the stem is
four entries, on SE-ResNet50 timm's ``layer0`` to ``layer4``; the COSAM after layer 3 is number 2 of
the first and number 3 of the second, so that it is the channels that say where one stands.
"""

import re

from torch import Tensor

NETWORKS = {
    "cosam": "cosam",
    "cosam_ta": "cosam[aggregate=ta]",
    "cosam_rnn": "cosam[aggregate=rnn]",
    "cosam_se": "cosam",
    "cosam_se_ta": "cosam[aggregate=ta]",
    "cosam_se_rnn": "cosam[aggregate=rnn]",
}
BACKBONES = {name: "legacy_seresnet50" for name in NETWORKS if name.startswith("cosam_se")}
ORIGIN = "github.com/InnovArul/vidreid_cosegmentation"
FRAMES = 4  # T that a COSAM's cost volume is bound to
DROPPED = {"classifier.": "the classifier of the training persons; retrieval needs none"}
_STEM = {"0": "conv1", "1": "bn1", "layer0.conv1": "conv1", "layer0.bn1": "bn1"}
_PARTS = {
    "dim_reduction": "reduce",
    "spatial_mask_summary": "summary",
    "channelwise_attention": "mlp",
}
_AGGREGATES = {"attention_conv": "spatial", "attention_tconv": "temporal", "lstm": "lstm"}
_CHANNELS = {256: 1, 512: 2, 1024: 3, 2048: 4}  # of the stages


def rename(key: str) -> str | None:
    """Our name of one of their tensors; None if it has none.

    A COSAM has its number in their list for that of its stage; `adapt` puts it right.
    """
    if found := re.fullmatch(r"base\.(0|1|layer0\.conv1|layer0\.bn1)\.(\w+)", key):
        return f"frames.{_STEM[found[1]]}.{found[2]}"
    if found := re.fullmatch(r"base\.([4-7])\.(.+)", key):
        return f"frames.layer{int(found[1]) - 3}.{found[2]}"
    if found := re.fullmatch(r"base\.(layer[1-4]\..+)", key):
        return f"frames.{found[1]}"
    if found := re.fullmatch(r"attention_modules\.attention_modules\.(\d)\.(\w+)\.(.+)", key):
        part = _PARTS.get(found[2])
        return part and f"after.list{found[1]}.{part}.{found[3]}"
    if found := re.fullmatch(r"aggregation\.(\w+)\.(\w+)", key):
        part = _AGGREGATES.get(found[1])
        return part and f"aggregate.{part}.{found[2]}"
    return None


def adapt(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The renamed tensors with each COSAM at its stage."""
    stages = {
        key.split(".")[1]: f"stage{_CHANNELS.get(value.shape[1])}"
        for key, value in state.items()
        if key.startswith("after.") and key.endswith(".reduce.0.weight")
    }
    result = {}
    for key, value in state.items():
        start, place, *rest = key.split(".")
        if start == "after" and place in stages:
            key = ".".join((start, stages[place], *rest))
        result[key] = value
    return result
