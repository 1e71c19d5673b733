"""What ``paper/<method>`` has that its paper does not say: decisions of ours, each with its reason.

What a network has of the kind stands in the docstring of its method.
"""

from benchmark.variants import parse
from zoo.experiment.paper_recipes import PAPER
from zoo.experiment.spec import RunSpec

_STA = {
    "epochs": "the last number of the text, whose rates fall at 200 and 400; it also says 70",
    "test_frames": "which frames of a test tracklet are taken is not said: the first of each chunk",
    "distance": "not said: Euclidean, as the triplet loss has it",
}
_NLAM = {
    "sampling": "said is a random approach: frames in a row, as in the clips of the test",
    "ids_per_batch": "said is a batch of 32",
    "weight_decay": "not said",
    "flip": "augmentation is not said; the code that the paper builds on mirrors and shifts",
    "random_crop": "the same",
}
_RESNET3D = {
    "sampling": "how a track of fewer than 64 frames is filled is not said: it wraps around",
    "random_crop": "said is a random enlargement by 1/8: half of the clips are enlarged",
    "smoothing": "label smoothing is said, its value is not: that of its source, 0.1",
    "triplet": "a margin is said, its value is not: 0.3, as others have it",
}
_IMAGE = {
    "frames": "said is training on images: one random frame of a tracklet",
    **{name: why for name, why in _RESNET3D.items() if name != "sampling"},
}
_NLAM_BASELINE = {**_NLAM, "frames": "not printed for Table 1"}
_OF_METHOD = {
    **dict.fromkeys(("sta_avg", "sta_attention", "sta_fusion", "sta"), _STA),
    "sta_baseline": {**_STA, "frames": "said is frame by frame: one random frame of a tracklet"},
    **dict.fromkeys(("nlam_nltp", "nlam_tp"), _NLAM),
    **{
        f"{net}_{pool}": _NLAM_BASELINE
        for net in ("resnet50", "seresnet50")
        for pool in ("tp", "ta", "rnn")
    },
    **dict.fromkeys(("resnet3d50", "resnet3d50_nl"), _RESNET3D),
    "resnet50_image": _IMAGE,
}


def decisions_of(recipe: str) -> dict[str, str]:
    """Settings of a recipe that are decisions, each with its reason; none for most.

    Args:
        recipe: its name, e.g. ``paper/sta``.
    """
    return dict(_OF_METHOD.get(recipe.removeprefix("paper/"), {})) if recipe in PAPER else {}


def decided_in(spec: RunSpec) -> list[str]:
    """The training settings of a run that are decisions: those that nobody changed."""
    name = parse(spec.recipe).name
    decided = decisions_of(name)
    own = PAPER[name].training_settings() if decided else {}
    return [key for key in decided if key in own and spec.settings[key] == own[key]]
