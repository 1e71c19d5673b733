"""Tracklets of one's own: ``DIR/{train,query,gallery}/<pid>/<camera>_<tracklet>/*.jpg``.

Any names will do for persons and cameras; everything is taken in sorted order. A person named
``-1`` or ``00-1`` is junk. Queries may stand in ``query/`` alone: the gallery is what stands in
``gallery/``.
"""

import re
from pathlib import Path

from benchmark.datasets.base import JUNK, Dataset, Tracklet, fingerprint
from benchmark.datasets.folders import image_names, subfolders
from benchmark.datasets.kind import DatasetKind

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
JUNK_NAMES = ("-1", "00-1")
NO_CAMERAS = "cameras unknown: tracks of the query's own camera stay in the gallery"
LAYOUT = """
DIR/
  train/<person>/<camera>_<tracklet>/*.jpg
  query/<person>/<camera>_<tracklet>/*.jpg
  gallery/<person>/<camera>_<tracklet>/*.jpg

Any names; frames in the order of theirs. Person -1 is junk. .png and .jpeg, too.
Without cameras: folder[cameras=false], and <tracklet>/ alone will do.
folder[name=airport] is called so in results.
"""


def folder(root: Path, *, cameras: bool = True, name: str = "") -> Dataset:
    """Read a folder of tracklets.

    Args:
        root: folder that holds ``train``, ``query`` and ``gallery`` (``train`` may be missing if
            nothing is trained).
        cameras: False if the folders' names say no camera; then only the query itself leaves the
            gallery.
        name: what it is called in results; it changes nothing else.

    Raises:
        FileNotFoundError: a folder is missing or empty; the message names it.
        ValueError: a tracklet's folder is not called ``<camera>_<tracklet>``, or cameras are not
            known and a query stands in the gallery again; or it is no name.
    """
    check_name(name, "folder")
    found = {part: _tracklets(root, part, cameras) for part in ("train", "query", "gallery")}
    if not found["train"] and not found["query"]:
        raise FileNotFoundError(
            f"{root} holds no tracklets: expected "
            f"{{train,query,gallery}}/<pid>/<camera>_<tracklet>/*.jpg"
        )
    for part in ("query", "gallery"):
        if not found[part]:
            raise FileNotFoundError(
                f"{root / part} holds no tracklets: expected <pid>/<camera>_<tracklet>/*.jpg"
            )
    if not cameras:
        _refuse_repeated(found["query"], found["gallery"])
    persons = numbered_names({pid for rows in found.values() for pid, *_ in rows} - set(JUNK_NAMES))
    persons |= dict.fromkeys(JUNK_NAMES, JUNK)
    camids = numbered_names(
        {camera for rows in found.values() for _, camera, *_ in rows} - {None}
    ) | {None: 0}

    def numbered(part: str) -> tuple[Tracklet, ...]:
        return tuple(
            Tracklet(persons[pid], camids[camera], str(path), tuple(name for name, _ in images))
            for pid, camera, path, images in found[part]
        )

    query, gallery = numbered("query"), numbered("gallery")
    return Dataset(
        name="folder",
        train=tuple(t for t in numbered("train") if t.pid != JUNK),
        test=query + gallery,
        query=tuple(range(len(query))),
        fingerprint=fingerprint(
            f"{path.relative_to(root).as_posix()}/{name} {size}"
            for rows in found.values()
            for _, _, path, images in rows
            for name, size in images
        ),
        protocol="open",
        cameras=cameras,
        notes=() if cameras else (NO_CAMERAS,),
    )


def check_name(name: str, kind: str) -> None:
    """Refuse what cannot be part of a file's name, or of a data set's.

    Raises:
        ValueError: it is no name.
    """
    if name and not _NAME.fullmatch(name):
        raise ValueError(
            f"{kind}: name is {name[:60]!r}, expected a letter and then up to 39 letters, digits, "
            "_, . or -"
        )


def _tracklets(root: Path, part: str, cameras: bool) -> list[tuple[str, str | None, Path, list]]:
    """``(person, camera, folder, images)`` of every tracklet of one part, in sorted order."""
    if not (root / part).is_dir():
        return []
    rows = []
    for person in subfolders(root / part):
        for path in subfolders(person):
            camera, underscore, _ = path.name.rpartition("_")
            if cameras and not (underscore and camera):
                raise ValueError(
                    f"{path} is not called <camera>_<tracklet>; if cameras are not known, say "
                    "'folder[cameras=false]'"
                )
            images = image_names(path)
            if not images:
                raise FileNotFoundError(f"{path} holds no .jpg or .png image: fill it or delete it")
            rows.append((person.name, camera if cameras else None, path, images))
    return rows


def _refuse_repeated(query: list[tuple], gallery: list[tuple]) -> None:
    """A query that stands in the gallery again would be its own match, at distance 0."""
    there = {(pid, path.name, tuple(images)): path for pid, _, path, images in gallery}
    for pid, _, path, images in query:
        copy = there.get((pid, path.name, tuple(images)))
        if copy:
            raise ValueError(f"{copy} is the query {path} again: delete it from the gallery")


def numbered_names(names: set[str]) -> dict[str, int]:
    """Numbers from 1 for names in sorted order."""
    return {name: i for i, name in enumerate(sorted(names), start=1)}


FOLDER = DatasetKind(
    open=folder,
    layout=LAYOUT,
    parts=lambda folders: {tracklet.parents[1] for tracklet in folders},
)
