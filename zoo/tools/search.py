"""The nearest of one's own tracklets, as ``zoo search`` prints them."""

from dataclasses import dataclass

import numpy as np
import torch

from benchmark.ranking import distance_blocks
from benchmark.recipe import DISTANCES
from zoo.tools.features import Features


@dataclass(frozen=True, kw_only=True)
class Found:
    """One tracklet of the features, near to a query."""

    query: str
    rank: int
    tracklet: str
    distance: float


def nearest(query: Features, known: Features, top: int) -> list[Found]:
    """The nearest tracklets to each query; a query's own folder does not count.

    Raises:
        ValueError: the vectors have other lengths, or one has none.
    """
    if query.vectors.shape[1] != known.vectors.shape[1]:
        raise ValueError(
            f"the features have {known.vectors.shape[1]} numbers a tracklet, the queries "
            f"{query.vectors.shape[1]}"
        )
    kind = DISTANCES[str(known.about["distance"])][0]
    together = torch.from_numpy(np.concatenate([query.vectors, known.vectors]))
    rows, found = np.arange(len(query.vectors)), []
    for block, distances in distance_blocks(together, rows, kind):
        for i, to_all in zip(block.tolist(), distances[:, len(rows) :], strict=True):
            own = (query.root / query.tracklets[i]).as_posix()
            ranked = [
                j
                for j in np.argsort(to_all, kind="stable").tolist()
                if (known.root / known.tracklets[j]).as_posix() != own
            ]
            for rank, j in enumerate(ranked[:top], start=1):
                gap = float(to_all[j]) ** (0.5 if kind == "euclidean" else 1)
                found.append(
                    Found(
                        query=query.tracklets[i],
                        rank=rank,
                        tracklet=known.tracklets[j],
                        distance=gap,
                    )
                )
    return found
