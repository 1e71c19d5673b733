"""``zoo verify``: is a checkpoint what its row says? Hash, keys, golden clip and scores."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file
from torch import Tensor

from benchmark import embed
from benchmark.clips import frame_rule
from benchmark.datasets.base import Dataset
from benchmark.protocols import PROTOCOLS, score
from benchmark.recipes import DISTANCES
from benchmark.record import Record
from zoo.checkpoints.cache import Watch
from zoo.checkpoints.config import Settings
from zoo.checkpoints.load import Loaded, golden_embedding, open_checkpoint
from zoo.checkpoints.table import Checkpoint

PASS, FAIL, SKIPPED = "PASS", "FAIL", "not checked"
GOLDEN = 1e-3  # relative difference that other processors and libraries may make


@dataclass(frozen=True)
class Check:
    """One check: what was looked at, how it came out, and what was seen."""

    name: str
    result: str
    detail: str


def verify(
    row: Checkpoint,
    where: Settings,
    watch: Watch,
    *,
    dataset: Dataset | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> list[Check]:
    """Put a checkpoint to every check that can be made here.

    Args:
        row: the checkpoint.
        where: what the user has set.
        watch: told of fetching and embedding.
        dataset: the data that its scores are of; None leaves them out.
        device: for the scores; the golden clip is always embedded on the processor.
        workers: processes that load clips.

    Raises:
        OSError: the file cannot be had.
        ValueError: the data set is not the one that the scores are of.
    """
    if dataset is not None:
        _same_data(row, dataset)
    try:
        loaded = open_checkpoint(row, where, watch)
    except ValueError as error:  # what was fetched has the right hash, so the row is wrong
        return [Check("sha256", PASS, str(row.sha256)), Check("keys", FAIL, str(error))]
    left_out = "".join(f"; left out {line}" for line in loaded.dropped)
    tensors = len(loaded.model.state_dict())
    source = " as converted here" if row.manual else ""
    checks = [
        Check("sha256", PASS, loaded.file.sha256 + source),
        Check("keys", PASS, f"{tensors} tensors fit{left_out}"),
        _golden(row, loaded),
    ]
    if dataset is None:
        hint = f"say --dataset {row.dataset} where the data are at hand"
        return [*checks, Check("scores", SKIPPED, hint)]
    return [*checks, *_scores(row, loaded, dataset, device, workers, watch.progress)]


def _golden(row: Checkpoint, loaded: Loaded) -> Check:
    name = "golden clip"
    if row.golden is None:
        return Check(name, SKIPPED, "the row has none")
    try:
        expected = load_file(row.beside(row.golden))["embedding"]
    except (SafetensorError, KeyError, OSError) as error:
        return Check(name, FAIL, f"{row.golden} cannot be read: {error}")
    error = difference(torch.from_numpy(expected), golden_embedding(loaded.model, row))
    text = f"relative difference {error:.1e}, at most {GOLDEN:.0e}"
    return Check(name, PASS if error <= GOLDEN else FAIL, text)


def difference(expected: Tensor, found: Tensor) -> float:
    """Norm of the difference over the norm of what was expected; infinite if shapes differ."""
    if expected.shape != found.shape:
        return float("inf")
    return ((found - expected).norm() / expected.norm()).item()


def _same_data(row: Checkpoint, dataset: Dataset) -> None:
    if dataset.name != row.dataset:
        raise ValueError(f"{row.name} has scores on {row.dataset}, not on {dataset.name}")
    if row.fingerprint is not None and dataset.fingerprint != row.fingerprint:
        raise ValueError(
            f"{row.name} has scores on {row.dataset} with fingerprint {row.fingerprint}, the data "
            f"at hand have {dataset.fingerprint}"
        )


def _scores(
    row: Checkpoint,
    loaded: Loaded,
    dataset: Dataset,
    device: str,
    workers: int,
    on_progress: Callable[[str, int, int], None],
) -> list[Check]:
    """One check a label that the row has a record of."""
    records = row.scores()
    if not records:
        return [Check("scores", SKIPPED, "the row has none")]
    embeddings = embed.embed(
        loaded.model.to(device),
        dataset,
        frame_rule(row.frames),
        height=row.height,
        width=row.width,
        key={"weights": loaded.file.sha256, "frames_rule": row.frames},
        device=torch.device(device),
        precision="no",
        workers=workers,
        on_progress=on_progress,
    )
    return [_compare(row, entry, embeddings) for entry in records.values()]


def _compare(row: Checkpoint, entry: Record, embeddings: embed.ClipEmbeddings) -> Check:
    name, distance, frames, *rerank = entry.label.split("/")
    protocol, _, version = name.partition("@")
    rules = PROTOCOLS.get(protocol)
    if rules is None or str(rules.version) != version or frames != row.frames:
        return Check(entry.label, SKIPPED, "these are not today's rules of that name")
    kind, place = DISTANCES[distance]
    found = score(
        embeddings.pooled(place), embeddings.query, protocol, kind, rerank[0] if rerank else None
    )
    measured = found.metrics()
    parts, worst = [], 0.0
    for metric, expected in entry.metrics.items():
        gap = 100 * (measured[metric] - expected)
        worst = max(worst, abs(gap))
        parts.append(f"{metric} {100 * measured[metric]:.2f} ({gap:+.2f})")
    sizes = found.gallery, found.queries, found.dropped
    same = sizes == (entry.gallery, entry.queries, entry.dropped)
    if not same:
        parts.append("another gallery or other queries: {}/{}/{}".format(*sizes))
    if worst > row.tolerance:
        parts.append(f"misses by {worst:.2f} points, {row.tolerance:g} allowed")
    passed = worst <= row.tolerance and same
    return Check(entry.label, PASS if passed else FAIL, ", ".join(parts))
