"""Ranking 1,980 queries against MARS's 12,180 tracks: ours against a stable sort of every query.

Both sides read the same files in fresh processes and give R1 and mAP of MARS's own evaluation.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import sides
import torch

from benchmark import metrics
from benchmark.protocols import score
from benchmark.ranking import Embeddings, Gallery, match_ranks

MARS = ["mars-official", "mars-ste-nvan", "mars-ap3d", "mars-torchreid"]


def main() -> None:
    """Print seconds, memory and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        found = {side: sides.best(__file__, side, folder) for side in SIDES}
    for side, run in found.items():
        print(f"ranking, {side}: {run['seconds']:.2f} s, {run['MB']:.0f} MB above its input")
    for what, target in (("rank", 8), ("all", 1)):
        ours, plain = found[f"ours-{what}"], found[f"plain-{what}"]
        gap = max(abs(ours[name] - plain[name]) for name in ("R1", "mAP"))
        print(
            f"ranking, {what}: ratio {plain['seconds'] / ours['seconds']:.1f} (target {target}), "
            f"scores differ by {gap:.1e}"
        )
    for tracks in (12_500, 50_000, 200_000):
        with tempfile.TemporaryDirectory() as folder:
            write_gallery(Path(folder), tracks)
            run = sides.best(__file__, "ours-all", folder)
        print(
            f"ranking, 500 queries against {tracks:,} tracks: {run['seconds']:.2f} s, "
            f"{run['MB']:.0f} MB above its input"
        )
    sys.stdout.flush()


def write_gallery(folder: Path, tracks: int) -> None:
    """A gallery of that size: twelve tracks a person, two a camera."""
    pids, camids = np.arange(tracks) // 12 + 1, np.arange(tracks) % 6 + 1
    x, none = sides.vectors(pids, 256), np.empty(0)
    save(folder, pids=pids, camids=camids, query=np.arange(500), x=x, distances=none)


def write(folder: Path) -> None:
    """The table, vectors, and distances for the sides that only rank."""
    pids, camids, query = sides.mars_table()
    x = sides.vectors(pids)
    save(folder, pids=pids, camids=camids, query=query, x=x, distances=1 - x[query] @ x.T)


def save(folder: Path, **arrays: np.ndarray) -> None:
    """What every side reads."""
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def ours_rank(x, distances, pids, camids, query) -> tuple[float, float]:
    """Given the distances, all metrics of one protocol."""
    tracks = Embeddings(torch.zeros(len(pids), 1), pids, camids)
    (ranks,) = match_ranks(tracks, [Gallery(np.arange(len(pids)))], [(query, distances)])
    metrics.inverse_negative_penalty(ranks)
    return metrics.cmc(ranks[:, 0], 50)[0], metrics.average_precision(ranks, "trap").mean()


def plain_rank(x, distances, pids, camids, query) -> tuple[float, float]:
    """Given the distances, sort each query's gallery, drop its junk and walk along its matches."""
    first, precisions = [], []
    for q, to_all in zip(query, distances, strict=True):
        order = np.argsort(to_all, kind="stable")
        own = (pids[order] == pids[q]) & (camids[order] == camids[q])
        kept = order[~(own | (pids[order] == -1))]
        ranks = np.flatnonzero(pids[kept] == pids[q]) + 1
        i = np.arange(1, len(ranks) + 1)
        before = np.where(ranks == 1, 1, (i - 1) / np.maximum(ranks - 1, 1))
        first.append(ranks[0])
        precisions.append(np.mean((i / ranks + before) / 2))
    return np.mean(np.array(first) == 1), np.mean(precisions)


def ours_all(x, distances, pids, camids, query) -> tuple[float, float]:
    """From the vectors, one protocol."""
    found = score(Embeddings(x, pids, camids), query)
    return found.cmc[0], found.mAP


def ours_four(x, distances, pids, camids, query) -> tuple[float, float]:
    """From the vectors, all four protocols of MARS."""
    found = score(Embeddings(x, pids, camids), query, MARS)["mars-official"]
    return found.cmc[0], found.mAP


def plain_all(x, distances, pids, camids, query) -> tuple[float, float]:
    """From the vectors, by matrix product and sort."""
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    return plain_rank(x, 1 - unit[query] @ unit.T, pids, camids, query)


SIDES = {
    "ours-rank": ours_rank,
    "plain-rank": plain_rank,
    "ours-all": ours_all,
    "plain-all": plain_all,
    "ours-four": ours_four,
}


def one(side: str, folder: str) -> None:
    """Run one side and print what it took as JSON."""
    names = ("x", "distances", "pids", "camids", "query")
    data = {name: np.load(Path(folder) / f"{name}.npy") for name in names}
    result = {}
    took = sides.measured(
        lambda: result.update(zip(("R1", "mAP"), SIDES[side](**data), strict=True))
    )
    print(json.dumps({**took, **{name: float(value) for name, value in result.items()}}))


if __name__ == "__main__":
    main() if len(sys.argv) == 1 else one(*sys.argv[1:])
