"""Methods by name: ``create("sta[blocks=8]", num_classes=625)``.

The registry is a tuple of functions; a method's name is its function's. Plugins add theirs, see
`zoo.plugins`.
"""

import contextlib
import copy
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from benchmark import variants
from benchmark.variants import Variant
from methods.ap3d import ap3d, ap3d_nl, ap_i3d, c2d, c2d_nl, i3d, p3d
from methods.backbone import NoStages, channels_last
from methods.baselines import (
    resnet50_image,
    resnet50_rnn,
    resnet50_ta,
    resnet50_tp,
    seresnet50_rnn,
    seresnet50_ta,
    seresnet50_tp,
)
from methods.bicnet import bicnet_tks
from methods.clip_vit import clip_vit_avg
from methods.cosam import cosam
from methods.head import NECKS, Head
from methods.last_map import fit_images
from methods.nlam import nlam_nltp, nlam_tp
from methods.nvan import (
    nvan,
    nvan_1layer,
    nvan_3layer,
    nvan_s,
    nvan_t,
    resnet50_avg,
    resnet50_max,
    stenvan,
)
from methods.psta import psta
from methods.resnet3d import resnet3d50, resnet3d50_nl
from methods.sinet import idnet, sanet, sbnet, sinet
from methods.sta import sta, sta_attention, sta_avg, sta_baseline, sta_fusion
from methods.tclnet import tclnet
from methods.tf_clip import tf_clip
from zoo.backbones import build_backbone
from zoo.plugins import plugin_functions

METHODS = (
    resnet50_avg,
    resnet50_max,
    nvan,
    nvan_1layer,
    nvan_3layer,
    nvan_s,
    nvan_t,
    stenvan,
    sta_baseline,
    sta_avg,
    sta_attention,
    sta_fusion,
    sta,
    resnet50_tp,
    resnet50_ta,
    resnet50_rnn,
    seresnet50_tp,
    seresnet50_ta,
    seresnet50_rnn,
    nlam_tp,
    nlam_nltp,
    resnet50_image,
    resnet3d50,
    resnet3d50_nl,
    c2d,
    i3d,
    ap_i3d,
    p3d,
    ap3d,
    c2d_nl,
    ap3d_nl,
    cosam,
    tclnet,
    bicnet_tks,
    psta,
    sinet,
    sbnet,
    idnet,
    sanet,
    clip_vit_avg,
    tf_clip,
)
OWN = "own"  # in place of a backbone or a neck: the method's own


def methods() -> dict[str, Callable]:
    """Every method by name, those of plugins included.

    Raises:
        ValueError: a plugin brings a name that is taken.
    """
    return _by_name(METHODS, plugin_functions("METHODS", "zoo.methods"))


def list_methods(pattern: str = "*") -> list[str]:
    """Names of the methods, or of those that match a wildcard, in alphabetical order."""
    return variants.select([pattern], sorted(methods()))


def find(text: str) -> tuple[Callable, Variant]:
    """The method's function and its canonical variant.

    Raises:
        LookupError: no such method, or no such argument; the message lists near misses.
        ValueError: an argument of the wrong type.
    """
    asked = variants.parse(text)
    function = variants.choose(asked.name, methods(), "method")
    allowed = variants.parameters(function)
    for reserved in ("backbone", "num_classes"):
        allowed.pop(reserved, None)
    return function, Variant(asked.name, variants.checked(asked.arguments, allowed, asked.name))


def own_backbone(function: Callable) -> str:
    """The timm network that a method is built on by default; ``own`` if it brings its network."""
    _, default = variants.parameters(function).get("backbone", (str, OWN))
    return str(default)


