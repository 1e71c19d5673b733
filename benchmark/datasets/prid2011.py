"""PRID-2011 (Hirzer et al., SCIA 2011): two cameras, 200 persons in both, 178 of them long enough.

``multi_shot/cam_a/person_0001/0001.png``. The video protocol takes the persons with 27 frames or
more in both cameras, and ten given splits into 89 and 89. Results on all 200 persons and random
halves are another protocol, not comparable with it.
"""

import json
import re
from pathlib import Path

import numpy as np

from benchmark.datasets.base import Dataset, Tracklet, fingerprint
from benchmark.datasets.folders import find_file, find_home, grammatical_images, subfolders
from benchmark.datasets.kind import DatasetKind
from benchmark.datasets.splits import Half, assemble, choose_split, ranked_splits
from benchmark.files import sha256

NESTED = ("prid_2011", "prid2011", "PRID2011", "PRID-2011", "prid")
JSON, MATLAB = "splits_prid2011.json", "train_test_splits_prid.mat"
PLACES = (JSON, MATLAB, f"train-test people splits/{MATLAB}")
ORIGIN = f"{MATLAB} comes with iLIDS-VID, in 'train-test people splits/'; {JSON} is made from it"
PERSON = re.compile(r"person_(\d{4})")
NAME = re.compile(r"(?P<frame>\d{4})\.png")
FEWEST = 27  # frames in either camera
SHARED = 200  # persons 1..200 are in both cameras
LEFT_OUT = frozenset(
    {6, 19, 31, 52, 57, 62, 71, 94, 106, 120, 136, 138}
    | {139, 142, 145, 158, 159, 166, 183, 190, 199, 200}
)
OFFICIAL = tuple(person for person in range(1, SHARED + 1) if person not in LEFT_OUT)
RANDOM_SPLITS = 10
LAYOUT = """
DIR/                                  also DIR/prid_2011/
  multi_shot/
    cam_a/person_0001/0001.png        385 persons
    cam_b/person_0001/0001.png        749 persons; 0001 to 0200 are in both
  splits_prid2011.json                10 splits into 89 and 89; or
  train_test_splits_prid.mat          the same, from iLIDS-VID's 'train-test people splits/';
                                      with prid2011[persons=200] neither is needed
"""
COUNTS = {
    "train persons": 89,
    "train tracklets": 178,
    "test persons": 89,
    "test tracklets": 178,
    "query persons": 89,
    "query tracklets": 89,
    "cameras": 2,
}
COUNTS_200 = {
    "train persons": 100,
    "train tracklets": 200,
    "test persons": 100,
    "test tracklets": 200,
    "query persons": 100,
    "query tracklets": 100,
    "cameras": 2,
}


def prid2011(root: Path, *, split: int = 0, persons: int = 178) -> Dataset:
    """Read PRID-2011: queries are from camera a, the gallery is camera b.

    Args:
        root: folder that holds ``multi_shot/`` (or ``prid_2011/multi_shot/``) and a split file.
        split: 0..9.
        persons: 178, with given splits, or 200, with random ones; the two are not comparable.

    Raises:
        FileNotFoundError: a folder, the split file or an image is missing.
        ValueError: names, folders and the split file contradict each other.
    """
    if persons not in (len(OFFICIAL), SHARED):
        raise ValueError(f"prid2011: persons is {persons}, expected {len(OFFICIAL)} or {SHARED}")
    home = find_home(root, NESTED, ("multi_shot",))
    if home is None:
        raise FileNotFoundError(
            f"{root} holds no multi_shot/: expected multi_shot/cam_a/person_0001/0001.png"
        )
    lines: list[str] = []
    tracks = [_camera(home / "multi_shot", camera, lines) for camera in (1, 2)]
    notes: tuple[str, ...] = ()
    if persons == SHARED:
        splits = _random_splits(home, tracks)
    else:
        path = find_file(root, home, PLACES)
        if path is None:
            raise FileNotFoundError(f"{root / JSON} is missing: {ORIGIN}")
        lines.insert(0, sha256(path))
        splits = _given_splits(path, home, tracks)
        counted = sum(map(len, splits[0]))
        if counted != len(OFFICIAL):
            notes = (f"{counted} persons, the protocol has {len(OFFICIAL)}",)
    return assemble(
        "prid2011",
        tracks,
        choose_split(splits, split),
        split=split,
        splits=len(splits),
        fingerprint=fingerprint(lines),
        protocol="prid200-rand10" if persons == SHARED else "prid178-10",
        notes=notes,
    )


