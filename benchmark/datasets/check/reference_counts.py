"""Counts a copy of a data set, and compares that with the published counts of its kind."""

from collections.abc import Mapping

from benchmark.datasets.base import DISTRACTOR, JUNK, Dataset, Tracklet


def count(dataset: Dataset) -> dict[str, int]:
    """Persons, tracklets and frames of every part, and cameras; junk and distractors are nobody."""
    parts = {
        "train": dataset.train,
        "test": dataset.test,
        "query": tuple(dataset.test[row] for row in dataset.query),
    }
    counts: dict[str, int] = {}
    for part, tracklets in parts.items():
        counts[f"{part} persons"] = len({t.pid for t in tracklets} - {JUNK, DISTRACTOR})
        counts[f"{part} tracklets"] = len(tracklets)
        counts[f"{part} frames"] = sum(map(len, tracklets))
    counts["junk tracklets"] = _with_pid(dataset.test, JUNK)
    counts["distractor tracklets"] = _with_pid(dataset.test, DISTRACTOR)
    counts["cameras"] = len({t.camid for part in parts.values() for t in part} - {0})
    return counts


def _with_pid(tracklets: tuple[Tracklet, ...], pid: int) -> int:
    return sum(t.pid == pid for t in tracklets)


def claims_to_be(reference: Mapping[str, int], counts: Mapping[str, int]) -> bool:
    """True if at least half of a copy's counts are the published ones.

    Such a copy is meant to be the official set, and what differs is wrong; of any other data in
    the same layout it is just a difference. Cameras do not vote: their number is easily the same.

    Args:
        reference: the published counts, some of those that `count` makes; none if there are none.
        counts: of the copy.
    """
    voting = {name: number for name, number in reference.items() if name != "cameras"}
    same = sum(counts.get(name) == number for name, number in voting.items())
    return bool(voting) and 2 * same >= len(voting)
