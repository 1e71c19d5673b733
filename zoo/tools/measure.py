"""A network embedded, scored and costed from Python."""

from pathlib import Path

import pandas as pd
import torch
from torch import nn

from benchmark import embed as embedding
from benchmark.clips import frame_rule
from benchmark.cost.timing import Cost, measure
from benchmark.datasets.base import Dataset
from benchmark.device import choose_device
from benchmark.embed import ClipEmbeddings
from benchmark.progress import SILENT, Progress
from benchmark.protocols import Scores
from benchmark.protocols import score as score_vectors
from benchmark.recipe import DISTANCES
from benchmark.record import Record
from benchmark.variants import choose
from zoo.checkpoints.config import read_settings
from zoo.experiment.find_checkpoint import find_checkpoint
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.plan import open_splits
from zoo.experiment.request import BenchRequest
from zoo.experiment.rescore import Rules
from zoo.experiment.score_on import score_on as score_checkpoint


def embed(
    model: nn.Module,
    dataset: Dataset,
    *,
    frames: str = "chunk-first8",
    height: int = 256,
    width: int = 128,
    device: str = "auto",
    precision: str = "no",
    workers: int = 2,
    progress: Progress = SILENT,
) -> ClipEmbeddings:
    """Embed every test tracklet of a data set.

    Args:
        model: follows the contract of methods; it is set to evaluation and moved to the device.
        dataset: its ``test`` part is embedded.
        frames: frame rule with its number.
        height: of the images, in pixels.
        width: of the images, in pixels.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``no`` (float32), ``fp16`` or ``bf16``.
        workers: processes that load clips.
        progress: told the clips done.

    Returns:
        ``metric`` and ``embedding`` of every clip, [C, D]; ``pooled(space)`` is one vector a
        tracklet, [N, D].

    Raises:
        ValueError: no such frame rule, or no such device.
        ImageError: an image cannot be read.
    """
    where, rule = torch.device(choose_device(device)), frame_rule(frames)
    return embedding.embed(
        model.to(where),
        dataset,
        rule,
        height=height,
        width=width,
        key={"fingerprint": dataset.fingerprint, "frames_rule": str(rule)},
        device=where,
        precision=precision,
        workers=workers,
        progress=progress,
    )


def score(
    embeddings: ClipEmbeddings,
    protocol: str = "open",
    *,
    distance: str = "cos-bn",
    rerank: str | None = None,
) -> pd.Series:
    """Score embeddings under one protocol.

    Args:
        embeddings: as of `embed`, or read by ``benchmark.embed.load``.
        protocol: a name; ``zoo list protocols`` shows all.
        distance: ``cos-bn``, ``cos-raw``, ``l2sq-bn`` or ``l2sq-raw``.
        rerank: ``kr(20,6,0.3)``, ``kr-torchreid(…)`` or ``kr-dup(…)``.

    Returns:
        R1, R5, R10, R20, mAP, mINP and own metrics as fractions in [0, 1], and the counts
        ``gallery``, ``queries`` and ``dropped``.

    Raises:
        LookupError: no such protocol or distance.
        ValueError: no query has a match, or the protocol does not allow these data.
    """
    kind, space = choose(distance, DISTANCES, "distance")
    found = score_vectors(embeddings.pooled(space), embeddings.query, protocol, kind, rerank)
    return pd.Series({**found.values, **_counts(found)}, name=protocol)


def score_on(
    source: str | Path,
    dataset: str | Dataset,
    *,
    data_root: Path | str | None = None,
    rules: Rules = Rules(),
    recipe: str | None = None,
    out: Path | str | None = None,
    device: str = "auto",
    workers: int = 2,
    progress: Progress = SILENT,
) -> pd.DataFrame:
    """Score a checkpoint, a run or a file of weights on any data, as ``zoo score`` does.

    Args:
        source: a checkpoint's name, a run's folder or a ``.safetensors`` file.
        dataset: whose test part is scored, a name or open.
        data_root: where it lies.
        rules: frames, distance, protocols and re-ranking; what is None is as the network was scored
            before, and the data set's own protocol.
        recipe: how a file that does not say it was trained.
        out: result folder of what is no run; None makes a name from the data set.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        workers: processes that load clips.
        progress: who is told.

    Returns:
        A row for each record that was written: ``label``, ``dataset``, ``split``, ``trained_on``,
        metrics as fractions in [0, 1], and ``gallery``, ``queries`` and ``dropped``.

    Raises:
        LookupError: no such checkpoint, data set, protocol or distance.
        ValueError: a rule does not fit, or it was trained on another split of these data.
        OSError: data or weights cannot be had.
    """
    settings, root = read_settings(), None if data_root is None else Path(data_root)
    checkpoint = find_checkpoint(source, settings, trained_with=recipe)
    scored = score_checkpoint(
        checkpoint,
        open_splits(BenchRequest(dataset=dataset, data_root=root), progress),
        rules,
        options=ExecutionOptions(
            device=choose_device(device), workers=workers, command="zoo.score_on(…)"
        ),
        out=None if out is None else Path(out),
        settings=settings,
        progress=progress,
    )
    rows = []
    for one in scored.records:
        about = {"label": one.label, "dataset": one.dataset, "split": one.split}
        rows.append(about | {"trained_on": checkpoint.dataset} | one.metrics | _counts(one))
    return pd.DataFrame(rows)


def _counts(found: Scores | Record) -> dict[str, int]:
    return {name: getattr(found, name) for name in ("gallery", "queries", "dropped")}


def cost(
    model: nn.Module,
    *,
    frames: int = 8,
    height: int = 256,
    width: int = 128,
    device: str = "auto",
    precision: str = "no",
) -> Cost:
    """Count and time a network on one clip; it is left as it was found.

    Args:
        model: follows the contract of methods.
        frames: T.
        height: pixels.
        width: pixels.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``no`` (float32), ``fp16`` or ``bf16``.

    Returns:
        Parameters in 10⁶, GMACs (one multiply-add is 1), latency in ms, clips a second, peak memory
        in 10⁶ bytes.

    Raises:
        ValueError: the clip does not fit the method, or no such device.
    """
    return measure(model, frames, height, width, torch.device(choose_device(device)), precision)
