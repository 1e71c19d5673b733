"""Exact ranks of each query's matches, without sorting the gallery.

The rank of a match is 1 + the number of gallery rows before it in (distance, gallery position)
order, junk not counted. Only these ranks are needed for every metric, so rows are counted between
the matches instead of being sorted. Distances are compared as float32; equal ones in the order of
the gallery, always.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

BLOCK_CELLS = (
    4_000_000  # distances held at a time: what bounds the memory, however large the gallery
)
LAST = torch.iinfo(torch.int64).max


@dataclass(frozen=True, eq=False)
class Embeddings:
    """One vector a tracklet.

    Attributes:
        vectors: [N, D] float32.
        pids: [N] persons; -1 junk, 0 distractor.
        camids: [N] cameras, or None where they are not known.

    Raises:
        ValueError: lengths differ, or a vector is not finite.
    """

    vectors: np.ndarray | Tensor
    pids: np.ndarray
    camids: np.ndarray | None

    def __post_init__(self):
        object.__setattr__(self, "vectors", torch.as_tensor(self.vectors, dtype=torch.float32))
        object.__setattr__(self, "pids", np.asarray(self.pids, dtype=np.int64))
        if self.camids is not None:
            object.__setattr__(self, "camids", np.asarray(self.camids, dtype=np.int64))
        lengths = {len(c) for c in (self.vectors, self.pids, self.camids) if c is not None}
        if self.vectors.ndim != 2 or len(lengths) != 1:
            raise ValueError(
                f"vectors {list(self.vectors.shape)}, pids and camids must be [N, D], [N] and [N]"
            )
        bad = (~self.vectors.isfinite().all(1)).nonzero()
        if len(bad):
            raise ValueError(
                f"the vector of row {bad[0].item()} holds NaN or infinity: nothing to rank"
            )


@dataclass(frozen=True, eq=False)
class Rules:
    """Who counts for whom, as `match_ranks` needs it.

    Attributes:
        order: rows of the gallery in their order.
        cut: rows beyond this place of the unfiltered ranking are never retrieved; None for no cut.
    """

    order: np.ndarray
    cut: int | None = None


def distance_blocks(
    test: Embeddings, query: np.ndarray, distance: str, cells: int = BLOCK_CELLS
) -> Iterator[tuple[np.ndarray, Tensor]]:
    """``(rows of query, [rows, N] float32 distances)`` block by block.

    Args:
        test: the vectors, queries among them.
        query: rows of the queries.
        distance: ``cosine`` (1 − cos) or ``euclidean`` (squared, which ranks alike and makes no
            ties).
        cells: distances held at a time.

    Raises:
        ValueError: unknown distance, or a vector of length 0 under ``cosine``.
    """
    x = test.vectors
    if distance == "cosine":
        norms = x.norm(dim=1, keepdim=True)
        if (norms == 0).any():
            row = (norms[:, 0] == 0).nonzero()[0].item()
            raise ValueError(f"the vector of row {row} has length 0: it has no cosine distance")
        x = x / norms
    elif distance != "euclidean":
        raise ValueError(f"unknown distance {distance!r}: expected cosine or euclidean")
    square = x.square().sum(1)
    step = max(1, cells // max(len(x), 1))
    for start in range(0, len(query), step):
        rows = query[start : start + step]
        product = x[torch.from_numpy(rows)] @ x.T
        if distance == "cosine":
            yield rows, product.neg_().add_(1)
        else:
            yield rows, product.mul_(-2).add_(square).add_(square[rows][:, None]).clamp_min_(0)


def match_ranks(
    test: Embeddings, query: Sequence[int], rules: Sequence[Rules], distance: str
) -> list[np.ndarray]:
    """Ranks of every query's matches under several rules, in one pass over the distances.

    Args:
        test: every test track.
        query: rows of the queries.
        rules: galleries and who is junk in them.
        distance: ``cosine`` or ``euclidean``.

    Returns:
        For each of the rules [Q, M]: ascending ranks from 1, padded with 0; infinity for a match
        that the cut hides.
    """
    query = np.asarray(query, dtype=np.int64)
    positions = [_positions(rule.order, len(test.pids)) for rule in rules]
    found: list[list[np.ndarray]] = [[] for _ in rules]
    for rows, distances in distance_blocks(test, query, distance):
        keys = _ordered(distances)
        for rule, position, parts in zip(rules, positions, found, strict=True):
            parts.append(_block_ranks(keys, rows, test, rule, position))
    return [_stack(parts) for parts in found]


def _block_ranks(
    keys: Tensor, rows: np.ndarray, test: Embeddings, rule: Rules, position: Tensor
) -> np.ndarray:
    """Ranks of the matches of a block of queries, [rows, M]."""
    present = position >= 0
    match, junk = _masks(test, rows)
    match &= present
    keys = (keys << 32) | position.clamp_min(0)  # distance first, then place in the gallery
    width = int(match.sum(1).max()) if len(rows) else 0
    if width == 0:
        return np.zeros((len(rows), 0))
    wanted = torch.where(match, keys, LAST).topk(width, largest=False).values  # [rows, M] ascending
    real = wanted != LAST
    ranks = _count_before(torch.where(present & ~junk, keys, LAST), wanted).double()
    if rule.cut is not None:
        unfiltered = _count_before(torch.where(present, keys, LAST), wanted)
        ranks[unfiltered > rule.cut] = torch.inf
    return torch.where(real, ranks, 0.0).numpy()


def _count_before(keys: Tensor, wanted: Tensor) -> Tensor:
    """1 + the number of ``keys`` below each of ``wanted`` (ascending), row by row."""
    width = wanted.shape[1]
    place = torch.searchsorted(wanted.contiguous(), keys, right=True)  # how many wanted are ≤ key
    counts = torch.zeros(len(keys), width + 1, dtype=torch.int64)
    counts.scatter_add_(1, place, torch.ones_like(place))
    return 1 + counts.cumsum(1)[:, :width]


def _masks(test: Embeddings, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """``(match, junk)`` of a block of queries, both bool [rows, N].

    Junk is id -1 and the query's person seen by the query's camera; where cameras are not known,
    only the query itself.
    """
    pids = torch.from_numpy(test.pids)
    same = pids[rows][:, None] == pids[None]
    if test.camids is not None:
        camids = torch.from_numpy(test.camids)
        own = same & (camids[rows][:, None] == camids[None])
    else:
        own = torch.from_numpy(rows)[:, None] == torch.arange(len(pids))
    return same & ~own, own | (pids == -1)


def _positions(order: np.ndarray, length: int) -> Tensor:
    """Place of each test row in the gallery, -1 where it is not in it."""
    position = torch.full((length,), -1, dtype=torch.int64)
    position[torch.from_numpy(np.asarray(order))] = torch.arange(len(order))
    return position


def _ordered(distances: Tensor) -> Tensor:
    """float32 -> int64 that sorts alike (−0 equals 0)."""
    bits = (distances + 0.0).view(torch.int32).to(torch.int64)
    return torch.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def _stack(parts: list[np.ndarray]) -> np.ndarray:
    width = max((part.shape[1] for part in parts), default=0)
    return np.concatenate([np.pad(p, ((0, 0), (0, width - p.shape[1]))) for p in parts])
