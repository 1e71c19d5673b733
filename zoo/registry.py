"""Methods by name: ``create("sta[blocks=8]", num_classes=625)``.

The registry is a tuple of functions; a method's name is its function's. Plugins add theirs by the
entry-point groups
``zoo.methods`` and ``zoo.datasets``, or by a module named on the command line, which holds tuples
``METHODS`` and
``DATASETS``.
"""

import importlib
import logging
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points

import timm
from torch import nn

from benchmark import variants
from benchmark.variants import Variant
from methods.baselines import (
    resnet50_image,
    resnet50_rnn,
    resnet50_ta,
    resnet50_tp,
    seresnet50_rnn,
    seresnet50_ta,
    seresnet50_tp,
)
from methods.clip_vit import clip_vit_avg
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
from methods.resnet3d import resnet3d50, resnet3d50_nl
from methods.sta import sta, sta_attention, sta_avg, sta_baseline, sta_fusion
from methods.tf_clip import tf_clip
from zoo.initial_weights import load_start

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
    clip_vit_avg,
    tf_clip,
)
IMAGENET = {"resnet50": "resnet50.tv_in1k", "legacy_seresnet50": "legacy_seresnet50.in1k"}
_PLUGINS: list[str] = []


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
    """Name of the timm network that a method stands on unless told otherwise."""
    return variants.parameters(function)["backbone"][1]


def create(
    method: str,
    num_classes: int = 0,
    *,
    backbone: nn.Module | str | None = None,
    weights: str | None = None,
    size: tuple[int, int] | None = None,
) -> nn.Module:
    """Build a method's network.

    Args:
        method: a variant, e.g. ``stenvan`` or ``sta[blocks=8]``.
        num_classes: identities of the classifier; 0 leaves it out.
        backbone: a timm model, or the name of one with arguments in brackets
            (``resnet50[channels=16+32+64+128,layers=1+2+3+1]``); None is the method's own.
        weights: ``imagenet`` takes timm's weights for the backbone, and downloads them if they are
            not in the cache; ``synthetic`` those that come with the package, see `zoo.initial_weights`; None
            starts at random.
        size: (height, width) of the images, for methods with a layer as large as the map; others
            take any.

    Raises:
        LookupError: unknown method or argument.
        ValueError: an argument does not fit, or the backbone is no ResNet.
        OSError: the weights cannot be had.
    """
    function, variant = find(method)
    arguments = dict(variant.arguments)
    if size is not None and "height" in variants.parameters(function):
        arguments = {"height": size[0], "width": size[1], **arguments}
    if backbone is None:
        backbone = own_backbone(function)
    if isinstance(backbone, str):
        backbone = build_backbone(backbone, weights)
    elif weights is not None:
        raise ValueError(
            "weights are for a backbone given by name; load them into the model instead"
        )
    return function(backbone, num_classes, **arguments)


def build_backbone(text: str, weights: str | None = None) -> nn.Module:
    """A timm network from its name, with arguments in brackets.

    The arguments are timm's, and ``stem``: the width of the first convolution, which timm does not
    let go with ``channels``. At small widths its 64 channels would cost more than all stages.

    Raises:
        LookupError: timm has no such network.
        ValueError: timm does not take these arguments, or there are no such weights.
        OSError: the weights cannot be had.
    """
    variant = variants.parse(text)
    if variant.name.partition(".")[0] not in timm.list_models():
        variants.choose(variant.name, dict.fromkeys(timm.list_models("*resnet*")), "timm backbone")
    arguments = dict(variant.arguments)
    stem = arguments.pop("stem", None)
    try:
        network = timm.create_model(variant.name, **arguments)
        if stem is not None:
            _set_stem(network, stem)
    except (TypeError, RuntimeError, AssertionError) as error:
        raise ValueError(f"timm cannot build {text!r}: {str(error).splitlines()[0]}") from None
    if weights == "imagenet":
        _load_imagenet(network, variant)
    elif weights == "synthetic":
        load_start(network, variant)
    elif weights is not None:
        raise ValueError(f"unknown weights {weights!r}: expected imagenet, synthetic or None")
    return network


def _set_stem(network: nn.Module, width: int) -> None:
    """Give a timm ResNet a stem of that width, and its first block the inputs to match."""
    fits = isinstance(network, timm.models.resnet.ResNet) and isinstance(width, int) and width > 0
    if not fits:
        raise TypeError(f"stem={width} takes a whole number and a timm ResNet, e.g. resnet50")
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
    if variant.arguments:
        raise ValueError(f"there are no ImageNet weights for {variant}: say --set init=none")
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it tells of every retry
    try:
        source = timm.create_model(name, pretrained=True)
    except Exception as error:  # hub, cache and network each raise their own
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise OSError(
            f"the ImageNet weights {name} cannot be had ({reason}): get them once while online, "
            f"or say --set init=none"
        ) from None
    network.load_state_dict(source.state_dict())


# ---- plugins -------------------------------------------------------------------------------------


def add_plugin(module: str) -> None:
    """Look for methods and data sets in this module, too.

    Raises:
        LookupError: it cannot be imported, or holds neither ``METHODS`` nor ``DATASETS``.
    """
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise LookupError(f"plugin {module!r} cannot be imported: {error}") from None
    if not (hasattr(found, "METHODS") or hasattr(found, "DATASETS")):
        raise LookupError(
            f"plugin {module!r} holds neither METHODS nor DATASETS, tuples of functions"
        )
    if module not in _PLUGINS:
        _PLUGINS.append(module)


def plugin_functions(attribute: str, group: str) -> list[Callable]:
    """Functions that plugins bring, by the module's tuple and by the entry-point group."""
    named = [getattr(importlib.import_module(module), attribute, ()) for module in _PLUGINS]
    installed = [entry.load() for entry in entry_points(group=group)]
    return [*(function for functions in named for function in functions), *installed]


def _by_name(ours: Iterable[Callable], theirs: Iterable[Callable]) -> dict[str, Callable]:
    found: dict[str, Callable] = {}
    for function in (*ours, *theirs):
        name = function.__name__
        if found.setdefault(name, function) is not function:
            raise ValueError(
                f"two methods are called {name!r}: {function.__module__} must rename its own"
            )
    return found
