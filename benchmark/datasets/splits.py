"""What iLIDS-VID and PRID-2011 share: two cameras, one track of a person in each, ten halvings.

The query is the first camera, the gallery the second; results are means over the splits.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmark.datasets.base import Dataset, Tracklet
from benchmark.datasets.matlab import table

Half = tuple[int, ...]  # person numbers, ascending


def choose_split(splits: Sequence[tuple[Half, Half]], split: int) -> tuple[Half, Half]:
    """``(test, train)`` persons of the split with that number, from 0.

    Raises:
        ValueError: there is no such split.
    """
    if not 0 <= split < len(splits):
        raise ValueError(f"split is {split}, expected 0..{len(splits) - 1}")
    return splits[split]


def ranked_splits(path: Path, persons: Sequence[int], origin: str) -> list[tuple[Half, Half]]:
    """``(test, train)`` persons of every row of ``ls_set``.

    A row holds ranks, from 1, in the sorted list of persons; its first half is tested on, its
    second half is trained on.

    Args:
        path: a MATLAB file.
        persons: their numbers, ascending.
        origin: where one gets the file from.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is broken, or was made for another number of persons.
    """
    ranks = table(path, "ls_set", origin)
    if ranks.ndim != 2 or 0 in ranks.shape:
        raise ValueError(f"{path}: ls_set has shape {ranks.shape}, expected [splits, persons]")
    count = ranks.shape[1]
    if count != len(persons):
        raise ValueError(
            f"{path}: ls_set ranks {count} persons, here are {len(persons)}: "
            f"{'some are missing' if count > len(persons) else 'some are too many'}"
        )
    odd = (np.sort(ranks, axis=1) != np.arange(1, count + 1)).any(axis=1).nonzero()[0]
    if len(odd):
        raise ValueError(
            f"{path}: row {odd[0] + 1} of ls_set does not hold each of 1..{count} once: {origin}"
        )
    numbers = np.asarray(persons)[ranks - 1]  # [splits, persons]
    half = count // 2
    return [
        (tuple(sorted(row[:half].tolist())), tuple(sorted(row[half:].tolist()))) for row in numbers
    ]


def assemble(
    name: str,
    tracks: Sequence[Mapping[int, Tracklet]],
    halves: tuple[Half, Half],
    *,
    split: int,
    splits: int,
    fingerprint: str,
    protocol: str,
    notes: tuple[str, ...],
) -> Dataset:
    """The data set of one split.

    Args:
        name: of the data set.
        tracks: the tracklet of each person, in the first and in the second camera.
        halves: ``(test, train)`` persons.
        split: number of the split.
        splits: how many there are.
        fingerprint: of all persons, the same for every split.
        protocol: named rules.
        notes: for the reader of results.
    """
    test, train = halves
    return Dataset(
        name=name,
        train=tuple(camera[person] for person in train for camera in tracks),
        test=tuple(camera[person] for camera in tracks for person in test),
        query=tuple(range(len(test))),
        fingerprint=fingerprint,
        protocol=protocol,
        split=split,
        splits=splits,
        notes=notes,
    )
