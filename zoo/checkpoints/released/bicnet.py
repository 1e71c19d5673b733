"""The BiCnet-TKS repository: ``DAO.conv1.0.bn.weight``."""

import re

NETWORKS = {"bicnet_tks": "bicnet_tks"}
ORIGIN = "github.com/blue-blue272/BiCnet-TKS"
DROPPED = {"classifier.": "the classifier of the training persons; retrieval needs none"}
_TKS = {
    "conv1": "short",
    "conv2": "long",
    "fc1.0": "select.0",
    "fc1.1": "select.1",
    "fc2": "select.3",
    "W": "norm",
}
_MIX = {"conv": "0", "bn": "1"}


def rename(key: str) -> str | None:
    """Our name of one of their tensors; None if it has none."""
    if re.fullmatch(r"(conv1|bn1|layer[1-4]\.\d)\..+", key):
        return f"frames.{key}"
    if found := re.fullmatch(r"layer([123])_h2l\.weight", key):
        return f"paths.stage{found[1]}.weight"
    if found := re.fullmatch(r"TKS\.(conv[12]|fc1\.[01]|fc2|W)\.(\w+)", key):
        return f"tks.{_TKS[found[1]]}.{found[2]}"
    if found := re.fullmatch(r"DAO\.conv\.([01]\.\w+)", key):
        return f"dao.score.{found[1]}"
    if found := re.fullmatch(r"DAO\.conv1\.([01])\.(conv|bn)\.(\w+)", key):
        return f"dao.mix.{found[1]}.{_MIX[found[2]]}.{found[3]}"
    if found := re.fullmatch(r"DAO\.W\.([0-3]\.\w+)", key):
        return f"dao.norms.{found[1]}"
    if found := re.fullmatch(r"bn\.(\w+)", key):
        return f"head.neck.{found[1]}"
    return None
