"""Scoring rules, named and versioned: gallery, junk, form of AP, queries without a match.

A result's label is ``<protocol>@<version>/<distance>/<frames>[/rerank]``; results under two labels
are never compared silently. Where each rule comes from is told in docs/protocols.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmark import metrics
from benchmark.datasets.tracklet import JUNK
from benchmark.ranking import Embeddings, Rules, match_ranks
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

    def label(self, distance: str, frames: str) -> str:
        """The label of a result under these rules."""
        return f"{self.name}@{self.version}/{distance}/{frames}"


PROTOCOLS = {
    protocol.name: protocol
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
            name="open",
            queries="outside",
            junk=True,
            ap="std",
            unmatched="skip",
            about="data of one's own: every track that is no query, standard AP",
        ),
    )
}


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
        per_query: DataFrame ``query`` (row), ``AP``, ``first`` (rank of the first match),
            ``matches``.
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
) -> Scores | dict[str, Scores]:
    """Score test embeddings under one protocol, or several in one pass over the distances.

    Args:
        test: every test track, in the data set's order; the protocol decides who is in the gallery.
        query: rows of ``test`` that are queries.
        protocol: a name, or a list of names.
        distance: ``cosine`` or ``euclidean``.

    Returns:
        `Scores`, or a dict of them by name if ``protocol`` is a list.

    Raises:
        LookupError: unknown protocol.
        ValueError: no query has a match, or one has none where the protocol forbids that.
    """
    names = [protocol] if isinstance(protocol, str) else list(protocol)
    chosen = [choose(name, PROTOCOLS, "protocol") for name in names]
    query = np.asarray(query, dtype=np.int64)
    if len(query) == 0 or query.min() < 0 or query.max() >= len(test.pids):
        raise ValueError(f"query rows must be one or more of 0..{len(test.pids) - 1}")
    rules = [Rules(order=p.gallery(test.pids, query), cut=p.cut) for p in chosen]
    ranks = match_ranks(test, query, rules, distance)
    scores = {
        p.name: _scores(p, query, r, len(rule.order))
        for p, r, rule in zip(chosen, ranks, rules, strict=True)
    }
    return scores[protocol] if isinstance(protocol, str) else scores


def _scores(protocol: Protocol, query: np.ndarray, ranks: np.ndarray, gallery: int) -> Scores:
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
    return Scores(
        mAP=float(ap.mean()),
        mINP=float(metrics.inverse_negative_penalty(ranks).mean()),
        cmc=metrics.cmc(first, CMC_LENGTH),
        queries=len(query),
        dropped=dropped,
        gallery=gallery,
        per_query=pd.DataFrame(
            {"query": query, "AP": ap, "first": first, "matches": (ranks > 0).sum(1)}
        ),
    )
