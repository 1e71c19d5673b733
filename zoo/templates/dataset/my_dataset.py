"""Tracklets in folders that are called by person, camera and number; a list says who is trained on.

Written by ``zoo new dataset``: put the layout of your own files in the place of this one. Names are
read in sorted order, everything is checked against its place, nothing is downloaded.
"""

import re
from pathlib import Path

from benchmark.datasets.base import Dataset, Tracklet, fingerprint
from benchmark.datasets.folders import grammatical_images, subfolders
from benchmark.datasets.kind import DatasetKind
from benchmark.files import sha256

TRACK = re.compile(r"(?P<person>\d+)_c(?P<camera>\d+)_\d+")
FRAME = re.compile(r"(?P<frame>\d+)\.(jpg|png)")
LAYOUT = """
DIR/
  train.txt                           a person's number a line: who is trained on
  tracks/0001_c1_01/0001.jpg          <person>_c<camera>_<number>/<frame>.jpg or .png
"""


def my_dataset(root: Path, *, query_camera: int = 1) -> Dataset:
    """Read a copy: names and numbers, no pixels.

    Args:
        root: folder that holds ``train.txt`` and ``tracks``.
        query_camera: whose test tracklets are the queries.

    Raises:
        FileNotFoundError: a file or folder is missing; the message names it.
        ValueError: a name or a line does not fit, or nobody is left to train on or to search for.
    """
    split, folder = root / "train.txt", root / "tracks"
    for path in (split, folder):
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: `zoo data layout my_dataset` shows it")
    trained, lines = _persons(split), [sha256(split)]
    train: list[Tracklet] = []
    test: list[Tracklet] = []
    for path in subfolders(folder):
        found = _tracklet(path, lines)
        (train if found.pid in trained else test).append(found)
    query = tuple(row for row, found in enumerate(test) if found.camid == query_camera)
    if not train or not query:
        lacking = f"of a person in {split}" if not train else f"for the test from c{query_camera}"
        raise ValueError(f"{folder} holds no tracklet {lacking}")
    return Dataset(
        name="my_dataset",
        train=tuple(train),
        test=tuple(test),
        query=query,
        fingerprint=fingerprint(lines),
        protocol="open",
    )


def _persons(split: Path) -> set[int]:
    words = split.read_text(encoding="utf-8").split()
    odd = next((word for word in words if not word.isdecimal()), None)
    if odd is not None:
        raise ValueError(f"{split} holds {odd[:40]!r}, expected a person's number a line")
    return set(map(int, words))


def _tracklet(path: Path, lines: list[str]) -> Tracklet:
    """The tracklet of a folder; its files are added to ``lines``, which the fingerprint is of."""
    match = TRACK.fullmatch(path.name)
    if match is None:
        raise ValueError(f"{path} is not called like 0001_c1_01: rename it or take it away")
    images = grammatical_images(path, FRAME, "0001.jpg", {})
    lines += [f"{path.name}/{name} {size}" for name, size in images]
    frames = tuple(name for name, _ in images)
    return Tracklet(int(match["person"]), int(match["camera"]), str(path), frames)


DATASETS = (DatasetKind(open=my_dataset, layout=LAYOUT, frame_number=FRAME),)
