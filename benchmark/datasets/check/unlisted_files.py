"""Finds files in a data set's folders that are none of its images.

They are passed over here, but shift every later index in code that lists folders less carefully.
"""

import os
from collections.abc import Iterator

from benchmark.datasets.base import IMAGES, Dataset
from benchmark.datasets.kind import DatasetKind
from benchmark.datasets.storage import path_of, walk


def unlisted_files(kind: DatasetKind, dataset: Dataset) -> Iterator[str]:
    """Every file that no tracklet lists, in sorted order, and why it should not be there.

    Args:
        kind: says in which folders to look.
        dataset: of that kind, opened.
    """
    listed: dict[str, set[str]] = {}
    for tracklet in (*dataset.train, *dataset.test):
        listed.setdefault(tracklet.folder, set()).update(tracklet.frames)
    parts = kind.parts(map(path_of, listed)) if kind.parts else set()
    for part in sorted(parts):
        spare = part.name in kind.spare_images
        for folder, folders, names in walk(part):
            folders.sort()
            for name in sorted(names):
                if name in listed.get(folder, ()):
                    continue
                image = name.lower().endswith(IMAGES) and not name.startswith(".")
                if not (image and spare):
                    reason = "belongs to no tracklet" if image else "is no image"
                    yield f"{os.path.join(folder, name)} {reason}"