def create(
    method: str,
    num_classes: int = 0,
    *,
    backbone: nn.Module | str | None = None,
    weights: str | None = None,
    size: tuple[int, int] | None = None,
    frames: int | None = None,
    neck: str = OWN,
) -> nn.Module:
    """Build a method's network, with its 2D convolutions laid out channels-last.

    Args:
        method: a variant, e.g. ``stenvan`` or ``sta[blocks=8]``.
        num_classes: identities of the classifier; 0 leaves it out.
        backbone: a timm model, or the name of one with arguments in brackets
            (``resnet50[channels=16+32+64+128,layers=1+2+3+1]``); None or ``own`` is the method's
            own.
        weights: ``imagenet`` takes timm's weights for the backbone, ``clip`` OpenAI's for a vision
            transformer of theirs, and downloads them if they are not in the cache; ``synthetic``
            those that come with the package, see `zoo.initial_weights`; None leaves the random
            ones.
        size: (height, width) of the images, for methods with a layer as large as the map; others
            take any.
        frames: T of the clips, for methods with a layer as long as the clip; others take any.
        neck: ``own``: the method's head as its paper has it; ``bn``, ``bn-bias`` or ``none``: a
            plain `methods.head.Head` with that neck behind the same feature.

    Raises:
        LookupError: unknown method or argument.
        ValueError: an argument does not fit, or the backbone is no network of the kind that the
            method needs.
        OSError: the weights cannot be had.
    """
    function, variant = find(method)
    arguments: dict[str, Any] = dict(variant.arguments)
    takes = variants.parameters(function)
    if size is not None and "height" in takes:
        arguments = {"height": size[0], "width": size[1], **arguments}
    if frames is not None and "frames" in takes:
        arguments = {"frames": frames, **arguments}
    if own_backbone(function) != OWN:
        arguments["backbone"] = _backbone(function, backbone, weights)
    elif backbone not in (None, OWN):
        raise ValueError(f"{variant.name} brings its own network: it takes no backbone")
    elif weights is not None:
        raise ValueError(
            f"{variant.name} brings its own network: weights={weights!r} is for timm backbones; "
            "use --set init=none"
        )
    try:
        model = function(num_classes=num_classes, **arguments)
    except NoStages:
        raise ValueError(_needs_stages(variant.name, arguments["backbone"])) from None
    if size is not None:
        fit_images(model, size)
    if neck != OWN:
        _set_neck(model, num_classes, neck, variant.name)
    return channels_last(model)


def _backbone(
    function: Callable, backbone: nn.Module | str | None, weights: str | None
) -> nn.Module:
    if backbone in (None, OWN):
        backbone = own_backbone(function)
    if isinstance(backbone, str):
        return build_backbone(backbone, weights)
    if weights is not None:
        raise ValueError(
            "weights are for a backbone given by name; load them into the model instead"
        )
    return backbone


def _needs_stages(method: str, backbone: nn.Module) -> str:
    """Why a method does not take a network without a ResNet's stages, and which ones do."""
    kind, found = type(backbone).__name__, ", ".join(takers(backbone)) or "none"
    return f"{method} needs the stages of a ResNet, not a {kind}; methods that take one: {found}"


def takers(backbone: nn.Module) -> list[str]:
    """The methods that can be built on a timm network; each is built, on no memory, to see."""
    found, trunk = [], copy.deepcopy(backbone).to("meta")
    for name, function in sorted(methods().items()):
        if own_backbone(function) != OWN:
            with torch.device("meta"), contextlib.suppress(Exception):  # of anybody's code
                function(backbone=trunk)
                found.append(name)
    return found


def _set_neck(model: nn.Module, num_classes: int, neck: str, method: str) -> None:
    """Put a plain head behind the method's feature, unless it has that very head."""
    if neck not in NECKS:
        raise ValueError(f"neck is {neck!r}, expected {OWN} or one of {', '.join(NECKS)}")
    head = getattr(model, "head", None)
    width = getattr(head, "width", None)
    if not isinstance(head, nn.Module) or not isinstance(width, int):
        raise ValueError(
            f"{method} has no head that can be replaced, as neck={neck} wants it: use --set "
            "neck=own"
        )
    if not (type(head) is Head and head.is_plain(neck)):
        model.head = Head(width, num_classes, neck=neck)


def _by_name(ours: Iterable[Callable], theirs: Iterable[Callable]) -> dict[str, Callable]:
    found: dict[str, Callable] = {}
    for function in (*ours, *theirs):
        name = function.__name__
        if found.setdefault(name, function) is not function:
            raise ValueError(
                f"two methods are called {name!r}: {function.__module__} must rename its own"
            )
    return found
