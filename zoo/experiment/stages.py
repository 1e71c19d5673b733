"""The stages of a run that several processes share: training and embedding.

Each is called by `zoo.experiment.processes.together`, so that every process carries it out; the
first one has the weights and ends with the result.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from benchmark import distributed, embed
from benchmark.clips import FrameRule
from benchmark.datasets.base import Dataset
from benchmark.device import set_arithmetic
from benchmark.embed import ClipEmbeddings
from benchmark.progress import SILENT, Progress
from benchmark.train import Training, train
from zoo.experiment.network import build, load_weights
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.spec import RunSpec
from zoo.experiment.validate import open_validation

FIRST_STAGE = "first-stage"  # where in a run's folder its first stage is trained


def train_network(
    spec: RunSpec,
    dataset: Dataset,
    options: ExecutionOptions,
    folder: Path,
    progress: Progress = SILENT,
    after: Callable[[int, float], None] | None = None,
) -> tuple[Training, dict[str, Tensor]]:
    """Train a run's network, or what is left of it.

    Args:
        spec: the run.
        dataset: the one that the specification names.
        options: device, workers, whether to compile.
        folder: of the run; only the first process reads and writes in it. A first stage is trained
            in a folder of its own in it.
        progress: who is told.
        after: told epoch and validation mAP; what it raises ends the training.

    Returns:
        What it took, and the weights.

    Raises:
        RuntimeError, ValueError, OSError: as `benchmark.train.train`.
    """
    device, precision = torch.device(options.device), spec.precision
    set_arithmetic(device, precision, cudnn_benchmark=options.cudnn_benchmark)
    trained_on, validation = open_validation(spec, dataset, options, after)
    start = None
    if (first := spec.first_stage) is not None:
        before = folder / FIRST_STAGE
        if distributed.is_first():
            before.mkdir(exist_ok=True)
        start = train_network(first, trained_on, options, before, progress)[1]
    persons = len(trained_on.train_pids)
    model = build(spec, persons, trained=not distributed.is_first(), progress=progress)
    if start is not None:
        model.load_state_dict(start)
    training = train(
        model,
        trained_on,
        spec.trained_by(),
        folder,
        seed=spec.seed,
        accelerator=Accelerator(
            cpu=options.device == "cpu", mixed_precision="no" if precision == "tf32" else precision
        ),
        workers=options.workers,
        compiled=options.compile,
        validation=validation,
        progress=progress,
    )
    return training, model.state_dict()


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """What is embedded, and how.

    Attributes:
        dataset: its test part.
        rule: which frames stand for a tracklet.
        key: as of `ClipEmbeddings`.
        height: pixels.
        width: pixels.
        resize: ``bilinear`` or ``bicubic``.
        precision: of the network.
    """

    dataset: Dataset
    rule: FrameRule
    key: dict[str, str | int]
    height: int
    width: int
    resize: str = "bilinear"
    precision: str = "no"


def embed_run(
    spec: RunSpec,
    work: Embedding,
    options: ExecutionOptions,
    weights: Path | None = None,
    progress: Progress = SILENT,
) -> ClipEmbeddings:
    """Embed by a run's trained network.

    Args:
        spec: the run.
        work: what is embedded.
        options: device and workers.
        weights: on the first process, which gives them to the others.
        progress: who is told.

    Raises:
        ImageError: an image cannot be read.
    """
    model = build(spec, 0, trained=True) if weights is None else load_weights(spec, weights)
    return embed_by(model, work, options, progress)


def embed_by(
    model: nn.Module, work: Embedding, options: ExecutionOptions, progress: Progress = SILENT
) -> ClipEmbeddings:
    """Embed by a network that is there already; see `embed_run`."""
    device = torch.device(options.device)
    set_arithmetic(device, work.precision, cudnn_benchmark=options.cudnn_benchmark)
    model = model.to(device)
    distributed.spread(model)
    return embed.embed(
        model,
        work.dataset,
        work.rule,
        height=work.height,
        width=work.width,
        resize=work.resize,
        key=work.key,
        device=device,
        precision=work.precision,
        workers=options.workers,
        progress=progress,
    )
