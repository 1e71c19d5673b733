"""A network in memory embedded, scored and costed, without a run or a folder."""

from pathlib import Path

import pandas as pd
import torch
from torch import nn

from benchmark import embed as embedding
from benchmark.clips import frame_rule
from benchmark.cost.timing import Cost, measure
from benchmark.datasets.base import Dataset
from benchmark.datasets.catalogue import open_dataset as open_by_name
from benchmark.device import choose_device
from benchmark.embed import ClipEmbeddings
from benchmark.progress import SILENT, Progress
from benchmark.protocols import score as score_vectors
from benchmark.recipe import DISTANCES
from benchmark.variants import choose
from zoo import plugins


def open_dataset(
    name: str, root: Path | str | None = None, *, progress: Progress = SILENT
) -> Dataset:
    """Open a data set by name: names and numbers, no pixels.

    Args:
        name: a variant, e.g. ``mars`` or ``synthetic[occlusion=0.6]``.
        root: where it lies; the synthetic set renders itself into a cache without one.
        progress: told of long work.

    Raises:
        LookupError: no data set, or no knob, of that name.
        ValueError: a knob's value does not fit, or no root was given where one is needed.
        FileNotFoundError: data are missing; the message names the first missing thing.
    """
    extra = plugins.plugin_functions("DATASETS", "zoo.datasets")
    place = None if root is None else Path(root)
    return open_by_name(name, place, progress=progress, extra=extra)


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
    counts = {name: getattr(found, name) for name in ("gallery", "queries", "dropped")}
    return pd.Series({**found.values, **counts}, name=protocol)


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
