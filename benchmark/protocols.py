"""Scoring rules, named and versioned: gallery, junk, form of AP, queries without a match.

A result's label is ``<protocol>@<version>/<distance>/<frames>[/rerank]``; results under two labels
are never compared silently. Where each rule comes from is told in docs/protocols.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmark import metrics
from benchmark import rerank as reranking
from benchmark.datasets.base import JUNK
from benchmark.ranking import Embeddings, Rules, check_distance, distance_blocks, match_ranks
from benchmark.variants import choose

CMC_LENGTH = 50


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """One set of rules; its fields are the rules.

    Attributes:
        name: e.g. ``mars-official``.
        version: raised whenever a number would move.
        queries: where queries stand in the gallery: ``inside`` (at their place), ``first`` or
            ``outside``.
        junk: True if rows of id -1 are in the gallery, as junk; False if they are dropped.
        ap: form of AP, ``trap`` or ``std`` (see `benchmark.metrics`).
        unmatched: a query without a match is an ``error``, or ``skip``: dropped and counted.
        cut: rows beyond this place of the unfiltered ranking are never retrieved.
        about: one line for people.
    """

    name: str
    version: int = 1
    queries: str
    junk: bool
    ap: str
    unmatched: str
    cut: int | None = None
    about: str

    def gallery(self, pids: np.ndarray, query: np.ndarray) -> np.ndarray:
        """Rows of the gallery in their order."""
        rows = np.arange(len(pids))
        rows = rows if self.junk else rows[pids != JUNK]
        if self.queries == "inside":
            return rows
        others = rows[~np.isin(rows, query)]
        return others if self.queries == "outside" else np.concatenate([query, others])

    def label(self, distance: str, frames: str, rerank: str | None = None) -> str:
        """The label of a result under these rules."""
        label = f"{self.name}@{self.version}/{distance}/{frames}"
        return label if rerank is None else f"{label}/{reranking.parse(rerank)}"


class Protocols(dict[str, Protocol]):
    """Protocols by name; an alias finds its protocol, but is not listed beside it."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(ALIASES.get(name, name))

    def __missing__(self, name: str) -> Protocol:
        return super().__getitem__(ALIASES[name])


ALIASES = {"mars-jiyanggao": "mars-torchreid", "mars-cosam": "mars-torchreid"}  # the same rules
PROTOCOLS = Protocols(
    (protocol.name, protocol)
    for protocol in (
        Protocol(
            name="mars-official",
            queries="inside",
            junk=True,
            ap="trap",
            unmatched="error",
            about="MARS's own evaluation: all tracks in the gallery, trapezoid AP",
        ),
        Protocol(
            name="mars-ste-nvan",
            queries="inside",
            junk=True,
            ap="trap",
            unmatched="error",
            cut=10_000,
            about="STE-NVAN's code: as the official one, ranking cut after 10,000 rows",
        ),
        Protocol(
            name="mars-ap3d",
            queries="first",
            junk=False,
            ap="std",
            unmatched="skip",
            about="AP3D's code: queries first, junk dropped, standard AP",
        ),
        Protocol(
            name="mars-torchreid",
            queries="outside",
            junk=False,
            ap="std",
            unmatched="skip",
            about="torchreid's code: queries and junk leave the gallery, unmatched queries skipped",
        ),
        Protocol(
            name="duke-folders",
            queries="inside",
            junk=True,
            ap="std",
            unmatched="skip",
            about="DukeMTMC-VideoReID: all of gallery/, which holds the queries, standard AP",
        ),
        Protocol(
            name="duke-ste-nvan",
            queries="inside",
            junk=True,
            ap="trap",
            unmatched="error",
            about="STE-NVAN's code on DukeMTMC-VideoReID: the same gallery, trapezoid AP",
        ),
        Protocol(
            name="ilids-10",
            queries="outside",
            junk=True,
            ap="std",
            unmatched="error",
            about="iLIDS-VID: camera 1 asks camera 2 for 150 persons, mean of 10 given splits",
        ),
        Protocol(
            name="prid178-10",
            queries="outside",
            junk=True,
            ap="std",
            unmatched="error",
            about="PRID-2011: camera a asks camera b for 89 of 178, mean of 10 given splits",
        ),
        Protocol(
            name="prid200-rand10",
            queries="outside",
            junk=True,
            ap="std",
            unmatched="error",
            about="PRID-2011: camera a asks camera b for 100 of 200, mean of 10 random splits",
        ),
        Protocol(
            name="open",
            queries="outside",
            junk=True,
            ap="std",
            unmatched="skip",
            about="data of one's own: every track that is no query, standard AP",
        ),
    )
)


