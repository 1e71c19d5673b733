"""The PSTA repository: ``module.layer1.TRAG.gamma_temporal.0.weight``.

The repository has no licence: its files may be converted by who has them, not passed on.
"""

import re

from torch import Tensor

NETWORKS = {"psta": "psta"}
ORIGIN = "github.com/WangYQ9/VideoReID_PSTA"
DROPPED = {
    "classifier.": "the classifiers of the training persons; retrieval needs none",
    "bottleneck.0.": "BatchNorm of the first level's head, for training only",
    "bottleneck.1.": "BatchNorm of the second level's head, for training only",
}
# of a level, which they call layer1, layer2, layer3
_PARTS = {
    "Embeding": "embed",
    "TRAG.gamma_temporal": "between.gamma",
    "TRAG.beta_temporal": "between.beta",
    "TRAG.gg_temporal": "between.relation",
    "TRAG.tte_para": "between.joint",
    "TRAG.te_para": "between.gate",
    "TRAG.channel_para": "between.channel",
    "SRAG.alphi_appearance": "within.alpha",
    "SRAG.delta_appearance": "within.delta",
    "SRAG.gg_spatial": "within.relation",
    "SRAG.spa_para": "within.gate",
    "SRAG.app_channel": "within.channel",
    "conv_block": "refine",
}


def rename(key: str) -> str | None:
    """Our name of one of their tensors; None if it has none."""
    if found := re.fullmatch(r"base\.((?:conv1|bn1|layer[1-4]\.\d)\..+)", key):
        return f"frames.{found[1]}"
    if found := re.fullmatch(r"down_channel\.([01]\.\w+)", key):
        return f"reduce.{found[1]}"
    if found := re.fullmatch(r"bottleneck\.2\.(\w+)", key):
        return f"head.neck.{found[1]}"
    if found := re.fullmatch(r"layer([123])\.TRAG\.theta_channel\.0\.weight", key):
        return f"levels.{int(found[1]) - 1}.between.theta.weight"
    found = re.fullmatch(r"layer([123])\.(.+)\.(\d\.\w+)", key)
    if found and found[2] in _PARTS:
        return f"levels.{int(found[1]) - 1}.{_PARTS[found[2]]}.{found[3]}"
    return None


def adapt(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The renamed tensors with the channels' perceptrons as linear layers."""
    perceptron = re.compile(r"levels\.\d\.\w+\.channel\.\d\.weight")
    return {k: v.flatten(1) if perceptron.fullmatch(k) else v for k, v in state.items()}