def _camera(shots: Path, camera: int, lines: list[str]) -> dict[int, Tracklet]:
    """The track of each person up to 200 in one camera; its files are added to ``lines``."""
    folder = shots / f"cam_{' ab'[camera]}"
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing: PRID-2011 has cam_a and cam_b")
    tracks = {}
    for path in subfolders(folder):
        match = PERSON.fullmatch(path.name)
        if match is None:
            raise ValueError(f"{path} is not called like person_0001: rename it or take it away")
        if int(match[1]) > SHARED:  # seen by this camera only
            continue
        images = grammatical_images(path, NAME, "0001.png", {})
        lines += [f"{folder.name}/{path.name}/{name} {size}" for name, size in images]
        tracks[int(match[1])] = Tracklet(
            int(match[1]), camera, str(path), tuple(name for name, _ in images)
        )
    return tracks


def _random_splits(home: Path, tracks: list[dict[int, Tracklet]]) -> list[tuple[Half, Half]]:
    """Ten halves of the 200 persons, drawn with the split's number as seed."""
    for letter, camera in zip("ab", tracks, strict=True):
        missing = next((p for p in range(1, SHARED + 1) if p not in camera), None)
        if missing:
            raise FileNotFoundError(
                f"{home / 'multi_shot' / f'cam_{letter}' / f'person_{missing:04}'} is missing: "
                f"persons={SHARED} needs person_0001 to person_{SHARED:04} in both cameras"
            )
    drawn = [
        (np.random.RandomState(seed).permutation(SHARED) + 1).tolist()  # a stream frozen for good
        for seed in range(RANDOM_SPLITS)
    ]
    half = SHARED // 2
    return [(tuple(sorted(row[:half])), tuple(sorted(row[half:]))) for row in drawn]


def _given_splits(
    path: Path, home: Path, tracks: list[dict[int, Tracklet]]
) -> list[tuple[Half, Half]]:
    both = sorted(tracks[0].keys() & tracks[1].keys())
    if path.name == JSON:
        splits = _json_splits(path)
        listed = sorted({person for halves in splits for half in halves for person in half})
        for letter, camera in zip("ab", tracks, strict=True):
            missing = next((person for person in listed if person not in camera), None)
            if missing:
                raise FileNotFoundError(
                    f"{home / 'multi_shot' / f'cam_{letter}' / f'person_{missing:04}'} is "
                    f"missing: {path.name} lists it"
                )
        return splits
    long = [p for p in both if min(len(camera[p]) for camera in tracks) >= FEWEST]
    try:
        return ranked_splits(path, long, ORIGIN)
    except ValueError as error:
        odd = min(set(OFFICIAL) ^ set(long), default=None)
        if odd is None or len(both) != SHARED:
            raise
        rule = "or more, it should have fewer" if odd in long else "not in both, images are missing"
        raise ValueError(f"{error}; person_{odd:04} has {FEWEST} frames {rule}") from None


def _json_splits(path: Path) -> list[tuple[Half, Half]]:
    """Every split of a list of ``{"train": ["person_0001", …], "test": […]}``."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON ({error}): {ORIGIN}") from None
    if not isinstance(found, list) or not found:
        raise ValueError(f"{path}: expected a list of splits with 'train' and 'test': {ORIGIN}")
    return [_json_halves(path, number, entry) for number, entry in enumerate(found)]


def _json_halves(path: Path, number: int, entry: object) -> tuple[Half, Half]:
    halves = []
    for part in ("test", "train"):
        names = entry.get(part) if isinstance(entry, dict) else None
        if not isinstance(names, list) or not names:
            raise ValueError(f"{path}: split {number} has no list {part!r}: {ORIGIN}")
        odd = next((n for n in names if not (isinstance(n, str) and PERSON.fullmatch(n))), None)
        if odd is not None:
            raise ValueError(
                f"{path}: split {number} names {str(odd)[:40]!r}, expected person_0001: {ORIGIN}"
            )
        halves.append(tuple(sorted(int(name[7:]) for name in names)))
    everyone = [person for half in halves for person in half]
    if len(everyone) != len(set(everyone)):
        twice = next(p for p in everyone if everyone.count(p) > 1)
        raise ValueError(f"{path}: split {number} names person_{twice:04} twice: {ORIGIN}")
    return halves[0], halves[1]


PRID2011 = DatasetKind(
    open=prid2011,
    layout=LAYOUT,
    reference_counts={"prid2011": COUNTS, "prid2011[persons=200]": COUNTS_200},
    splits=10,
    frame_number=NAME,
    parts=lambda folders: {folder.parent for folder in folders},
    spare_images=("cam_a", "cam_b"),
)
