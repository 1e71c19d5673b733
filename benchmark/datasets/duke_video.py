"""DukeMTMC-VideoReID (Wu et al., CVPR 2018), for those who hold a copy: its source was withdrawn.

``{train,query,gallery}/0001/0001/0001_C6_F0099_X30823.jpg``, or without the underscores in older
copies: person, camera, frame of the tracklet, X (or D in distractors) and the frame in the video.
``gallery/`` holds the query tracklets, too.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from benchmark.datasets.base import Dataset, Tracklet, fingerprint
from benchmark.datasets.folders import find_home, grammatical_images, subfolders
from benchmark.datasets.kind import DatasetKind

PARTS = ("train", "query", "gallery")
NESTED = ("DukeMTMC-VideoReID", "dukemtmc-vidreid", "dukemtmc_vidreid", "duke_video")
NAME = re.compile(
    r"(?P<person>\d{4})(?P<gap>_?)C(?P<camera>[1-8])(?P=gap)F(?P<frame>\d{4,})(?P=gap)[XD]\d+\.jpg"
)
EXAMPLE = "0001_C6_F0099_X30823.jpg or 0001C6F0099X30823.jpg"
WITHDRAWN = (
    "DukeMTMC was withdrawn by its makers in 2019, since filming and sharing went beyond what had "
    "been approved: this project links to no copy and publishes no weights trained on it"
)
LAYOUT = f"""
DIR/                                  also DIR/DukeMTMC-VideoReID/ or
                                      DIR/dukemtmc-vidreid/DukeMTMC-VideoReID/
  train/0001/0001/                    702 persons, 2,196 tracklets
    0001_C6_F0099_X30823.jpg          person, camera, frame, frame in the video;
                                      also 0001C6F0099X30823.jpg
  query/0002/0001/...                 702 persons, 702 tracklets
  gallery/0002/0001/...               1,110 persons, 2,636 tracklets, queries included

{WITHDRAWN}.
"""
COUNTS = {
    "train persons": 702,
    "train tracklets": 2_196,
    "test persons": 1_110,
    "test tracklets": 2_636,
    "query persons": 702,
    "query tracklets": 702,
    "cameras": 8,
}


def duke_video(root: Path) -> Dataset:
    """Read DukeMTMC-VideoReID; the test tracklets are those of ``gallery/``, queries included.

    Args:
        root: folder that holds ``train``, ``query`` and ``gallery``, or
            ``DukeMTMC-VideoReID/`` with these.

    Raises:
        FileNotFoundError: a folder or an image is missing.
        ValueError: names and folders contradict each other, or a query is not in the gallery.
    """
    home = find_home(root, NESTED, PARTS)
    if home is None:
        missing = next((part for part in PARTS if not (root / part).is_dir()), PARTS[0])
        raise FileNotFoundError(
            f"{root / missing} is missing: expected {{train,query,gallery}}/0001/0001/ with images "
            f"like {EXAMPLE}"
        )
    lines: list[str] = []
    found = {part: _part(home / part, lines) for part in PARTS}
    nobody = next((t for t in found["train"] if t.pid == 0), None)
    if nobody:
        raise ValueError(f"{nobody.folder}: person 0 cannot be trained on: take the folder away")
    return Dataset(
        name="duke_video",
        train=found["train"],
        test=found["gallery"],
        query=_places(found["query"], found["gallery"]),
        fingerprint=fingerprint(lines),
        protocol="duke-folders",
        notes=(WITHDRAWN,),
    )


def _part(folder: Path, lines: list[str]) -> tuple[Tracklet, ...]:
    """Tracklets of one part by person and tracklet; their files are added to ``lines``."""
    tracklets = []
    for person in subfolders(folder):
        if not re.fullmatch(r"\d{4}", person.name):
            raise ValueError(f"{person} is not called like 0001: rename it or take it away")
        paths = subfolders(person)
        if not paths:
            raise FileNotFoundError(f"{person} holds no tracklet: fill it or delete it")
        for path in paths:
            tracklet, sizes = _tracklet(path, person.name)
            tracklets.append(tracklet)
            lines += [f"{folder.name}/{person.name}/{path.name}/{line}" for line in sizes]
    if not tracklets:
        raise FileNotFoundError(f"{folder} holds no tracklets: expected 0001/0001/*.jpg")
    return tuple(tracklets)


def _tracklet(path: Path, person: str) -> tuple[Tracklet, list[str]]:
    """A tracklet with all its frames, from F0001 or F0002 on, and ``name size`` of each."""
    images = grammatical_images(path, NAME, EXAMPLE, {"person": person})
    cameras = [int(NAME.fullmatch(name)["camera"]) for name, _ in images]
    odd = next((i for i, camera in enumerate(cameras) if camera != cameras[0]), None)
    if odd is not None:
        raise ValueError(
            f"{path / images[odd][0]}: camera {cameras[odd]} in a tracklet of camera {cameras[0]}: "
            "put it where it belongs"
        )
    names = tuple(name for name, _ in images)
    return Tracklet(int(person), cameras[0], str(path), names), [f"{n} {s}" for n, s in images]


def _places(query: tuple[Tracklet, ...], gallery: tuple[Tracklet, ...]) -> tuple[int, ...]:
    """Rows of the gallery that are the query tracklets: those with the same images."""
    rows: dict[tuple[str, ...], int] = {}
    for row, tracklet in enumerate(gallery):
        first = rows.setdefault(tracklet.frames, row)
        if first != row:
            raise ValueError(
                f"{tracklet.folder} and {gallery[first].folder} hold the same images: delete one"
            )
    places = []
    for tracklet in query:
        if tracklet.frames not in rows:
            raise ValueError(
                f"{tracklet.folder} is not in the gallery with the same {len(tracklet)} images: "
                "gallery/ must hold every query tracklet, too; unpack it again"
            )
        places.append(rows[tracklet.frames])
    if len(set(places)) != len(places):
        twice = next(t for i, t in enumerate(query) if places[i] in places[:i])
        raise ValueError(f"{twice.folder} is a query twice: delete one of its copies")
    return tuple(places)


def _parts(folders: Iterable[Path]) -> set[Path]:
    homes = {folder.parents[2] for folder in folders}
    return {home / part for home in homes for part in PARTS}


DUKE_VIDEO = DatasetKind(
    open=duke_video,
    layout=LAYOUT,
    reference_counts={"duke_video": COUNTS},
    frame_number=re.compile(r"F(\d{4,})"),
    first_frames=(1, 2),
    parts=_parts,
    spare_images=("query",),
)
