"""What a recipe is: everything about training, and how its results are scored."""

import dataclasses
import math
from dataclasses import dataclass, field

from benchmark.clips import SAMPLINGS, FrameRule, frame_rule
from benchmark.losses import LOSSES, TRIPLET_DISTANCES
from benchmark.optimisers import OPTIMISERS
from benchmark.pixels import RESIZES
from benchmark.samplers import SAMPLERS
from benchmark.variants import Variant, choose, parse

DISTANCES = {
    "cos-bn": ("cosine", "embedding"),
    "cos-raw": ("cosine", "metric"),
    "l2sq-bn": ("euclidean", "embedding"),
    "l2sq-raw": ("euclidean", "metric"),
}
SCHEDULES = ("steps", "cosine", "exponential")
INITS = ("none", "imagenet", "clip", "synthetic")
NECKS = ("own", "bn", "none")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How a trained network is scored; no part of a run, so that another one is a re-score.

    Attributes:
        frames: frame rule in test; without a number it takes the recipe's clip length.
        distance: ``cos`` or ``l2sq``, ``-bn`` on the embedding or ``-raw`` on the feature before a
            BN neck (a method without a neck has one feature for both).

    Raises:
        ValueError: there is no such distance.
    """

    frames: str = "chunk-first"
    distance: str = "cos-bn"

    def __post_init__(self):
        if self.distance not in DISTANCES:
            raise ValueError(
                f"distance is {self.distance!r}, expected one of {', '.join(DISTANCES)}"
            )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a method is trained, and how its results are scored unless somebody says otherwise.

    A new field's default is what there was before it, and no default ever changes: a run's id
    leaves out what is at its default.

    Attributes:
        name: what it is called, without changes.
        backbone: a timm network, or ``own`` for the one that each method names.
        channels: widths of the four stages; empty for the network's own.
        layers: blocks of the four stages; empty for the network's own.
        stem: width of the first convolution; 0 for the network's own.
        init: what the backbone starts from: ``none``, ``imagenet`` for timm's weights (OpenAI's for
            a tower of CLIP), ``clip`` for OpenAI's, or ``synthetic`` for those of a narrow ResNet
            that come with the package, others then start at random. Or what the whole network
            starts from: a checkpoint's name, a run's folder or a file.
        neck: what follows the feature: ``bn``, one BN neck and classifier for every method;
            ``none``, the same without BatchNorm; ``own``, each method's.
        frames: T, frames of a training clip.
        height: of the images, in pixels.
        width: of the images, in pixels.
        resize: ``bilinear`` or ``bicubic``, both antialiased.
        sampling: how a training clip's frames are drawn, a name in `benchmark.clips.SAMPLINGS`.
        stride: frames between two of a clip, for the samplings ``strided`` and ``spaced``.
        flip: probability that a clip is mirrored.
        flip_frames: whether each frame is mirrored with that probability instead of the clip.
        random_crop: probability that a clip is enlarged by 1/8 and cropped, its frames alike.
        erase: probability that one rectangle is erased from all frames of a clip.
        sampler: how batches are put together, a name in `benchmark.samplers.SAMPLERS`.
        ids_per_batch: P, persons of a batch.
        clips_per_id: K, clips a person.
        losses: names in `benchmark.losses.LOSSES`; their sum is minimised.
        triplet: margin of the batch-hard triplet loss, or ``soft``.
        triplet_on: ``metric`` or ``embedding``, before or after the BN neck.
        triplet_distance: ``euclidean`` or ``cosine``.
        smoothing: label smoothing of the cross-entropy.
        contrast: weight of the loss ``contrast``.
        optimiser: a name in `benchmark.optimisers.OPTIMISERS`.
        lr: learning rate.
        tower_lr: factor on the rate of a transformer (``tower``), which others' rates would wreck.
        weight_decay: L2 penalty in the gradient.
        warmup: epochs over which the rate rises.
        warmup_from: share of the rate from which it rises.
        schedule: ``steps`` (× ``gamma`` at each of ``milestones``), ``cosine`` (to ``gamma`` × lr
            at the end) or ``exponential`` (from the first milestone to ``gamma`` × lr at the end).
        milestones: epochs.
        gamma: see ``schedule``.
        epochs: passes of the sampler; 0 scores the untrained network.
        chunk: clips whose features are computed at a time, in each process, for a batch that does
            not fit; the gradients are the whole batch's but for BatchNorm. 0: all.
        first_stage: method that is trained before in the same way; this one begins with its
            weights. Empty: none.
        stem_activation: False takes the activation out of the stem of methods that allow it, as the
            released STE-NVAN networks have it.
        evaluation: how results are scored.

    Raises:
        ValueError: a value is out of range; the message names it and what is expected.
    """

    name: str
    backbone: str = "own"
    channels: tuple[int, ...] = ()
    layers: tuple[int, ...] = ()
    stem: int = 0
    init: str = "none"
    neck: str = "own"
    frames: int = 8
    height: int = 256
    width: int = 128
    resize: str = "bilinear"
    sampling: str = "restricted-random"
    stride: int = 8
    flip: float = 0.5
    flip_frames: bool = False
    random_crop: float = 0.0
    erase: float = 0.0
    sampler: str = "identities"
    ids_per_batch: int = 8
    clips_per_id: int = 4
    losses: tuple[str, ...] = ("cross_entropy", "triplet")
    triplet: float | str = "soft"
    triplet_on: str = "metric"
    triplet_distance: str = "euclidean"
    smoothing: float = 0.0
    contrast: float = 0.0
    optimiser: str = "adam"
    lr: float = 1e-4
    tower_lr: float = 1.0
    weight_decay: float = 5e-5
    warmup: int = 0
    warmup_from: float = 0.1
    schedule: str = "steps"
    milestones: tuple[int, ...] = ()
    gamma: float = 0.1
    epochs: int = 200
    chunk: int = 0
    first_stage: str = ""
    stem_activation: bool = True
    evaluation: Evaluation = field(default_factory=Evaluation)

    def __post_init__(self):
        check_ranges(self)
        frame_rule(self.evaluation.frames, self.frames)  # an unknown rule is an error now

    @property
    def rule(self) -> FrameRule:
        """The frame rule in test."""
        return self.rule_of(self.evaluation)

    def rule_of(self, evaluation: Evaluation) -> FrameRule:
        """The frame rule of any evaluation of networks that are trained so."""
        return frame_rule(evaluation.frames, self.frames)

    def training_settings(self) -> dict[str, object]:
        """Every field that decides the trained weights, by name, as JSON has them."""
        fields = dataclasses.asdict(self)
        kept = {k: v for k, v in fields.items() if k not in ("name", "evaluation")}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in kept.items()}

    def backbone_of(self, own: str) -> Variant:
        """The backbone for a method whose own is ``own``, as a variant.

        A method on a vision transformer keeps its own, and a recipe with ``channels`` narrows it.
        ``channels``, ``layers`` and ``stem`` say nothing about a `NOT_RESIDUAL` backbone.
        """
        if own.startswith("vit_"):
            return Variant(own, NARROW_VIT if self.channels else {})
        name = own if self.backbone == "own" else self.backbone
        if name.startswith(NOT_RESIDUAL):
            return parse(name)
        chosen = {"channels": self.channels, "layers": self.layers, "stem": self.stem}
        shape = {name: value for name, value in chosen.items() if value}
        if shape:
            name = _NARROWABLE.get(name, name)
        return Variant(name, shape)

    def lr_at(self, epoch: float) -> float:
        """Learning rate at a point of training, in epochs from 0."""
        if epoch < self.warmup:
            rising = 1 - self.warmup_from
            return self.lr * (self.warmup_from + rising * epoch / self.warmup)
        if self.schedule == "steps":
            return self.lr * self.gamma ** sum(epoch >= m for m in self.milestones)
        if self.schedule == "exponential":
            start = self.milestones[0] if self.milestones else 0
            return self.lr * self.gamma ** (max(epoch - start, 0) / max(self.epochs - start, 1))
        done = min((epoch - self.warmup) / max(self.epochs - self.warmup, 1), 1)
        return self.lr * (self.gamma + (1 - self.gamma) * (1 + math.cos(math.pi * done)) / 2)


