"""``zoo verify``: is a checkpoint what the table says? Hash, keys, golden clip and scores."""

from dataclasses import dataclass

import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file
from torch import Tensor

from benchmark import embed
from benchmark.clips import frame_rule
from benchmark.datasets.base import Dataset
from benchmark.label import Label
from benchmark.progress import SILENT, Progress
from benchmark.protocols import PROTOCOLS, score
from benchmark.recipe import DISTANCES
from benchmark.record import Record
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.config import Settings
from zoo.checkpoints.load import Loaded, golden_embedding, open_checkpoint

PASS, FAIL, SKIPPED = "PASS", "FAIL", "not checked"
GOLDEN = 1e-3  # relative difference that other processors and libraries may make


@dataclass(frozen=True)
class Check:
    """One check: what was looked at, how it came out, and what was seen."""

    name: str
    result: str
    detail: str


def verify(
    checkpoint: Checkpoint,
    settings: Settings,
    progress: Progress = SILENT,
    *,
    dataset: Dataset | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> list[Check]:
    """Make every check of a checkpoint that is possible here.

    Args:
        checkpoint: to be checked.
        settings: where its file is kept and looked for.
        progress: shown fetching and embedding.
        dataset: the data that its scores are of; None leaves them out.
        device: for the scores; the golden clip is always embedded on the CPU.
        workers: processes that load clips.

    Raises:
        OSError: the file cannot be had.
        ValueError: the data set is not the one that the scores are of.
    """
    if dataset is not None:
        _check_data(checkpoint, dataset)
    try:
        loaded = open_checkpoint(checkpoint, settings, progress)
    except (ValueError, LookupError) as error:  # the file has the right hash: the table is wrong
        return [Check("sha256", PASS, str(checkpoint.sha256)), Check("keys", FAIL, str(error))]
    left_out = "".join(f"; left out {line}" for line in loaded.dropped)
    tensors = len(loaded.model.state_dict())
    source = " as converted here" if checkpoint.manual else ""
    checks = [
        Check("sha256", PASS, loaded.file.sha256 + source),
        Check("keys", PASS, f"{tensors} tensors fit{left_out}"),
        _golden(checkpoint, loaded),
    ]
    if dataset is None:
        hint = f"with the data at hand: --dataset {checkpoint.dataset}"
        return [*checks, Check("scores", SKIPPED, hint)]
    return [*checks, *_scores(checkpoint, loaded, dataset, device, workers, progress)]


def _golden(checkpoint: Checkpoint, loaded: Loaded) -> Check:
    name = "golden clip"
    if checkpoint.golden is None:
        return Check(name, SKIPPED, "the table names none")
    try:
        expected = load_file(checkpoint.beside(checkpoint.golden))["embedding"]
    except (SafetensorError, KeyError, OSError) as error:
        return Check(name, FAIL, f"{checkpoint.golden} cannot be read: {error}")
    found = golden_embedding(loaded.model, checkpoint)
    error = difference(torch.from_numpy(expected), found)
    text = f"relative difference {error:.1e}, at most {GOLDEN:.0e}"
    return Check(name, PASS if error <= GOLDEN else FAIL, text)


def difference(expected: Tensor, found: Tensor) -> float:
    """Norm of the difference over the norm of what was expected; infinite if shapes differ."""
    if expected.shape != found.shape:
        return float("inf")
    return ((found - expected).norm() / expected.norm()).item()


def _check_data(checkpoint: Checkpoint, dataset: Dataset) -> None:
    name, data = checkpoint.name, checkpoint.dataset
    if dataset.name != data:
        raise ValueError(f"{name} has scores on {data}, not on {dataset.name}")
    if checkpoint.fingerprint not in (None, dataset.fingerprint):
        raise ValueError(
            f"{name} has scores on {data} with fingerprint {checkpoint.fingerprint}, the data at "
            f"hand have {dataset.fingerprint}"
        )


def _scores(
    checkpoint: Checkpoint,
    loaded: Loaded,
    dataset: Dataset,
    device: str,
    workers: int,
    progress: Progress,
) -> list[Check]:
    """One check for each label that there is a record of."""
    records = checkpoint.scores()
    if not records:
        return [Check("scores", SKIPPED, "the table names no records")]
    embeddings = embed.embed(
        loaded.model.to(device),
        dataset,
        frame_rule(checkpoint.frames),
        height=checkpoint.height,
        width=checkpoint.width,
        resize=checkpoint.resize,
        key={"weights": loaded.file.sha256, "frames_rule": checkpoint.frames},
        device=torch.device(device),
        precision="no",
        workers=workers,
        progress=progress,
    )
    return [_compare(checkpoint, entry, embeddings) for entry in records.values()]


def _compare(checkpoint: Checkpoint, entry: Record, embeddings: embed.ClipEmbeddings) -> Check:
    """The scores now against a record: within the tolerance, and of as many tracklets."""
    label = Label.parse(entry.label)
    protocol = PROTOCOLS.get(label.protocol)
    current = protocol is not None and protocol.version == label.version
    if not current or label.frames != checkpoint.frames:
        return Check(entry.label, SKIPPED, "the protocol of that name is another one today")
    distance, space = DISTANCES[label.distance]
    tracks = embeddings.pooled(space)
    found = score(tracks, embeddings.query, label.protocol, distance, label.rerank)
    parts, worst = [], 0.0
    for metric, expected in entry.metrics.items():
        if metric not in found.values:  # one that a plugin brought
            parts.append(f"{metric} not checked: no such metric here")
            continue
        gap = 100 * (found.values[metric] - expected)
        worst = max(worst, abs(gap))
        parts.append(f"{metric} {100 * found.values[metric]:.2f} ({gap:+.2f})")
    sizes = found.gallery, found.queries, found.dropped
    same = sizes == (entry.gallery, entry.queries, entry.dropped)
    if not same:
        parts.append("another gallery or other queries: {}/{}/{}".format(*sizes))
    if worst > checkpoint.tolerance:
        parts.append(f"misses by {worst:.2f} points, {checkpoint.tolerance:g} allowed")
    passed = worst <= checkpoint.tolerance and same
    return Check(entry.label, PASS if passed else FAIL, ", ".join(parts))
