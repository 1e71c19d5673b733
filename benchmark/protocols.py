"""From embeddings to scores, under one protocol or several.

The protocols themselves stand in `benchmark.rules`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import pandas as pd

from benchmark import metrics
from benchmark import rerank as reranking
from benchmark.k_reciprocal import reranked_blocks
from benchmark.metrics import METRICS, STANDARD
from benchmark.ranking import Embeddings, Gallery, check_distance, distance_blocks, match_ranks
from benchmark.rules import PROTOCOLS, Protocol
from benchmark.variants import choose

CMC_LENGTH = 50


@dataclass(frozen=True, eq=False)
class Scores:
    """What one protocol says of one set of embeddings.

    Attributes:
        values: metrics by name, in [0, 1]: R1, R5, R10, R20, mAP, mINP, and those of one's own.
        cmc: [50] share of counted queries whose first match has rank ≤ k+1.
        queries: queries that count.
        dropped: queries without a match.
        gallery: gallery tracks.
        per_query: DataFrame ``query`` (row), ``pid``, ``AP``, ``INP``, ``first`` (rank of the first
            match), ``matches``.
    """

    values: dict[str, float]
    cmc: np.ndarray
    queries: int
    dropped: int
    gallery: int
    per_query: pd.DataFrame

    @property
    def mAP(self) -> float:
        """Mean AP, in [0, 1]."""
        return self.values["mAP"]

    @property
    def mINP(self) -> float:
        """Mean INP, in [0, 1]."""
        return self.values["mINP"]


@overload
def score(
    test: Embeddings,
    query: Sequence[int] | np.ndarray,
    protocol: str = "mars-official",
    distance: str = "cosine",
    rerank: str | None = None,
) -> Scores: ...


@overload
def score(
    test: Embeddings,
    query: Sequence[int] | np.ndarray,
    protocol: list[str] | tuple[str, ...],
    distance: str = "cosine",
    rerank: str | None = None,
) -> dict[str, Scores]: ...


def score(
    test: Embeddings,
    query: Sequence[int] | np.ndarray,
    protocol: str | list[str] | tuple[str, ...] = "mars-official",
    distance: str = "cosine",
    rerank: str | None = None,
) -> Scores | dict[str, Scores]:
    """Score test embeddings under one protocol, or several in one pass over the distances.

    Args:
        test: every test track, in the data set's order; the protocol decides who is in the gallery.
        query: rows of ``test`` that are queries.
        protocol: a name, or a list of names.
        distance: ``cosine`` or ``euclidean``.
        rerank: ``kr(20,6,0.3)``, ``kr-torchreid(…)`` or ``kr-dup(…)``, see `benchmark.rerank`: the
            distances are re-ranked, among the queries and the protocol's whole gallery, its junk
            included; the rules stay.

    Returns:
        `Scores`, or a dict of them by name if ``protocol`` is a list.

    Raises:
        LookupError: unknown protocol.
        ValueError: no query has a match, or one has none where the protocol forbids that; a query
            row is not there or listed twice; no such distance or re-ranking.
    """
    names = [protocol] if isinstance(protocol, str) else list(protocol)
    chosen = [choose(name, PROTOCOLS, "protocol") for name in names]
    query = np.asarray(query, dtype=np.int64)
    if len(query) == 0 or query.min() < 0 or query.max() >= len(test.pids):
        raise ValueError(f"query rows must be one or more of 0..{len(test.pids) - 1}")
    if len(np.unique(query)) < len(query):
        raise ValueError("a query row is listed twice")
    check_distance(distance)
    galleries = [Gallery(order=p.gallery_rows(test.pids, query), cut=p.cut) for p in chosen]
    if rerank is None:
        ranks = match_ranks(test, galleries, distance_blocks(test.vectors, query, distance))
    else:
        ranks = _reranked(test, query, galleries, reranking.parse(rerank))
    scores = {
        name: _scores(p, query, test.pids, r, len(gallery.order))
        for name, p, r, gallery in zip(names, chosen, ranks, galleries, strict=True)
    }
    return scores[protocol] if isinstance(protocol, str) else scores


def _reranked(
    test: Embeddings, query: np.ndarray, galleries: list[Gallery], how: reranking.Reranking
) -> list[np.ndarray]:
    """Ranks as of `match_ranks`; galleries of the same tracks are re-ranked once."""
    pools = [reranking.pool(query, gallery.order, how.kind) for gallery in galleries]
    keys = [pool.tobytes() for pool in pools]
    ranks: dict[int, np.ndarray] = {}
    for key in dict.fromkeys(keys):
        same = [i for i, k in enumerate(keys) if k == key]
        blocks = reranked_blocks(test.vectors, query, pools[same[0]], how)
        ranks |= zip(same, match_ranks(test, [galleries[i] for i in same], blocks), strict=True)
    return [ranks[i] for i in range(len(galleries))]


def _scores(
    protocol: Protocol, query: np.ndarray, pids: np.ndarray, ranks: np.ndarray, gallery: int
) -> Scores:
    matched = (ranks > 0).any(1)
    dropped = int((~matched).sum())
    if dropped and protocol.unmatched == "error":
        raise ValueError(
            f"{dropped} of {len(query)} queries have no match in the gallery, the first is "
            f"row {query[~matched][0]}: {protocol.name} does not allow that; mars-ap3d, "
            "mars-torchreid and open skip them"
        )
    if not matched.any():
        raise ValueError(
            f"none of {len(query)} queries has a match in the gallery of {gallery} tracks"
        )
    query, ranks = query[matched], ranks[matched]
    ap = metrics.average_precision(ranks, protocol.ap)
    per_query = {name: metric(ranks) for name, metric in METRICS.items()}
    means = {name: float(np.mean(found)) for name, found in per_query.items()}
    own = {name: per_query[name] for name in METRICS if name not in STANDARD}
    return Scores(
        values={
            **{name: value for name, value in means.items() if name.startswith("R")},
            "mAP": float(ap.mean()),
            **means,
        },
        cmc=metrics.cmc(ranks[:, 0], CMC_LENGTH),
        queries=len(query),
        dropped=dropped,
        gallery=gallery,
        per_query=pd.DataFrame(
            {
                "query": query,
                "pid": pids[query],
                "AP": ap,
                "INP": per_query["mINP"],
                "first": ranks[:, 0],
                "matches": (ranks > 0).sum(1),
                **own,
            }
        ),
    )
