"""What `quick` starts from: a narrow ResNet-50 that was trained on other synthetic people.

It takes the place of the ImageNet weights in the papers' recipes. Without it `sta`, which has no
BatchNorm before its classifier, learned nothing in the minutes that `quick` takes. There is none
for transformers and ConvNeXts: `quick` trains them from random weights, and says so. The people,
places and cameras are those of ``synthetic[seed=1]``; none of them is in the default set.
``make start`` makes the file again: ``python -m zoo.initial_weights WEIGHTS`` writes it and prints
its hash.
"""

import hashlib
import sys
from pathlib import Path

from safetensors.torch import load, load_file, save_file
from torch import nn

from benchmark.files import write_whole
from benchmark.recipe import NOT_RESIDUAL
from benchmark.variants import Variant, parse
from zoo.half_precision import to_half

FILE = Path(__file__).parent / "checkpoints" / "weights" / "start.safetensors"
SHA256 = "5dfd78cc216f604a64fa8662002a499bf6a527bfec37f38308040864f8fa9a88"
BACKBONE = "resnet50[channels=16+32+64+128,layers=1+2+3+1,stem=16]"
_TRUNK = "frames."  # where resnet50_avg keeps its backbone


def starts_at_random(backbone: str) -> bool:
    """Whether ``init=synthetic`` leaves this backbone at random: only a ResNet is packaged.

    Args:
        backbone: a timm network with or without arguments.
    """
    return parse(backbone).name.startswith(NOT_RESIDUAL)


def load_initial_weights(network: nn.Module, variant: Variant) -> None:
    """Load these weights into a timm network; its ImageNet classifier, which nobody uses, stays.

    Args:
        network: built from ``variant``.
        variant: must be `BACKBONE`.

    Raises:
        ValueError: the network is another one, or the file is not that of this version.
    """
    if variant != parse(BACKBONE):
        raise ValueError(
            f"init=synthetic has weights for {BACKBONE} only, not for {variant}: use --set "
            "init=none"
        )
    data = FILE.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ValueError(f"{FILE} is not the file of this version: install the package again")
    state = load(data)
    unused = {k: v for k, v in network.state_dict().items() if k.startswith("fc.")}
    network.load_state_dict({k: v.float() for k, v in state.items()} | unused)


def save_initial_weights(weights: Path) -> str:
    """Write the backbone of trained `resnet50_avg` weights; returns the sha256."""
    state = {k: v for k, v in load_file(weights).items() if k.startswith(_TRUNK)}
    state = {k.removeprefix(_TRUNK): v for k, v in to_half(state)[0].items()}
    write_whole(FILE, lambda part: save_file(state, part))
    return hashlib.sha256(FILE.read_bytes()).hexdigest()


if __name__ == "__main__":
    print(save_initial_weights(Path(sys.argv[1])))
