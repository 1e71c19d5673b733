"""k-reciprocal re-ranking (Zhong et al., CVPR 2017), sparse, over a pool of queries and gallery.

Two tracks that find each other among their nearest ones are likely to be the same person. Each
track i of the pool is described by a sparse vector V_i of weights exp(−d) over its k1-reciprocal
neighbours, completed by the neighbours' own and averaged over the k2 nearest tracks; queries are
then compared with the gallery by the Jaccard distance of these vectors, mixed with λ of the
original one.

The result is that of the published dense algorithm. No matrix of the whole pool is held: distances
come in blocks of rows, of which the nearest are kept, and everything after them is sparse.

Vectors are taken at unit length, whatever distance a protocol ranks by, as in the paper. All tracks
that are in the protocol's gallery are in the pool, so junk (id -1) is in it under mars-official,
mars-ste-nvan and open, and out of it under mars-ap3d and mars-torchreid. Three kinds:

- ``kr``: plain distances |a − b| go in, which the algorithm squares; every track is in the pool
  once, also one that is query and gallery row.
- ``kr-torchreid``: squared distances go in, so that fourth powers are what counts.
- ``kr-dup``: as kr, but queries that are gallery rows too are in the pool twice. A copy is its
  original's nearest neighbour and takes the place of a real one: this costs accuracy.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from benchmark.ranking import BLOCK_CELLS, inverse_lengths
from benchmark.rerank import Reranking


def reranked_blocks(
    vectors: Tensor, query: np.ndarray, rows: np.ndarray, how: Reranking
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """``(rows of query, [rows, N] float32 re-ranked distances)``, infinity beyond the pool.

    Args:
        vectors: [N, D] of all tracks.
        query: rows of the queries.
        rows: the `pool`.
        how: kind and numbers.

    Raises:
        ValueError: a vector has length 0.
    """
    tracks = _Pool(vectors, rows, how)
    nearest = _nearest(tracks, max(how.k1 + 1, how.k2))
    weights = _weights(tracks, _members(nearest.places, how.k1), nearest)
    if how.k2 > 1:
        weights = _average(weights, nearest.places[:, : how.k2])
    wanted, reverse = np.unique(rows[::-1], return_index=True)
    places = len(rows) - 1 - reverse  # the last place of each track: the gallery's copy of a query
    columns = weights[places].tocsc()
    for part in _parts(len(query), len(vectors) + len(rows)):
        block = np.full((len(part), len(vectors)), np.inf, dtype=np.float32)
        original = tracks.distances(part).cpu().numpy()[:, places]
        for target, place, distances in zip(block, part, original, strict=True):
            distances = distances / nearest.largest[place]
            jaccard = _jaccard(weights, place, columns)
            target[wanted] = (1 - how.share) * jaccard + how.share * distances
        yield query[part], block


class _Pool:
    """Distances within the pool, as the algorithm has them after squaring its input."""

    def __init__(self, vectors: Tensor, rows: np.ndarray, how: Reranking):
        """Bring the distinct tracks of the pool to unit length."""
        distinct, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
        order = np.argsort(first)  # tracks as they first appear
        self.device = vectors.device
        taken = self._index(distinct[order])
        self.unit = vectors[taken].mul_(inverse_lengths(vectors)[taken, None])
        self.tracks = self._index(np.argsort(order)[inverse])
        self.fourth = how.kind == "kr-torchreid"

    def __len__(self) -> int:
        return len(self.tracks)

    def distances(self, part: np.ndarray) -> Tensor:
        """[part, M] from the given places to all; exactly 0 to the same track."""
        own = self.tracks[self._index(part)]
        found = self._power(self.unit[own] @ self.unit.T)
        found.scatter_(1, own[:, None], 0)
        return found if len(self.unit) == len(self) else found[:, self.tracks]

    def pairs(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """[P] between places ``left`` and ``right``; exactly 0 between the same track."""
        found = [np.zeros(0, dtype=np.float32)]
        for part in _parts(len(left), 4 * self.unit.shape[1]):
            a = self.tracks[self._index(left[part])]
            b = self.tracks[self._index(right[part])]
            near = self._power((self.unit[a] * self.unit[b]).sum(1))
            found.append(near.masked_fill_(a == b, 0).cpu().numpy())
        return np.concatenate(found)

    def _index(self, places: np.ndarray) -> Tensor:
        return torch.from_numpy(places.astype(np.int64)).to(self.device)

    def _power(self, cosine: Tensor) -> Tensor:
        squared = cosine.mul_(-2).add_(2).clamp_min_(0)
        return squared.square_() if self.fourth else squared


@dataclass(frozen=True, eq=False)
class _Nearest:
    """The nearest of each of M tracks, nearest first.

    Attributes:
        places: [M, k] places in the pool.
        distances: [M, k] to them, divided by the largest.
        largest: [M] largest distance to any track.
    """

    places: np.ndarray
    distances: np.ndarray
    largest: np.ndarray


def _nearest(tracks: _Pool, k: int) -> _Nearest:
    """The k nearest of each track; as published, what is compared is divided by the largest."""
    found = []
    for part in _parts(len(tracks), len(tracks)):
        distances = tracks.distances(part)
        largest = distances.amax(1)
        largest[largest == 0] = 1  # nothing but copies of one vector
        distances.div_(largest[:, None])
        places = _smallest(distances, min(k, len(tracks)))
        near = distances.gather(1, torch.from_numpy(places).to(distances.device))
        found.append((places, near.cpu().numpy(), largest.cpu().numpy()))
    return _Nearest(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _smallest(distances: Tensor, k: int) -> np.ndarray:
    """Columns of the k smallest of each row, in (distance, column) order, [rows, k]."""
    if k == distances.shape[1]:
        return distances.sort(dim=1, stable=True).indices.cpu().numpy()
    values, columns = distances.topk(k + 1, largest=False)  # of equal ones, any
    columns = columns[:, :k].sort(1).values
    order = distances.gather(1, columns).sort(dim=1, stable=True).indices
    columns = columns.gather(1, order).cpu().numpy()
    open_ended = (values[:, k - 1] == values[:, k]).nonzero()[:, 0]
    tied = distances[open_ended].cpu().numpy()
    for row, line, last in zip(
        open_ended.tolist(), tied, values[open_ended, k].tolist(), strict=True
    ):
        near = np.flatnonzero(line <= np.float32(last))
        columns[row] = near[np.argsort(line[near], kind="stable")[:k]]
    return columns


def _members(nearest: np.ndarray, k1: int) -> sp.csr_array:
    """[M, M], not 0 where a track is in another's completed k1-reciprocal neighbourhood.

    A neighbour's own neighbourhood, of half the size, joins if more than two thirds of it are in
    already.
    """
    near = _mutual(nearest[:, : k1 + 1])
    half = _mutual(nearest[:, : round(k1 / 2) + 1])  # round to even, as numpy's around
    size = half.sum(axis=1)
    shared = near.multiply(near @ half.T).tocoo()
    joins = 3 * shared.data > 2 * size[shared.col]
    joining = sp.csr_array(
        (shared.data[joins], (shared.row[joins], shared.col[joins])), shape=near.shape
    )
    return (near + joining @ half).tocsr()


def _mutual(nearest: np.ndarray) -> sp.csr_array:
    """[M, M], 1 where two tracks are among each other's nearest."""
    count, k = nearest.shape
    ends = np.arange(0, nearest.size + 1, k)
    among = sp.csr_array(
        (np.ones(nearest.size, dtype=np.int32), nearest.ravel(), ends), shape=(count, count)
    )
    return among.multiply(among.T).tocsr()


