"""Test tracklets to vectors, and the file that keeps them.

The file holds ``metric`` and ``embedding`` of every clip, so that any protocol, distance and
pooling is a re-score that needs neither GPU nor images. Its key says what they were made with;
another key is another file.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import nn

from benchmark import distributed
from benchmark.clips import FrameRule, frame_rule
from benchmark.contract import check_neck, check_output
from benchmark.datasets.base import Dataset
from benchmark.device import autocast
from benchmark.files import write_whole
from benchmark.pixels import normalise
from benchmark.prefetch import to_device
from benchmark.progress import SILENT, Progress
from benchmark.ranking import Embeddings
from benchmark.samplers import EvaluationClips, batches

BATCH_FRAMES = 128  # frames of a forward pass: long tracks are embedded in chunks of clips


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipEmbeddings:
    """Vectors of every clip of every test tracklet.

    Attributes:
        key: what they were made with: weights (sha256), method, fingerprint, frames_rule, height,
            width, resize, precision.
        metric: [C, D'] before the neck; ``embedding``: [C, D] after it.
        row: [C] test tracklet of each clip, ascending; ``frames``: [C] frames of each clip.
        pids: [N] and ``camids`` [N] or None, of the test tracklets; ``query``: [Q] their rows that
            are queries.
        neck: [2, D] scale and shift of the BN neck in evaluation, or None where metric and
            embedding are the same.
        parts: equal parts of a tracklet's vector, each brought to unit length before any distance.
    """

    key: dict[str, str | int]
    metric: np.ndarray
    embedding: np.ndarray
    row: np.ndarray
    frames: np.ndarray
    pids: np.ndarray
    camids: np.ndarray | None
    query: np.ndarray
    neck: np.ndarray | None
    parts: int = 1

    def pooled(self, space: str) -> Embeddings:
        """One vector a tracklet.

        Args:
            space: ``embedding`` (after the neck) or ``metric`` (before it).
        """
        vectors = self._pooled(space).astype(np.float32)
        if self.parts > 1:  # a mean over clips comes first, since it does not commute with this
            split = vectors.reshape(len(vectors), self.parts, -1)  # [N, parts, D / parts]
            lengths = np.linalg.norm(split, axis=2, keepdims=True)
            vectors = (split / np.maximum(lengths, 1e-12)).reshape(len(vectors), -1)
        return Embeddings(vectors, self.pids, self.camids)

    def _pooled(self, space: str) -> np.ndarray:
        rule = frame_rule(str(self.key["frames_rule"]))
        if rule.kind == "all-max":
            pooled = np.maximum.reduceat(self.metric, np.unique(self.row, return_index=True)[1])
        elif rule.kind in ("all", "all-mean"):
            pooled = self._mean(self.metric, self.frames)
        else:  # equal weight, after the neck
            vectors = self.embedding if space == "embedding" else self.metric
            return self._mean(vectors, np.ones_like(self.frames))
        if space == "embedding" and self.neck is not None:
            pooled = pooled * self.neck[0] + self.neck[1]
        return pooled

    def _mean(self, vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Weighted mean over each tracklet's clips, in float64."""
        if len(self.row) == len(self.pids):  # one clip a tracklet
            return vectors
        starts = np.unique(self.row, return_index=True)[1]
        sums = np.add.reduceat(vectors.astype(np.float64) * weights[:, None], starts)
        return (sums / np.add.reduceat(weights, starts)[:, None]).astype(np.float32)


def embed(
    model: nn.Module,
    dataset: Dataset,
    rule: FrameRule,
    *,
    height: int,
    width: int,
    resize: str = "bilinear",
    key: dict[str, str | int],
    device: torch.device,
    precision: str,
    workers: int,
    progress: Progress = SILENT,
) -> ClipEmbeddings:
    """Embed every test tracklet.

    Processes that do it together take turns at the batches of one process, so that the first one
    ends with the bits that it would have found alone; the others end with their own clips.

    Args:
        model: on ``device``; it is set to evaluation.
        dataset: its ``test`` part is embedded.
        rule: which frames stand for a tracklet.
        height: pixels.
        width: pixels.
        resize: ``bilinear`` or ``bicubic``.
        key: see `ClipEmbeddings`.
        device: of the model.
        precision: ``no``, ``fp16`` or ``bf16``.
        workers: processes that load clips.
        progress: told the clips done, of all.

    Raises:
        ImageError: an image cannot be read.
        BrokenContract: the network gives something else than every method must give.
    """
    check_neck(model.eval())
    clips = EvaluationClips(dataset.test, rule, height, width, resize)
    with torch.inference_mode(), autocast(device, precision):
        found = distributed.collect(_own_vectors(model, clips, device, workers, progress))
    embedded = [clips.clips[i] for places, _, _ in found for i in places]
    return ClipEmbeddings(
        key=key,
        metric=_rows([metric for _, metric, _ in found]),
        embedding=_rows([embedding for _, _, embedding in found]),
        row=np.array([row for row, _ in embedded]),
        frames=np.array([len(indices) for _, indices in embedded]),
        pids=np.array([t.pid for t in dataset.test]),
        camids=np.array([t.camid for t in dataset.test]) if dataset.cameras else None,
        query=np.array(dataset.query),
        neck=_affine(model.neck),
        parts=getattr(model, "parts", 1),
    )


def _own_vectors(
    model: nn.Module,
    clips: EvaluationClips,
    device: torch.device,
    workers: int,
    progress: Progress,
) -> list[tuple[list[int], np.ndarray, np.ndarray]]:
    """Places, metric and embedding of each batch that this process embeds."""
    own = list(chunks(clips))[distributed.rank() :: distributed.size()]
    found: list[tuple[list[int], np.ndarray, np.ndarray]] = []
    for pixels, places in to_device(batches(clips, own, workers), device):
        output = model(normalise(pixels))
        if not found:
            check_output(model, output, len(pixels), finite=False)
        vectors = (v.float().cpu().numpy() for v in (output.metric, output.embedding))
        found.append((places.tolist(), *vectors))
        progress.advance("embed", found[-1][0][-1] + 1, len(clips))
    return found


def _rows(batches: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(batches) if batches else np.empty((0, 0), np.float32)


def chunks(clips: EvaluationClips) -> Iterator[list[int]]:
    """Runs of clips of equal length, in order, of at most `BATCH_FRAMES` frames."""
    chunk: list[int] = []
    for i, (_, indices) in enumerate(clips.clips):
        full = chunk and (len(chunk) + 1) * len(indices) > BATCH_FRAMES
        if full or (chunk and len(clips.clips[chunk[0]][1]) != len(indices)):
            yield chunk
            chunk = []
        chunk.append(i)
    if chunk:
        yield chunk


def _affine(neck: nn.Module) -> np.ndarray | None:
    """Scale and shift of a BN neck in evaluation."""
    if isinstance(neck, nn.Identity):
        return None
    scale = neck.weight / (neck.running_var + neck.eps).sqrt()
    shift = neck.bias - neck.running_mean * scale
    return torch.stack([scale, shift]).detach().float().cpu().numpy()


def save(embeddings: ClipEmbeddings, path: Path) -> None:
    """Write a safetensors file, whole or not at all."""
    arrays = {
        name: getattr(embeddings, name)
        for name in ("metric", "embedding", "row", "frames", "pids", "camids", "query", "neck")
    }
    tensors = {name: np.ascontiguousarray(a) for name, a in arrays.items() if a is not None}
    about = embeddings.key | ({"parts": embeddings.parts} if embeddings.parts > 1 else {})
    metadata = {"key": json.dumps(about)}
    write_whole(path, lambda part: save_file(tensors, part, metadata))


def load(path: Path) -> ClipEmbeddings:
    """Read an embedding file.

    Raises:
        ValueError: the file is none, or is broken.
        FileNotFoundError: there is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} does not exist")
    try:
        with safe_open(path, "numpy") as file:
            key = json.loads((file.metadata() or {})["key"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
        parts = key.pop("parts", 1)
        return ClipEmbeddings(key=key, parts=parts, **{"camids": None, "neck": None, **arrays})
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no embedding file: {error}") from None


def load_if(path: Path, key: dict[str, str | int]) -> ClipEmbeddings | None:
    """The file's embeddings if it is there, whole and made with exactly this key."""
    try:
        found = load(path)
    except (FileNotFoundError, ValueError):
        return None
    return found if found.key == key else None
