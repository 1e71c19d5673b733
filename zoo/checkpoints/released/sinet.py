"""The SINet repository, with SBNet, IDNet and SANet: ``layer2.2.thw_reduction.0.weight``.

What stands between the blocks is numbered with them there: SINet's ``layer2.2`` is IDM after block
1 and ``layer2.3`` block 2, while SBNet's ``layer2.2`` is a block.
"""

import re

from torch import Tensor

NETWORKS = {name: name for name in ("sinet", "sbnet", "idnet", "sanet")}
ORIGIN = "github.com/baist/SINet"
FRAMES = 4  # T that the released networks were trained with, and SINet and IDNet are bound to
DROPPED = {
    "classifier.": "the classifier of the training persons; retrieval needs none",
    "projection.": "the projection of frames, for the contrast between them in training only",
}
_PARTS = {
    "chl_reduction.0": "narrow.0",  # IDM
    "chl_reduction.1": "narrow.1",
    "thw_reduction.0": "gather.0",
    "thw_reduction.1": "gather.1",
    "thw_expansion.0": "spread",
    "chl_expansion.0": "widen",
    "kernel.0": "kernel.0",  # SBM
    "kernel.1": "kernel.1",
    "se.1": "gate.0",
    "se.3": "gate.2",
    "down_channel": "down",  # SANet
    "up_channel.0": "up.0",
    "up_channel.1": "up.1",
}
_BLOCK = re.compile(r"frames\.layer([1-4])\.(\d)\.(.+)")
_BETWEEN = re.compile(r"between\.layer([1-4])\.(\d)\.(.+)")
_BIAS = re.compile(r"(.*\b)(?:conv(\d)|((?:downsample|narrow|gather|kernel|up)\.)0)\.bias")


def rename(key: str) -> str | None:
    """Our name of one of their tensors, as yet numbered as theirs; None if it has none."""
    if found := re.fullmatch(r"bn\.(\w+)", key):
        return f"head.neck.{found[1]}"
    if re.fullmatch(r"(conv1|bn1|layer[1-4]\.\d\.(conv\d|bn\d|downsample\.\d))\.\w+", key):
        return f"frames.{key}"
    found = re.fullmatch(r"(layer[23]\.\d)\.(.+)\.(\w+)", key)
    if found and found[2] in _PARTS:
        return f"between.{found[1]}.{_PARTS[found[2]]}.{found[3]}"
    return None


def adapt(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The renamed tensors with blocks counted apart, biases folded and pointwise kernels flat."""
    found = (_BETWEEN.fullmatch(key) for key in state)
    between = {(match[1], int(match[2])) for match in found if match}
    state = {_counted_apart(key, between): _flat(key, value) for key, value in state.items()}
    for key in list(state):
        if found := _BIAS.fullmatch(key):
            before, conv, pair = found.groups()
            mean = f"{before}{f'bn{conv}' if conv else f'{pair}1'}.running_mean"
            if mean in state:
                state[mean] = state[mean] - state.pop(key)
    return state


def _counted_apart(key: str, between: set[tuple[str, int]]) -> str:
    """The key with a block's number among blocks, or with that of the block that a layer follows.

    Args:
        key: numbered as theirs.
        between: stage and number of all that are no blocks.
    """
    found = _BLOCK.fullmatch(key) or _BETWEEN.fullmatch(key)
    if not found:
        return key
    stage, place, rest = found[1], int(found[2]), found[3]
    block = place - sum((stage, other) in between for other in range(place))
    if key.startswith("between."):
        return f"between.stage{stage}_block{block - 1}.{rest}"
    return f"frames.layer{stage}.{block}.{rest}"


def _flat(key: str, value: Tensor) -> Tensor:
    """Kernels of layers that see no map: [o, i, 1, 1] over positions, [o, i, 1, 1, 1] as linear."""
    if re.search(r"\.(gather\.0|spread)\.weight$", key):
        return value.flatten(2)
    if re.search(r"\.gate\.[02]\.weight$", key):
        return value.flatten(1)
    return value