def _weights(tracks: _Pool, members: sp.csr_array, nearest: _Nearest) -> sp.csr_array:
    """[M, M] float32: exp(−d) of each track's members, their sum 1."""
    count = len(tracks)
    rows = np.repeat(np.arange(count), np.diff(members.indptr))
    cells = rows * count + members.indices
    known = (np.arange(count)[:, None] * count + nearest.places).ravel()
    order = np.argsort(known)
    at = order[np.searchsorted(known, cells, sorter=order).clip(max=len(known) - 1)]
    distances = nearest.distances.ravel()[at]
    far = np.flatnonzero(known[at] != cells)  # joined from a neighbour, not among its own nearest
    joined = tracks.pairs(rows[far], members.indices[far])
    distances[far] = joined / nearest.largest[rows[far]]
    weights = np.exp(-distances)
    weights /= np.bincount(rows, weights, minlength=count)[rows]
    return sp.csr_array((weights, members.indices, members.indptr), shape=members.shape)


def _average(weights: sp.csr_array, nearest: np.ndarray) -> sp.csr_array:
    """Mean of the weights of each track's nearest."""
    count, k = nearest.shape
    share = np.full(nearest.size, 1 / k, dtype=np.float32)
    mean = sp.csr_array(
        (share, nearest.ravel(), np.arange(0, nearest.size + 1, k)), shape=(count, count)
    )
    return mean @ weights


def _jaccard(weights: sp.csr_array, place: int, columns: sp.csc_array) -> np.ndarray:
    """Jaccard distance of one track's weights to those of all that have a row in ``columns``.

    Weights of a track have sum 1, so that with s, the sum of the smaller of two weights over all
    members, the union is 2 − s. Only members with a weight are visited.
    """
    own = slice(weights.indptr[place], weights.indptr[place + 1])
    members, values = weights.indices[own], weights.data[own]
    starts = columns.indptr[members]
    counts = columns.indptr[members + 1] - starts
    shift = starts - np.cumsum(counts) + counts
    visited = np.arange(counts.sum()) + np.repeat(shift, counts)
    smaller = np.minimum(columns.data[visited], np.repeat(values, counts))
    shared = np.bincount(columns.indices[visited], smaller, minlength=columns.shape[0])
    return 1 - shared / (2 - shared)


def _parts(count: int, width: int) -> Iterator[np.ndarray]:
    """0 … count − 1 in parts of as many as fit if each takes ``width`` cells."""
    step = max(1, BLOCK_CELLS // max(1, width))
    for start in range(0, count, step):
        yield np.arange(start, min(start + step, count))
