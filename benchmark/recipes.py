"""Recipes: everything about training and test clips, as one frozen object.

``unified`` serves every method on its own backbone: the identical rules of a fair comparison.
``quick`` is its twin for a CPU. A recipe's canonical name carries what was changed:
``quick[epochs=3]``.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmark.clips import SAMPLINGS, FrameRule, frame_rule
from benchmark.variants import Variant, checked, choose, parse, parse_value

DISTANCES = {
    "cos-bn": ("cosine", "embedding"),
    "cos-raw": ("cosine", "metric"),
    "l2sq-bn": ("euclidean", "embedding"),
    "l2sq-raw": ("euclidean", "metric"),
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a method is trained and which clips it is scored on.

    Attributes:
        name: of the recipe that it started from.
        backbone: a timm network, or ``own`` for the one that each method names.
        channels: widths of the four stages; empty for the network's own.
        layers: blocks of the four stages; empty for the network's own.
        stem: width of the first convolution; 0 for the network's own.
        init: what the backbone starts from: ``none``, ``imagenet`` for timm's weights, or
            ``synthetic`` for those of a narrow network that come with the package.
        frames: T, frames of a training clip.
        height: of the images, in pixels.
        width: of the images, in pixels.
        sampling: how a training clip's frames are drawn: ``restricted-random``, ``random``,
            ``consecutive``.
        flip: probability that a clip is mirrored.
        enlarge: probability that a clip is enlarged by 1/8 and one crop is taken for all its
            frames.
        identities: P, persons of a batch.
        tracklets: K, clips a person.
        triplet: margin of the batch-hard triplet loss, ``soft``, or none.
        smoothing: label smoothing of the cross-entropy.
        lr: learning rate of Adam.
        weight_decay: L2 penalty in Adam's gradient.
        warmup: epochs over which the rate rises from a tenth.
        schedule: ``steps`` (× ``gamma`` at each of ``milestones``) or ``cosine`` (to ``gamma`` × lr
            at the end).
        milestones: epochs, for ``steps``.
        gamma: see ``schedule``.
        epochs: each passes every identity once; 0 scores the untrained network.
        test_frames: frame rule in test; without a number it takes ``frames``.
        stem_activation: False takes the activation out of the stem of methods that allow it, as the
            released STE-NVAN networks have it.
        distance: ``cos`` or ``l2sq``, ``-bn`` on the embedding or ``-raw`` on the feature before a
            BN neck (a method without a neck has one feature for both).
    """

    name: str
    backbone: str = "own"
    channels: tuple[int, ...] = ()
    layers: tuple[int, ...] = ()
    stem: int = 0
    init: str = "none"
    frames: int = 8
    height: int = 256
    width: int = 128
    sampling: str = "restricted-random"
    flip: float = 0.5
    enlarge: float = 0.0
    identities: int = 8
    tracklets: int = 4
    triplet: float | str | None = "soft"
    smoothing: float = 0.0
    lr: float = 1e-4
    weight_decay: float = 5e-5
    warmup: int = 0
    schedule: str = "steps"
    milestones: tuple[int, ...] = ()
    gamma: float = 0.1
    epochs: int = 200
    test_frames: str = "chunk-first"
    stem_activation: bool = True
    distance: str = "cos-bn"

    def __post_init__(self):
        for field, least in _LEAST.items():
            if getattr(self, field) < least:
                raise ValueError(
                    f"{self.name}: {field} is {getattr(self, field)}, expected {least} or more"
                )
        for field, options in _OPTIONS.items():
            if getattr(self, field) not in options:
                raise ValueError(
                    f"{self.name}: {field} is {getattr(self, field)!r}, expected one of "
                    f"{', '.join(options)}"
                )
        if isinstance(self.triplet, str) and self.triplet != "soft":
            raise ValueError(
                f"{self.name}: triplet is {self.triplet!r}, expected a margin, soft or none"
            )
        if not (0 <= self.flip <= 1 and 0 <= self.enlarge <= 1 and 0 <= self.smoothing < 1):
            raise ValueError(f"{self.name}: flip, enlarge and smoothing must lie in 0..1")
        if any(len(stages) not in (0, 4) for stages in (self.channels, self.layers)):
            raise ValueError(
                f"{self.name}: channels and layers take four numbers, e.g. 16+32+64+128"
            )
        frame_rule(self.test_frames, self.frames)  # an unknown rule is an error now, not later

    @property
    def rule(self) -> FrameRule:
        """The frame rule in test."""
        return frame_rule(self.test_frames, self.frames)

    @property
    def variant(self) -> Variant:
        """Name and changes: the recipe's one written form."""
        return Variant(self.name, _changes(self))

    def backbone_of(self, own: str) -> Variant:
        """The backbone for a method whose own is ``own``, as a variant."""
        name = own if self.backbone == "own" else self.backbone
        chosen = {"channels": self.channels, "layers": self.layers, "stem": self.stem}
        shape = {name: value for name, value in chosen.items() if value}
        if shape:
            name = _NARROWABLE.get(name, name)
        return Variant(name, shape)

    def lr_at(self, epoch: float) -> float:
        """Learning rate at a point of training, in epochs from 0."""
        import math

        if epoch < self.warmup:
            return self.lr * (0.1 + 0.9 * epoch / self.warmup)
        if self.schedule == "steps":
            return self.lr * self.gamma ** sum(epoch >= m for m in self.milestones)
        if self.schedule == "exponential":
            start = self.milestones[0] if self.milestones else 0
            return self.lr * self.gamma ** (max(epoch - start, 0) / max(self.epochs - start, 1))
        done = (epoch - self.warmup) / max(self.epochs - self.warmup, 1)
        return self.lr * (
            self.gamma + (1 - self.gamma) * (1 + math.cos(math.pi * min(done, 1))) / 2
        )


