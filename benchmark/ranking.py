"""Exact ranks of each query's matches, without sorting the gallery.

The rank of a match is 1 + the number of gallery rows before it in (distance, gallery position)
order, junk not counted. Every metric needs these ranks and nothing else, so the rows before each
match are counted; nothing is sorted. Distances are compared as float32, and equal ones, where there
are any, by their place in the gallery.

Several galleries share the work: the columns are laid out in cells of rows that stand in the same
galleries, the rows before a match are counted cell by cell, and each gallery adds up its own cells.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from benchmark.datasets.base import JUNK

# Distances held at a time, 64 MB: bounds the memory, however large the gallery.
BLOCK_CELLS = 16_000_000
DISTANCES = ("cosine", "euclidean")


@dataclass(frozen=True, eq=False)
class Embeddings:
    """One vector a tracklet.

    Attributes:
        vectors: [N, D] float32; distances are calculated on their device.
        pids: [N] persons; -1 junk, 0 distractor.
        camids: [N] cameras, or None where they are not known.

    Raises:
        ValueError: lengths differ, or a vector is not finite.
    """

    vectors: np.ndarray | Tensor
    pids: np.ndarray
    camids: np.ndarray | None

    def __post_init__(self):
        vectors = torch.as_tensor(self.vectors, dtype=torch.float32).detach()
        object.__setattr__(self, "vectors", vectors)
        object.__setattr__(self, "pids", np.asarray(self.pids, dtype=np.int64))
        if self.camids is not None:
            object.__setattr__(self, "camids", np.asarray(self.camids, dtype=np.int64))
        shapes = {c.shape for c in (self.pids, self.camids) if c is not None}
        if vectors.ndim != 2 or shapes != {(len(vectors),)}:
            raise ValueError(
                f"vectors {list(vectors.shape)}, pids and camids must be [N, D], [N] and [N]"
            )
        largest = torch.linalg.vector_norm(vectors, ord=torch.inf, dim=1)  # NaN if any is NaN
        bad = (~largest.isfinite()).nonzero()
        if len(bad):
            raise ValueError(
                f"the vector of row {bad[0].item()} holds NaN or infinity: nothing to rank"
            )


@dataclass(frozen=True, eq=False)
class Gallery:
    """Which rows are ranked, and how far.

    Attributes:
        order: rows of the gallery in their order.
        cut: rows beyond this place of the unfiltered ranking are never retrieved; None for no cut.
    """

    order: np.ndarray
    cut: int | None = None


def distance_blocks(
    vectors: Tensor, query: np.ndarray, distance: str, cells: int = BLOCK_CELLS
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """``(rows of query, [rows, N] float32 distances)`` block by block.

    Args:
        vectors: [N, D] of all tracks, queries among them; they are neither copied nor moved.
        query: rows of the queries.
        distance: ``cosine`` (1 − cos) or ``euclidean`` (squared, which ranks alike and makes no
            ties).
        cells: distances held at a time.

    Raises:
        ValueError: unknown distance, or a vector that has none in float32.
    """
    check_distance(distance)
    if distance == "cosine":
        scale = inverse_lengths(vectors)
    else:
        square = _squares(vectors)
    step = max(1, cells // len(vectors))
    for start in range(0, len(query), step):
        rows = query[start : start + step]
        picked = torch.from_numpy(rows).to(vectors.device)
        if distance == "cosine":
            block = (vectors[picked] * scale[picked, None]) @ vectors.T
            block.mul_(-scale).add_(1)
        else:
            block = vectors[picked] @ vectors.T
            block.mul_(-2).add_(square).add_(square[picked, None]).clamp_min_(0)
        yield rows, block.cpu().numpy()


def check_distance(distance: str) -> None:
    """Refuse what is no distance, with a ValueError."""
    if distance not in DISTANCES:
        raise ValueError(f"unknown distance {distance!r}: expected {' or '.join(DISTANCES)}")


def inverse_lengths(vectors: Tensor) -> Tensor:
    """1/|v| of each vector.

    Raises:
        ValueError: a vector has length 0.
    """
    square = _squares(vectors)
    _refuse(square == 0, "has length 0: it has no cosine distance")
    return square.rsqrt()


def match_ranks(
    test: Embeddings,
    galleries: Sequence[Gallery],
    blocks: Iterable[tuple[np.ndarray, np.ndarray]],
) -> list[np.ndarray]:
    """Ranks of every query's matches in several galleries, in one pass over the distances.

    Junk is id -1 and the query's person seen by the query's camera; where cameras are not known,
    id -1 and the query itself. The query's person in the gallery is a match wherever it is no junk.

    Args:
        test: every test track; of its vectors nothing is needed here.
        galleries: who is in each, and where it is cut.
        blocks: distances as `distance_blocks` gives them.

    Returns:
        For each gallery [Q, M]: ascending ranks from 1, padded with 0; infinity for a match
        that the cut hides.
    """
    counter = RankCounter(test, galleries)
    found: list[list[np.ndarray]] = [[] for _ in galleries]
    for rows, distances in blocks:
        for row, to_all in zip(rows.tolist(), distances, strict=True):
            for parts, ranks in zip(found, counter.ranks(row, to_all), strict=True):
                parts.append(ranks)
    return [_padded(parts) for parts in found]


class RankCounter:
    """The columns of all galleries, those that stand in the same galleries side by side."""

    def __init__(self, test: Embeddings, galleries: Sequence[Gallery]):
        """Sort the columns into cells and index them by person."""
        junk = test.pids == JUNK
        places = [_places(gallery.order, len(test.pids)) for gallery in galleries]
        kind = junk + sum((place >= 0) << (1 + i) for i, place in enumerate(places))
        columns = np.argsort(kind, kind="stable")
        self.columns = columns[kind[columns] > 1]  # the others are in no gallery
        self.kinds, starts = np.unique(kind[self.columns], return_index=True)
        self.cells = [slice(*ends) for ends in pairwise([*starts, len(self.columns)])]
        self.places = [place[self.columns] for place in places]
        self.cuts = [gallery.cut for gallery in galleries]
        self.test_pids, self.test_camids = test.pids, test.camids
        self.camids = None if test.camids is None else test.camids[self.columns]
        self.by_person = np.argsort(test.pids[self.columns], kind="stable")
        self.persons = test.pids[self.columns][self.by_person]

    def ranks(self, row: int, distances: np.ndarray) -> list[np.ndarray]:
        """Ascending ranks of the matches of the query in a test row, one array a gallery."""
        match, own = self._person(row)
        distances = distances[self.columns]
        step = max(1, BLOCK_CELLS // max(1, len(distances)))
        starts = range(0, max(1, len(match)), step)
        parts = [self._part(match[i : i + step], own, distances) for i in starts]
        return [np.sort(np.concatenate(ranks)) for ranks in zip(*parts, strict=True)]

    def _person(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Columns of a query's matches, and of its own junk."""
        pid = self.test_pids[row]
        first, last = np.searchsorted(self.persons, [pid, pid + 1])
        columns = self.by_person[first:last]
        if self.camids is None:
            own = self.columns[columns] == row
        else:
            own = self.camids[columns] == self.test_camids[row]
        return columns[~own] if pid != JUNK else columns[:0], columns[own]

    def _part(self, match: np.ndarray, own: np.ndarray, distances: np.ndarray) -> list[np.ndarray]:
        """Ranks of some of a query's matches in each gallery."""
        wanted = distances[match, None]
        nearer = distances < wanted  # [matches, columns]
        equal = distances == wanted
        tied = np.count_nonzero(equal) > len(match)
        counts = self._count(nearer)
        result = []
        for i, (place, cut) in enumerate(zip(self.places, self.cuts, strict=True)):
            before = nearer
            if tied:
                before = nearer | (equal & (place < place[match, None]))
                counts = self._count(before)
            inside = (self.kinds >> (1 + i)) & 1
            junk = own[place[own] >= 0]
            ranks = 1.0 + counts @ (inside * (self.kinds % 2 == 0)) - before[:, junk].sum(1)
            if cut is not None:
                ranks[1 + counts @ inside > cut] = np.inf
            result.append(ranks[place[match] >= 0])
        return result

    def _count(self, before: np.ndarray) -> np.ndarray:
        """Of bool [matches, columns], how many in each cell."""
        counts = [np.count_nonzero(row[cell]) for row in before for cell in self.cells]
        return np.array(counts, dtype=np.int64).reshape(len(before), len(self.cells))


def _squares(vectors: Tensor) -> Tensor:
    # into one room: temporaries would leave holes between the results, as large as all vectors
    square, room = vectors.new_empty(len(vectors)), torch.empty_like(vectors[:4096])
    for part, out in zip(vectors.split(4096), square.split(4096), strict=True):
        torch.sum(torch.mul(part, part, out=room[: len(part)]), 1, out=out)
    _refuse(~(4 * square).isfinite(), "is too long: its distances are beyond float32")
    return square


def _refuse(bad: Tensor, why: str) -> None:
    if bad.any():
        raise ValueError(f"the vector of row {bad.nonzero()[0].item()} {why}")


def _places(order: np.ndarray, length: int) -> np.ndarray:
    """Place of each test row in the gallery, -1 where it is not in it."""
    place = np.full(length, -1)
    place[order] = np.arange(len(order))
    return place


def _padded(parts: list[np.ndarray]) -> np.ndarray:
    ranks = np.zeros((len(parts), max(map(len, parts), default=0)))
    for row, part in zip(ranks, parts, strict=True):
        row[: len(part)] = part
    return ranks