@dataclass(frozen=True, eq=False)
class Scores:
    """What one protocol says of one set of embeddings.

    Attributes:
        mAP: mean AP, in [0, 1].
        mINP: mean INP, in [0, 1].
        cmc: [50] share of counted queries whose first match has rank ≤ k+1.
        queries: queries that count.
        dropped: queries without a match.
        gallery: gallery tracks.
        per_query: DataFrame ``query`` (row), ``pid``, ``AP``, ``INP``, ``first`` (rank of the first
            match), ``matches``.
    """

    mAP: float
    mINP: float
    cmc: np.ndarray
    queries: int
    dropped: int
    gallery: int
    per_query: pd.DataFrame

    def metrics(self) -> dict[str, float]:
        """R1, R5, R10, R20, mAP and mINP by name."""
        ranks = {f"R{k}": float(self.cmc[k - 1]) for k in (1, 5, 10, 20)}
        return {**ranks, "mAP": self.mAP, "mINP": self.mINP}


def score(
    test: Embeddings,
    query: Sequence[int],
    protocol: str | Sequence[str] = "mars-official",
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
    rules = [Rules(order=p.gallery(test.pids, query), cut=p.cut) for p in chosen]
    if rerank is None:
        ranks = match_ranks(test, rules, distance_blocks(test.vectors, query, distance))
    else:
        ranks = _reranked(test, query, rules, reranking.parse(rerank))
    scores = {
        name: _scores(p, query, test.pids, r, len(rule.order))
        for name, p, r, rule in zip(names, chosen, ranks, rules, strict=True)
    }
    return scores[protocol] if isinstance(protocol, str) else scores


def _reranked(
    test: Embeddings, query: np.ndarray, rules: list[Rules], how: reranking.Reranking
) -> list[np.ndarray]:
    """Ranks as of `match_ranks`; galleries of the same tracks are re-ranked once."""
    pools = [reranking.pool(query, rule.order, how.kind) for rule in rules]
    keys = [pool.tobytes() for pool in pools]
    ranks: dict[int, np.ndarray] = {}
    for key in dict.fromkeys(keys):
        same = [i for i, k in enumerate(keys) if k == key]
        blocks = reranking.reranked_blocks(test.vectors, query, pools[same[0]], how)
        ranks |= zip(same, match_ranks(test, [rules[i] for i in same], blocks), strict=True)
    return [ranks[i] for i in range(len(rules))]


def _scores(
    protocol: Protocol, query: np.ndarray, pids: np.ndarray, ranks: np.ndarray, gallery: int
) -> Scores:
    matched = (ranks > 0).any(1)
    dropped = int((~matched).sum())
    if dropped and protocol.unmatched == "error":
        raise ValueError(
            f"{dropped} of {len(query)} queries have no match in the gallery, the first is row "
            f"{query[~matched][0]}: {protocol.name} does not allow that; mars-ap3d, "
            f"mars-torchreid and open skip them"
        )
    if not matched.any():
        raise ValueError(
            f"none of {len(query)} queries has a match in the gallery of {gallery} tracks"
        )
    query, ranks = query[matched], ranks[matched]
    ap = metrics.average_precision(ranks, protocol.ap)
    first = ranks[:, 0]
    inp = metrics.inverse_negative_penalty(ranks)
    return Scores(
        mAP=float(ap.mean()),
        mINP=float(inp.mean()),
        cmc=metrics.cmc(first, CMC_LENGTH),
        queries=len(query),
        dropped=dropped,
        gallery=gallery,
        per_query=pd.DataFrame(
            {
                "query": query,
                "pid": pids[query],
                "AP": ap,
                "INP": inp,
                "first": first,
                "matches": (ranks > 0).sum(1),
            }
        ),
    )