_LEAST = {
    "stem": 0,
    "frames": 1,
    "height": 32,
    "width": 16,
    "identities": 2,
    "tracklets": 2,
    "epochs": 0,
}
_OPTIONS = {
    "sampling": tuple(SAMPLINGS),
    "schedule": ("steps", "cosine", "exponential"),
    "init": ("none", "imagenet", "synthetic"),
    "distance": tuple(DISTANCES),
}
_NARROWABLE = {
    "legacy_seresnet50": "seresnet50"
}  # legacy SENet takes no widths; this is its timm twin

_UNIFIED = Recipe(name="unified", init="imagenet", milestones=(50, 100, 150))
_QUICK = Recipe(
    name="quick",
    backbone="resnet50",
    init="synthetic",
    channels=(16, 32, 64, 128),
    layers=(1, 2, 3, 1),
    stem=16,
    frames=4,
    height=128,
    width=64,
    enlarge=0.5,
    smoothing=0.1,
    lr=3e-4,
    warmup=2,
    schedule="cosine",
    gamma=0.01,
    epochs=12,
)

# STE-NVAN, Sec. 4.1 and the authors' code, whose baselines train longer with a weaker decay
_NVAN = dataclasses.replace(_UNIFIED, stem_activation=False)
_NVAN_BASELINE = dataclasses.replace(_NVAN, weight_decay=1e-5, epochs=300)
# STA, "Implementation Details"; it retrieves by Euclidean distance of the feature itself
_STA = dataclasses.replace(
    _UNIFIED,
    frames=4,
    sampling="random",
    identities=16,
    triplet=0.3,
    lr=3e-4,
    weight_decay=5e-4,
    milestones=(200, 400),
    epochs=800,
    distance="l2sq-raw",
)
_STA_BASELINE = dataclasses.replace(_STA, frames=1, triplet=None, test_frames="chunk-first4")
# NLAM + NLTP, Sec. 4.2
_NLAM = dataclasses.replace(
    _UNIFIED,
    sampling="consecutive",
    enlarge=0.5,
    triplet=0.3,
    weight_decay=5e-4,
    milestones=(200, 400, 600),
    epochs=800,
    test_frames="dense",
    distance="l2sq-raw",
)
_NLAM_TABLE_1 = dataclasses.replace(_NLAM, frames=4)
# 3D-ResNet + non-local, Sec. 4
_RESNET3D = dataclasses.replace(
    _UNIFIED,
    sampling="strided",
    flip=0.0,
    enlarge=0.5,
    identities=32,
    triplet=0.3,
    smoothing=0.1,
    lr=3e-4,
    weight_decay=5e-4,
    schedule="exponential",
    milestones=(150,),
    gamma=0.001,
    epochs=300,
    test_frames="dense",
    distance="l2sq-raw",
)
_RESNET_IMAGE = dataclasses.replace(_RESNET3D, frames=1, sampling="random", test_frames="dense8")

PAPER = {
    "resnet50_avg": _NVAN_BASELINE,
    "resnet50_max": _NVAN_BASELINE,
    **dict.fromkeys(("nvan", "nvan_1layer", "nvan_3layer", "nvan_s", "nvan_t", "stenvan"), _NVAN),
    "sta_baseline": _STA_BASELINE,
    **dict.fromkeys(("sta_avg", "sta_attention", "sta_fusion", "sta"), _STA),
    "nlam_nltp": _NLAM,
    "nlam_tp": _NLAM,
    **dict.fromkeys(
        (f"{net}_{pool}" for net in ("resnet50", "seresnet50") for pool in ("tp", "ta", "rnn")),
        _NLAM_TABLE_1,
    ),
    "resnet3d50": _RESNET3D,
    "resnet3d50_nl": _RESNET3D,
    "resnet50_image": _RESNET_IMAGE,
}
RECIPES = {
    "unified": _UNIFIED,
    "quick": _QUICK,
    **{f"paper/{m}": dataclasses.replace(r, name=f"paper/{m}") for m, r in PAPER.items()},
}


def recipe(text: str, changes: Mapping[str, object] | None = None) -> Recipe:
    """A recipe by name, with changes: ``recipe("quick[epochs=3]", {"lr": 1e-3})``.

    Raises:
        LookupError: no recipe, or no setting, of that name.
        ValueError: a value of the wrong type or out of range.
    """
    asked = parse(text)
    start = choose(asked.name, RECIPES, "recipe")
    allowed = {
        field.name: (kind, getattr(start, field.name))
        for field, kind in zip(dataclasses.fields(Recipe), _kinds(), strict=True)
        if field.name != "name"
    }
    given = {**asked.arguments, **(changes or {})}
    return dataclasses.replace(start, **checked(given, allowed, start.name))


def parse_changes(texts: Iterable[str]) -> dict[str, object]:
    """``["lr=1e-3", "epochs=5"]`` as a dict.

    Raises:
        ValueError: one is not ``key=value``.
    """
    changes = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise ValueError(f"--set {text!r} is not key=value, e.g. --set epochs=5")
        changes[key] = parse_value(value)
    return changes


def _changes(changed: Recipe) -> dict[str, object]:
    start = RECIPES[changed.name]
    pairs = ((f.name, getattr(changed, f.name)) for f in dataclasses.fields(Recipe))
    return {name: value for name, value in pairs if value != getattr(start, name)}


def _kinds() -> list[object]:
    import typing

    hints = typing.get_type_hints(Recipe)
    return [hints[field.name] for field in dataclasses.fields(Recipe)]
