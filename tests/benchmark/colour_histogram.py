"""The plainest matcher there is, as a yardstick: colours of body stripes, nothing learned."""

import numpy as np
from PIL import Image

from benchmark.datasets.base import Dataset

STRIPES, BINS = 6, 8


def colour_histogram(dataset: Dataset, *, every: int = 2) -> np.ndarray:
    """One vector a test tracklet, ``[N, D]`` of length 1: dot products are Hellinger affinities.

    Args:
        dataset: whose ``test`` tracklets are described.
        every: take each ``every``-th frame only.
    """
    return np.stack(
        [
            np.mean([_stripes(t.path(frame)) for frame in range(0, len(t), every)], axis=0)
            for t in dataset.test
        ]
    ) ** np.float32(0.5)


def _stripes(path: str) -> np.ndarray:
    """Hue, saturation and value counts of the middle of the box, stripe by stripe, summing to 1."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("HSV").resize((32, 64), Image.Resampling.BILINEAR))
    middle = pixels[6:58, 12:20].astype(np.intp) * BINS // 256  # [52, 8, 3]
    counts = [
        np.bincount(stripe[..., channel].ravel(), minlength=BINS)
        for stripe in np.array_split(middle, STRIPES)
        for channel in range(3)
    ]
    whole = np.concatenate(counts).astype(np.float32)
    return whole / whole.sum()


def rank_1_and_map(dataset: Dataset, vectors: np.ndarray) -> tuple[float, float]:
    """Share of queries whose nearest track is right, and mean AP, as ``mars-official`` has them.

    The gallery is every test track; those of pid -1 and those of the query's own person and camera
    do not count.
    """
    pids = np.array([t.pid for t in dataset.test])
    camids = np.array([t.camid for t in dataset.test])
    affinity = vectors[list(dataset.query)] @ vectors.T  # [queries, tracks]
    first, precision = [], []
    for row, scores in zip(dataset.query, affinity, strict=True):
        junk = (pids == -1) | ((pids == pids[row]) & (camids == camids[row]))
        order = np.argsort(-scores, kind="stable")
        right = (pids[order] == pids[row])[~junk[order]]
        hits = np.flatnonzero(right)
        first.append(right[0])
        precision.append(np.mean(np.arange(1, len(hits) + 1) / (hits + 1)))
    return float(np.mean(first)), float(np.mean(precision))
