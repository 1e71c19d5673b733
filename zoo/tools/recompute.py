"""A record's numbers again: from its per-query table, and from the embeddings."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark import metrics
from benchmark.datasets.base import DISTRACTOR, JUNK
from benchmark.embed import ClipEmbeddings
from benchmark.label import Label
from benchmark.protocols import score
from benchmark.recipe import DISTANCES
from benchmark.record import Record

ROUNDING = 1e-6  # of numbers that were written as text
RANKED_ELSEWHERE = 1e-3  # other processors round distances in another way, and neighbours swap
# what files that come from anybody can make arithmetic raise
BROKEN = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError)
_RANK = re.compile(r"R(\d+)")


def faults_of_table(record: Record, path: Path) -> Iterator[str]:
    """What of a record its per-query table does not say, in words.

    Args:
        record: with metrics and curve.
        path: of the table: ``query``, ``AP``, ``INP`` and ``first``, one row a counted query.
    """
    try:
        table = pd.read_csv(path)
        first = table["first"].to_numpy(dtype=np.int64)
        distinct = table["query"].nunique()
        columns = {"mAP": "AP", "mINP": "INP"} | {n: n for n in record.metrics if n in table}
        found = {name: table[column].astype(float).mean() for name, column in columns.items()}
    except BROKEN as error:
        yield f"{path.name} is no table of queries: {one_line(error)}"
        return
    if not len(table) == distinct == record.queries:
        yield f"{path.name} has {len(table)} rows of {distinct} queries, expected {record.queries}"
        return
    if first.min() < 1:
        yield f"{path.name} has a first match at rank {first.min()}: expected ranks from 1"
        return
    for name in record.metrics:
        if rank := _RANK.fullmatch(name):
            found[name] = (first <= int(rank[1])).mean()
    yield from _differences(record.metrics, found, ROUNDING, f"by {path.name}")
    curve = metrics.cmc(first, len(record.cmc))
    if len(curve) and not np.abs(curve - record.cmc).max() <= ROUNDING:
        yield f"cmc is not that of {path.name}"


def faults_of_ranks(record: Record, embeddings: ClipEmbeddings, name: str) -> Iterator[str]:
    """What of a record is not found when the test tracklets are ranked again, in words.

    Args:
        record: under a label that is known here.
        embeddings: of its test set, under its frame rule.
        name: of their file.
    """
    label = Label.parse(record.label)
    try:
        distance, space = DISTANCES[label.distance]
        tracks = embeddings.pooled(space)
        found = score(tracks, embeddings.query, label.protocol, distance, label.rerank)
    except BROKEN as error:
        yield f"cannot be ranked again from {name}: {one_line(error)}"
        return
    sizes = found.gallery, found.queries, found.dropped
    told = record.gallery, record.queries, record.dropped
    if sizes != told:
        yield (
            "gallery, queries and dropped are {}/{}/{}, ".format(*told)
            + "ranked again {}/{}/{}".format(*sizes)
        )
    yield from _differences(record.metrics, found.values, RANKED_ELSEWHERE, f"ranked from {name}")


def _differences(
    told: dict[str, float], found: dict[str, float], allowed: float, by: str
) -> Iterator[str]:
    for name, value in told.items():
        if name in found and not abs(found[name] - value) <= allowed:
            yield f"{name} is {100 * value:.2f}, {by} it is {100 * found[name]:.2f}"


def counted(embeddings: ClipEmbeddings) -> dict[str, int]:
    """Persons and tracklets of the test part, by the names of the published counts."""
    pids, asked = embeddings.pids, embeddings.pids[embeddings.query]
    nobody = [JUNK, DISTRACTOR]
    return {
        "test persons": len(np.setdiff1d(pids, nobody)),
        "test tracklets": len(pids),
        "query persons": len(np.setdiff1d(asked, nobody)),
        "query tracklets": len(asked),
        "junk tracklets": int((pids == JUNK).sum()),
        "distractor tracklets": int((pids == DISTRACTOR).sum()),
    }


def one_line(error: BaseException) -> str:
    """An error's message in one line; its kind where it says nothing."""
    return " ".join(str(error).split())[:200] or type(error).__name__
