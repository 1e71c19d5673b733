"""Distances of right and wrong pairs, and accuracy by pair of cameras, from a run's vectors."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from benchmark import embed
from benchmark.datasets.base import JUNK
from benchmark.embed import ClipEmbeddings
from benchmark.label import Label
from benchmark.progress import SILENT, Progress
from benchmark.ranking import Embeddings, distance_blocks
from benchmark.recipe import DISTANCES, Evaluation
from benchmark.record import Record
from benchmark.rules import PROTOCOLS
from reports.read.compared import Distances
from zoo.tools.compared_runs import Member

_BINS = 100
_FARTHEST = 2.0  # of the cosine distance


@dataclass
class Tally:
    """What adds up over the runs of a system; empty at first.

    Attributes:
        edges: [B + 1] of the bins of distances.
        right: [B] pairs of one person; ``wrong``: [B] of two.
        pairs: by query and gallery camera: AP and whether rank 1 is right, one entry a query.
    """

    edges: np.ndarray | None = None
    right: np.ndarray = field(default_factory=lambda: np.zeros(_BINS, dtype=np.int64))
    wrong: np.ndarray = field(default_factory=lambda: np.zeros(_BINS, dtype=np.int64))
    pairs: dict[tuple[int, int], list[tuple[float, bool]]] = field(default_factory=dict)

    def distances(self) -> Distances | None:
        """Both histograms; None where nothing was added."""
        if self.edges is None:
            return None
        return Distances(edges=self.edges, right=self.right, wrong=self.wrong)

    def cameras(self, runs: int) -> pd.DataFrame | None:
        """One row a pair of cameras, see `reports.read.compared.System`; None without cameras."""
        if not self.pairs:
            return None
        rows = []
        for (query, gallery), found in sorted(self.pairs.items()):
            ap, first = np.array(found).T
            numbers = {"queries": len(found) // runs, "mAP": ap.mean(), "R1": first.mean()}
            rows.append({"query": query, "gallery": gallery, **numbers})
        return pd.DataFrame(rows)

    def add(self, member: Member, record: Record, progress: Progress = SILENT) -> None:
        """Add a run.

        Raises:
            FileNotFoundError: its vectors have gone.
        """
        label = Label.parse(record.label)
        evaluation = Evaluation(frames=label.frames, distance=label.distance)
        path = member.folder.embeddings(member.spec.trained_by(evaluation).rule)
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing")
        found = embed.load(path)
        queries = pd.read_csv(member.folder.records / str(record.per_query))["query"].to_numpy(
            copy=True
        )
        self._rank(found, queries, label, progress)

    def _rank(
        self, found: ClipEmbeddings, queries: np.ndarray, label: Label, progress: Progress
    ) -> None:
        kind, space = DISTANCES[label.distance]
        tracks = found.pooled(space)
        order = PROTOCOLS[label.protocol].gallery_rows(tracks.pids, np.asarray(found.query))
        order = order[tracks.pids[order] != JUNK]
        done = 0
        for rows, block in distance_blocks(tracks.vectors, queries, kind, cells=4_000_000):
            farthest = _FARTHEST if kind == "cosine" else float(block.max())
            edges = np.linspace(0, farthest, _BINS + 1) if self.edges is None else self.edges
            self.edges = edges
            for row, distances in zip(rows.tolist(), block, strict=True):
                self._add_query(row, distances, order, edges, tracks)
            done += len(rows)
            progress.advance("distances", done, len(queries))

    def _add_query(
        self,
        row: int,
        distances: np.ndarray,
        order: np.ndarray,
        edges: np.ndarray,
        tracks: Embeddings,
    ) -> None:
        pids, camids = tracks.pids, tracks.camids
        own = order == row if camids is None else camids[order] == camids[row]
        kept = order[~(own & (pids[order] == pids[row]))]
        kept = kept[np.argsort(distances[kept], kind="stable")]
        right = pids[kept] == pids[row]
        near = np.clip(distances[kept], 0, edges[-1])
        self.right += np.histogram(near[right], edges)[0]
        self.wrong += np.histogram(near[~right], edges)[0]
        if camids is None:
            return
        for camera in np.unique(camids[kept[right]]):
            hits = right[camids[kept] == camera]
            ranks = 1 + np.nonzero(hits)[0]
            precision = np.arange(1, len(ranks) + 1) / ranks
            pair = (int(camids[row]), int(camera))
            self.pairs.setdefault(pair, []).append((float(precision.mean()), bool(hits[0])))
