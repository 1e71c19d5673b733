"""Several data sets as one: trained on the identities of all, tested on the first's."""

from collections.abc import Sequence
from dataclasses import replace

from benchmark.datasets.base import Dataset, Tracklet, fingerprint


def join(datasets: Sequence[Dataset], name: str) -> Dataset:
    """Training parts one after the other, persons and cameras renumbered where they would clash.

    The first data set keeps its numbers, its test part, its protocol and its splits; the numbers of
    every other one are moved above all numbers before it.

    Args:
        datasets: two or more, opened.
        name: of the whole.

    Raises:
        ValueError: one is there twice, or has nothing to train on.
    """
    first = datasets[0]
    if len({dataset.name for dataset in datasets}) < len(datasets):
        raise ValueError(f"{name} joins a data set with itself: name each once")
    pids = max((t.pid for t in (*first.train, *first.test)), default=0)
    cameras = max((t.camid for t in (*first.train, *first.test)), default=0)
    train = list(first.train)
    for dataset in datasets[1:]:
        if not dataset.train:
            raise ValueError(f"{dataset.name} has nothing to train on: leave it out")
        moved = [_moved(t, pids, cameras) for t in dataset.train]
        pids = max(t.pid for t in moved)
        cameras = max(cameras, *(t.camid for t in moved))
        train += moved
    return replace(
        first,
        name=name,
        train=tuple(train),
        fingerprint=fingerprint(f"{d.name} {d.split} {d.fingerprint}" for d in datasets),
        notes=tuple(dict.fromkeys(note for dataset in datasets for note in dataset.notes)),
    )


def _moved(tracklet: Tracklet, pids: int, cameras: int) -> Tracklet:
    """The tracklet with numbers above those given; an unknown camera stays unknown."""
    camid = tracklet.camid + cameras if tracklet.camid else 0
    return replace(tracklet, pid=tracklet.pid + pids, camid=camid)
