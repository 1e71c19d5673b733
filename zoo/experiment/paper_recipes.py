"""Each paper's own training: ``paper/<method>``.

Who wants a paper's figures trains as the paper did; such results are never ranked together with
those of one recipe for all. What a paper leaves open is a decision: `zoo.experiment.decisions`.
"""

import dataclasses
from collections.abc import Mapping

from benchmark import recipes
from benchmark.recipe import Recipe
from benchmark.recipes import RECIPES, UNIFIED


def _changed(start: Recipe, **changes: object) -> Recipe:
    return recipes.replace(start, changes)


# STE-NVAN, Sec. 4.1: the rate falls every 50 epochs. Weight decay and the distance are the authors'
# code's, as are the baselines' 300 epochs and weaker decay
_OWN = _changed(UNIFIED, neck="own", tower_lr=1.0)
_NVAN = _changed(_OWN, stem_activation=False)
_NVAN_BASELINE = _changed(_NVAN, weight_decay=1e-5, milestones=(50, 100, 150, 200, 250), epochs=300)
# STA, "Implementation Details", where each frame is mirrored for itself
_STA = _changed(
    _OWN,
    frames=4,
    sampling="random",
    flip_frames=True,
    ids_per_batch=16,
    triplet=0.3,
    lr=3e-4,
    weight_decay=5e-4,
    milestones=(200, 400),
    epochs=800,
    distance="l2sq-raw",
)
_STA_BASELINE = _changed(_STA, frames=1, losses=("cross_entropy",), test_frames="chunk-first4")
# NLAM + NLTP, Sec. 4.2; sampling, weight decay and augmentation are decisions
_NLAM = _changed(
    _OWN,
    sampling="consecutive",
    random_crop=0.5,
    triplet=0.3,
    weight_decay=5e-4,
    milestones=(200, 400, 600),
    epochs=800,
    test_frames="dense",
    distance="l2sq-raw",
)
_NLAM_TABLE_1 = _changed(_NLAM, frames=4)
# 3D-ResNet + non-local, Sec. 4; the values of smoothing, margin and crop are decisions
_RESNET3D = _changed(
    _OWN,
    sampling="strided",
    flip=0.0,
    random_crop=0.5,
    ids_per_batch=32,
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
_RESNET_IMAGE = _changed(_RESNET3D, frames=1, sampling="random", test_frames="all-mean")

# AP3D and its ladder, TCLNet, BiCnet-TKS, SINet: an epoch passes every tracklet in groups of four
_AP3D = _changed(
    _OWN,
    frames=4,
    sampling="spaced",
    resize="bicubic",
    sampler="tracklets",
    triplet=0.3,
    triplet_on="embedding",
    triplet_distance="cosine",
    lr=3e-4,
    weight_decay=5e-4,
    milestones=(60, 120, 180),
    epochs=240,
    test_frames="all32",
)
_TCLNET = _changed(_AP3D, triplet=0.4, milestones=(40, 80, 120), epochs=150, test_frames="dense4")
_BICNET = _changed(
    _TCLNET,
    frames=8,
    stride=4,
    erase=0.5,
    ids_per_batch=16,
    triplet=0.5,
    lr=3.5e-4,
    test_frames="dense-wrap8",
)
_SINET = _changed(
    _AP3D,
    sampling="chunk-random",
    erase=0.5,
    losses=("cross_entropy", "triplet", "contrast"),
    contrast=0.001,
    milestones=(40, 80, 120),
    epochs=160,
    test_frames="spread4",
)
_SINET_WITHOUT_CONTRAST = _changed(_SINET, losses=("cross_entropy", "triplet"), contrast=0.0)
# COSAM: flip and crop are drawn for a clip here, for each frame there
_COSAM = _changed(
    _OWN,
    backbone="legacy_seresnet50",
    frames=4,
    sampling="consecutive",
    random_crop=0.5,
    triplet=0.3,
    smoothing=0.1,
    lr=3e-4,
    weight_decay=5e-4,
    milestones=(200, 400, 600),
    epochs=800,
    test_frames="dense4",
    distance="l2sq-raw",
)
_PSTA = _changed(
    _OWN,
    sampling="windows",
    resize="bicubic",
    erase=0.5,
    triplet=0.3,
    triplet_on="embedding",
    triplet_distance="cosine",
    smoothing=0.1,
    lr=3.5e-4,
    weight_decay=5e-4,
    warmup=10,
    warmup_from=0.01,
    milestones=(70, 140, 210, 310, 410),
    gamma=0.3,
    epochs=500,
    test_frames="begin8",
)
# TF-CLIP: biases and the frames' classifier have rates of their own there
_TF_CLIP = _changed(
    _OWN,
    init="clip",
    erase=0.5,
    ids_per_batch=4,
    triplet=0.3,
    smoothing=0.1,
    lr=5e-6,
    weight_decay=1e-4,
    warmup=10,
    milestones=(30, 50, 70),
    epochs=80,
    test_frames="dense8",
    distance="cos-raw",
)

_OF_METHOD = {
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
    **dict.fromkeys(("c2d", "i3d", "ap_i3d", "p3d", "ap3d", "c2d_nl", "ap3d_nl"), _AP3D),
    "cosam": _COSAM,
    "tclnet": _TCLNET,
    "bicnet_tks": _BICNET,
    "psta": _PSTA,
    **dict.fromkeys(("sinet", "sbnet"), _SINET),
    **dict.fromkeys(("idnet", "sanet"), _SINET_WITHOUT_CONTRAST),
    **dict.fromkeys(("tf_clip", "clip_vit_avg"), _TF_CLIP),
}

PAPER = {
    f"paper/{method}": dataclasses.replace(chosen, name=f"paper/{method}")
    for method, chosen in _OF_METHOD.items()
}
# STE-NVAN's authors trained theirs from a trained NVAN (issue 12 of their code)
PAPER["paper/stenvan-staged"] = _changed(
    dataclasses.replace(PAPER["paper/stenvan"], name="paper/stenvan-staged"), first_stage="nvan"
)


def known_recipes() -> dict[str, Recipe]:
    """Every recipe by name, those of plugins included."""
    return {**RECIPES, **PAPER}


def recipe(text: str, changes: Mapping[str, object] | None = None) -> Recipe:
    """A recipe by name, with changes: ``recipe("paper/sta[epochs=3]", {"lr": 1e-3})``.

    Raises:
        LookupError: no recipe, or no setting, of that name.
        ValueError: a value of the wrong type or out of range.
    """
    return recipes.recipe(text, changes, known_recipes())


def written_form(chosen: Recipe) -> str:
    """Name and changes of a recipe's training part, e.g. ``quick[epochs=3]``."""
    return str(recipes.variant_of(chosen, known_recipes()))


def make_recipe(name: str, **settings: object) -> Recipe:
    """A recipe by name with changed settings, for use from Python.

    Args:
        name: ``quick``, ``unified``, ``paper/<method>`` or one of a plugin's.
        **settings: any of its settings, ``test_frames`` and ``distance`` among them.

    Raises:
        LookupError: no recipe, or no setting, of that name.
        ValueError: a value of the wrong type or out of range.

    Example:
        >>> make_recipe("quick", lr=1e-3, epochs=3).epochs
        3
    """
    return recipe(name, settings)
