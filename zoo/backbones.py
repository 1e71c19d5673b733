"""The timm networks that methods are built on, by name, with arguments in brackets.

    build_backbone("resnet50[channels=16+32+64+128,layers=1+2+3+1]")

The text may come from a table or a record that somebody else wrote, and timm's constructors also
take arguments that read files or fetch them. So an argument must stand in `ARGUMENTS`, which sets
the shape of a network and nothing else; weights are only ever loaded by ``weights``.
"""

import logging
import re
from collections.abc import Mapping

import timm
from torch import nn

from benchmark import variants
from benchmark.variants import Variant
from zoo.initial_weights import load_initial_weights

IMAGENET = {"resnet50": "resnet50.tv_in1k", "legacy_seresnet50": "legacy_seresnet50.in1k"}
ARGUMENTS: dict[str, object] = {
    # residual networks
    "channels": tuple[int, ...],
    "layers": tuple[int, ...],
    "stem": int,
    "stem_width": int,
    "stem_type": str,
    "cardinality": int,
    "base_width": int,
    "avg_down": bool,
    "output_stride": int,
    "drop_block_rate": float,
    # vision transformers
    "img_size": tuple[int, ...],
    "embed_dim": int,
    "depth": int,
    "num_heads": int,
    "mlp_ratio": float,
    "class_token": bool,
    "reg_tokens": int,
    "pos_drop_rate": float,
    "proj_drop_rate": float,
    "attn_drop_rate": float,
    # ConvNeXts
    "dims": tuple[int, ...],
    "depths": tuple[int, ...],
    # several of them
    "patch_size": int,
    "drop_rate": float,
    "drop_path_rate": float,
}
# with these, the ImageNet weights still fit; timm resamples position embeddings
_SAME_WEIGHTS = {"img_size", *(name for name in ARGUMENTS if "drop_" in name)}
_UNSET = object()


def build_backbone(text: str, weights: str | None = None) -> nn.Module:
    """A timm network from its name, with arguments in brackets.

    The arguments are timm's, and ``stem``: the width of a ResNet's first convolution, which timm
    does not change with ``channels``. At small widths its 64 channels would cost more than all the
    stages.

    Args:
        text: e.g. ``resnet50``, ``resnet50.tv_in1k`` or ``resnet50[layers=1+2+3+1,stem=16]``.
        weights: ``imagenet`` (for a tower of CLIP, ``clip``), ``clip``, ``synthetic`` or None, see
            `zoo.registry.create`.

    Raises:
        LookupError: timm has no such network, or the argument is not one of `ARGUMENTS`.
        ValueError: timm does not take these values, or there are no such weights.
        OSError: the weights cannot be had.
    """
    variant = variants.parse(text)
    architecture, dot, tag = variant.name.partition(".")
    if architecture not in timm.list_models() or not re.fullmatch(r"\w*", tag) or (dot and not tag):
        resnets = dict.fromkeys(timm.list_models("*resnet*"))
        variants.choose(variant.name, resnets, "timm backbone")
    allowed = {name: (kind, _UNSET) for name, kind in ARGUMENTS.items()}
    arguments = variants.checked(variant.arguments, allowed, f"backbone {variant.name}")
    stem = arguments.pop("stem", None)
    try:
        network = timm.create_model(variant.name, pretrained=False, **arguments)
        if stem is not None:
            _set_stem(network, stem)
    except Exception as error:  # timm raises whatever it meets
        raise ValueError(f"timm cannot build {text!r}: {_first_line(error)}") from None
    if weights == "imagenet" and "_clip_" not in architecture:
        _load_imagenet(network, variant)
    elif weights in ("imagenet", "clip"):
        _load_clip(network, variant)
    elif weights == "synthetic":
        load_initial_weights(network, variant)
    elif weights is not None:
        raise ValueError(f"unknown weights {weights!r}: expected imagenet, clip, synthetic or None")
    return network


def _set_stem(network: nn.Module, width: int) -> None:
    """Give a timm ResNet a stem of that width, and its first block the inputs to match."""
    if not isinstance(network, timm.models.resnet.ResNet) or width < 1:
        raise TypeError(f"stem={width} needs a number from 1 and a timm ResNet, e.g. resnet50")
    network.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
    network.bn1 = nn.BatchNorm2d(width)
    block = network.layer1[0]
    wide = network.layer1[-1].bn3.num_features if hasattr(block, "bn3") else block.bn2.num_features
    first = block.conv1
    block.conv1 = nn.Conv2d(
        width, first.out_channels, first.kernel_size, padding=first.padding, bias=False
    )
    block.downsample = nn.Sequential(nn.Conv2d(width, wide, 1, bias=False), nn.BatchNorm2d(wide))
    for conv in (network.conv1, block.conv1, block.downsample[0]):
        nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")  # as timm does


def _load_imagenet(network: nn.Module, variant: Variant) -> None:
    name = IMAGENET.get(variant.name, variant.name)
    if set(variant.arguments) - _SAME_WEIGHTS:
        raise ValueError(f"there are no ImageNet weights for {variant}: use --set init=none")
    _load_from_timm(network, name, "ImageNet", variant.arguments)


def _load_clip(network: nn.Module, variant: Variant) -> None:
    """OpenAI's image towers; `methods.clip_vit` resizes their position embeddings itself."""
    architecture = variant.name.partition(".")[0]
    other_shape = set(variant.arguments) - (_SAME_WEIGHTS - {"img_size"})
    if other_shape or "_clip_" not in architecture:
        raise ValueError(f"there are no CLIP weights for {variant}: use --set init=none")
    _load_from_timm(network, f"{architecture}.openai", "CLIP", variant.arguments)


def _load_from_timm(
    network: nn.Module, name: str, kind: str, arguments: Mapping[str, object]
) -> None:
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it logs every retry
    try:
        source = timm.create_model(name, pretrained=True, **arguments)
    except Exception as error:  # hub, cache and network each raise their own
        raise OSError(
            f"the {kind} weights {name} cannot be had ({_first_line(error)}): download them once "
            "while online, or use --set init=none"
        ) from None
    network.load_state_dict(source.state_dict())


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
