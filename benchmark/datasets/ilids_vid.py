"""iLIDS-VID (Wang et al., ECCV 2014): 300 persons, two cameras, ten splits into 150 and 150.

``sequences/cam1/person001/cam1_person001_00317.png``; frame numbers are the camera's own and do not
begin at 1. The split file ranks the sorted person folders, whose numbers have gaps.
"""

import re
from pathlib import Path

from benchmark.datasets.base import Dataset, Tracklet, fingerprint
from benchmark.datasets.folders import find_file, find_home, grammatical_images, subfolders
from benchmark.datasets.kind import DatasetKind
from benchmark.datasets.splits import assemble, choose_split, ranked_splits
from benchmark.files import sha256

NESTED = ("i-LIDS-VID", "iLIDS-VID", "ilids-vid", "ilids_vid")
SPLITS = "train_test_splits_ilidsvid.mat"
PLACES = (f"train-test people splits/{SPLITS}", SPLITS)
ORIGIN = "it comes with iLIDS-VID, in 'train-test people splits/'"
PERSON = re.compile(r"person(\d{3})")
NAME = re.compile(r"cam(?P<camera>\d)_person(?P<person>\d{3})_(?P<frame>\d{5})\.png")
EXAMPLE = "cam1_person001_00317.png"
PERSONS = 300  # of the official set
LAYOUT = """
DIR/
  i-LIDS-VID/                         also one more level of it, or none
    sequences/
      cam1/person001/cam1_person001_00317.png     300 persons
      cam2/person001/cam2_person001_00100.png     the same 300
  train-test people splits/           also inside i-LIDS-VID/
    train_test_splits_ilidsvid.mat    10 splits into 150 and 150
"""
COUNTS = {
    "train persons": 150,
    "train tracklets": 300,
    "test persons": 150,
    "test tracklets": 300,
    "query persons": 150,
    "query tracklets": 150,
    "cameras": 2,
}


def ilids_vid(root: Path, *, split: int = 0) -> Dataset:
    """Read iLIDS-VID: the first half of a split is tested on, camera 1 against camera 2.

    Args:
        root: folder that holds ``i-LIDS-VID/`` and ``train-test people splits/``.
        split: 0..9.

    Raises:
        FileNotFoundError: a folder, the split file or an image is missing.
        ValueError: names, folders and the split file contradict each other.
    """
    home = find_home(root, NESTED, ("sequences",))
    if home is None:
        raise FileNotFoundError(
            f"{root} holds no sequences/: expected i-LIDS-VID/sequences/cam1/person001/{EXAMPLE}"
        )
    path = find_file(root, home, PLACES)
    if path is None:
        raise FileNotFoundError(f"{root / PLACES[0]} is missing: {ORIGIN}")
    lines: list[str] = []
    tracks = [_camera(home / "sequences", camera, lines) for camera in (1, 2)]
    lone = sorted(tracks[0].keys() ^ tracks[1].keys())
    if lone:
        camera = 1 if lone[0] in tracks[1] else 2
        raise FileNotFoundError(
            f"{home / 'sequences' / f'cam{camera}' / f'person{lone[0]:03}'} is missing: every "
            "person has a track in each camera"
        )
    persons = sorted(tracks[0])
    splits = ranked_splits(path, persons, ORIGIN)
    halves = choose_split(splits, split)
    other = f"{len(persons)} persons, iLIDS-VID has {PERSONS}"
    return assemble(
        "ilids_vid",
        tracks,
        halves,
        split=split,
        splits=len(splits),
        fingerprint=fingerprint([sha256(path), *lines]),
        protocol="ilids-10",
        notes=() if len(persons) == PERSONS else (other,),
    )


def _camera(sequences: Path, camera: int, lines: list[str]) -> dict[int, Tracklet]:
    """The track of each person in one camera; its files are added to ``lines``."""
    folder = sequences / f"cam{camera}"
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing: iLIDS-VID has cam1 and cam2")
    tracks = {}
    for path in subfolders(folder):
        match = PERSON.fullmatch(path.name)
        if match is None:
            raise ValueError(f"{path} is not called like person001: rename it or take it away")
        expected = {"camera": str(camera), "person": match[1]}
        images = grammatical_images(path, NAME, EXAMPLE, expected)
        lines += [f"{name} {size}" for name, size in images]
        tracks[int(match[1])] = Tracklet(
            int(match[1]), camera, str(path), tuple(name for name, _ in images)
        )
    if len(tracks) < 2:
        raise FileNotFoundError(f"{folder} holds {len(tracks)} persons: expected 2 or more")
    return tracks


ILIDS_VID = DatasetKind(
    open=ilids_vid,
    layout=LAYOUT,
    reference_counts={"ilids_vid": COUNTS},
    splits=10,
    parts=lambda folders: {folder.parent for folder in folders},
)
