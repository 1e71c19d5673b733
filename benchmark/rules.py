"""Scoring rules, named and versioned: gallery, junk, form of AP, queries without a match.

Where each rule comes from is told in docs/protocols.md. One of one's own is a `Protocol`, put into
`PROTOCOLS` by ``zoo.register("protocol", …)`` or by a plugin.
"""

from dataclasses import dataclass

import numpy as np

from benchmark import rerank as reranking
from benchmark.datasets.base import JUNK
from benchmark.label import Label


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """One set of rules; its fields are the rules.

    Attributes:
        name: what it is called, e.g. ``mars-official``.
        version: raised whenever a number would move.
        queries: where queries stand in the gallery: ``inside`` (at their place), ``first`` or
            ``outside``.
        junk: True if rows of id -1 are in the gallery, as junk; False if they are dropped.
        ap: form of AP, ``trap`` or ``std`` (see `benchmark.metrics`).
        unmatched: a query without a match is an ``error``, or ``skip``: dropped and counted.
        cut: rows beyond this place of the unfiltered ranking are never retrieved.
        about: the rules in one line.
    """

    name: str
    version: int = 1
    queries: str
    junk: bool
    ap: str
    unmatched: str
    cut: int | None = None
    about: str

    def gallery_rows(self, pids: np.ndarray, query: np.ndarray) -> np.ndarray:
        """Rows of the gallery in their order."""
        rows = np.arange(len(pids))
        rows = rows if self.junk else rows[pids != JUNK]
        if self.queries == "inside":
            return rows
        others = rows[~np.isin(rows, query)]
        return others if self.queries == "outside" else np.concatenate([query, others])

    def label(self, distance: str, frames: str, rerank: str | None = None) -> Label:
        """The label of a result under these rules."""
        canonical = None if rerank is None else str(reranking.parse(rerank))
        return Label(self.name, self.version, distance, frames, canonical)


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
        Protocol(
            name="validation",
            queries="outside",
            junk=False,
            ap="std",
            unmatched="skip",
            about="held-out training identities, to choose epochs and settings by; standard AP",
        ),
    )
)