# legacy SENet takes no widths; this is its timm twin
_NARROWABLE = {"legacy_seresnet50": "seresnet50"}
NOT_RESIDUAL = ("convnext", "deit", "vit_")  # how their names begin in timm
# what a recipe with narrow stages makes of a vision transformer
NARROW_VIT = {"embed_dim": 64, "depth": 2, "num_heads": 4}


def check_ranges(recipe: Recipe) -> None:
    """Refuse values that no training can have.

    Raises:
        ValueError: the first one, with what is expected.
    """
    least = {"stem": 0, "frames": 1, "height": 32, "width": 16, "stride": 1, "warmup": 0}
    least |= {"ids_per_batch": 2, "clips_per_id": 2, "epochs": 0, "contrast": 0, "tower_lr": 0}
    least["chunk"] = 0
    for name, smallest in least.items():
        value = getattr(recipe, name)
        if value < smallest:
            raise ValueError(f"{recipe.name}: {name} is {value}, expected {smallest} or more")
    options = {"sampling": SAMPLINGS, "schedule": SCHEDULES, "neck": NECKS}
    options |= {"resize": RESIZES, "sampler": SAMPLERS, "optimiser": OPTIMISERS}
    options |= {"triplet_on": ("metric", "embedding"), "triplet_distance": TRIPLET_DISTANCES}
    for name, values in options.items():
        value = getattr(recipe, name)
        if value not in values:
            raise ValueError(
                f"{recipe.name}: {name} is {value!r}, expected one of {', '.join(values)}"
            )
    if recipe.init not in INITS and not set(recipe.init) & set("./@"):
        raise ValueError(
            f"{recipe.name}: init is {recipe.init!r}, expected one of {', '.join(INITS)}, or a "
            "checkpoint, a run's folder or a .safetensors file"
        )
    for loss in recipe.losses:
        choose(loss, LOSSES, f"{recipe.name}: loss")
    if not recipe.losses:
        raise ValueError(f"{recipe.name}: losses is empty, expected e.g. cross_entropy+triplet")
    if isinstance(recipe.triplet, str) and recipe.triplet != "soft":
        raise ValueError(
            f"{recipe.name}: triplet is {recipe.triplet!r}, expected a margin or soft (leave the "
            "loss out by losses=cross_entropy)"
        )
    for name in ("flip", "random_crop", "erase", "smoothing", "warmup_from"):
        value = getattr(recipe, name)
        if not 0 <= value <= 1 or (name == "smoothing" and value == 1):
            raise ValueError(f"{recipe.name}: {name} is {value:g}, expected a share in 0..1")
    if any(len(stages) not in (0, 4) for stages in (recipe.channels, recipe.layers)):
        raise ValueError(
            f"{recipe.name}: channels and layers take four numbers, as in 16+32+64+128"
        )
