"""Finds files in a data set's folders that are none of its images.

They are passed over here, but shift every later index in code that lists folders less carefully.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from benchmark.datasets.base import IMAGES, Dataset

LEVELS = {  # folders from an image up to the part of the data set that it is in
    "mars": 2,
    "synthetic": 2,
    "duke_video": 3,
    "ilids_vid": 2,
    "prid2011": 2,
    "folder": 3,
}
PARTS = {"duke_video": ("query",), "lsvid": ("tracklet_train", "tracklet_test")}
SPARE = ("prid2011", "lsvid", "query")  # these hold images that no tracklet of ours uses


def strays(kind: str, dataset: Dataset) -> Iterator[str]:
    """Every stray file, in sorted order, and why it is one."""
    used: dict[str, set[str]] = {}
    for tracklet in (*dataset.train, *dataset.test):
        used.setdefault(tracklet.folder, set()).update(tracklet.frames)
    for part in _parts(kind, sorted(used)):
        spare = kind in SPARE or (kind == "duke_video" and part.name == "query")
        for folder, folders, names in os.walk(part):
            folders.sort()
            for name in sorted(names):
                if name in used.get(folder, ()):
                    continue
                image = name.lower().endswith(IMAGES) and not name.startswith(".")
                if not (image and spare):
                    reason = "belongs to no tracklet" if image else "is no image"
                    yield f"{os.path.join(folder, name)} {reason}"


def _parts(kind: str, folders: list[str]) -> list[Path]:
    if kind == "lsvid":
        above = {p for f in folders for p in Path(f, "x").parents if p.name in PARTS[kind]}
        return sorted(above)
    if kind not in LEVELS:
        return []
    parts = {Path(folder, "x").parents[LEVELS[kind] - 1] for folder in folders}
    if kind == "duke_video":
        parts |= {part.parent / "query" for part in parts}
    return sorted(parts)
