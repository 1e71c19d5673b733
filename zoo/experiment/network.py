"""A run's network: built as its specification says, or with the weights that it was trained to."""

from pathlib import Path

import torch
from torch import nn

from benchmark.progress import SILENT, Progress
from zoo import registry
from zoo.experiment.fine_tuning import load_start
from zoo.experiment.spec import RunSpec, start_of
from zoo.half_precision import TRAINING_ONLY
from zoo.weights import read_weights


def build(
    spec: RunSpec, num_classes: int, *, trained: bool = False, progress: Progress = SILENT
) -> nn.Module:
    """The run's network; its start is part of the run, since the seed is set before it is built.

    Args:
        spec: the run.
        num_classes: identities; 0 leaves the classifier out.
        trained: True if weights will be loaded into it, so that none need be fetched.
        progress: told what it starts from, where that is another network's weights.

    Raises:
        OSError: the weights that it starts from cannot be had.
        ValueError: they do not fit.
    """
    torch.manual_seed(spec.seed)
    settings = spec.settings
    start = start_of(settings["init"])
    random = trained or start or settings["init"] == "none" or spec.starts_at_random
    wanted = None if random else settings["init"]
    backbone = None if spec.backbone == "own" else registry.build_backbone(spec.backbone, wanted)
    size = settings["height"], settings["width"]
    model = registry.create(
        spec.method,
        num_classes,
        backbone=backbone,
        size=size,
        frames=settings["frames"],
        neck=settings.get("neck", "own"),
    )
    if start and not trained:
        load_start(model, settings["init"], progress)
    return model


def load_weights(spec: RunSpec, weights: Path) -> nn.Module:
    """The trained network, without its classifier, in evaluation."""
    state = {k: v for k, v in read_weights(weights).items() if not k.startswith(TRAINING_ONLY)}
    model = build(spec, 0, trained=True)
    model.load_state_dict(state)
    return model.eval()
