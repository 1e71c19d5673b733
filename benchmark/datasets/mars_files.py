"""The files of MARS: what they are called, where they lie, and the first that does not fit."""

import re
from itertools import zip_longest
from pathlib import Path

from benchmark.datasets.folders import image_names, subfolders
from benchmark.datasets.kind import Sources
from benchmark.datasets.matlab import table
from benchmark.progress import SILENT, Progress

NAME = re.compile(r"(?P<pid>\d{4}|00-1)C(?P<cam>\d)T(?P<track>\d{4})F(?P<frame>\d{3,})\.jpg")
PARTS = ("bbox_train", "bbox_test")
ORIGIN = "it comes with MARS-evaluation/info"
RECUT = ("train_split", "query_split", "gallery_split")
TABLES = {
    "tracks_train_info.mat": "track_train_info",
    "tracks_test_info.mat": "track_test_info",
    "query_IDX.mat": "query_IDX",
}


def mars_home(root: Path) -> Path:
    """The folder that holds the parts: ``root``, or ``mars/`` or ``MARS/`` in it.

    Raises:
        FileNotFoundError: there is none.
        ValueError: a re-cut of MARS lies there.
    """
    for home in (root, root / "mars", root / "MARS"):
        if (home / "bbox_test").is_dir():
            return home
    if any((root / part).is_dir() for part in RECUT):
        raise ValueError(
            f"{root} holds {RECUT[1]}/: a re-cut of MARS with other persons and tracklets, whose "
            "numbers compare with nobody's; expected bbox_train/, bbox_test/ and info/"
        )
    raise FileNotFoundError(
        f"{root} holds no bbox_test/: expected bbox_train/, bbox_test/ and info/ (MARS layout)"
    )


def info_folder(home: Path) -> Path:
    """The folder of the tables.

    Raises:
        FileNotFoundError: there is none.
    """
    for info in (home / "info", home / "MARS-evaluation" / "info"):
        if info.is_dir():
            return info
    raise FileNotFoundError(f"{home / 'info'} is missing: it should hold the MARS tables")


def part_folder(home: Path, part: str) -> Path:
    """Folder of a part's persons.

    Raises:
        FileNotFoundError: there is none.
    """
    folder = home / part
    if (folder / part).is_dir():
        folder = folder / part
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing")
    return folder


def image_sizes(folder: Path, progress: Progress = SILENT) -> dict[str, int]:
    """``{name: bytes}`` of a part's images, each in its person's folder."""
    persons = subfolders(folder)
    sizes = {}
    for done, person in enumerate(persons, start=1):
        for name, size in image_names(person):
            if NAME.fullmatch(name) and name[:4] == person.name:
                sizes[name] = size
        progress.advance(f"reading {folder.name}", done, len(persons))
    return sizes


def table_files(root: Path) -> list[Path]:
    """The three tables of a data set that can be read.

    Raises:
        FileNotFoundError: there is no data set in the MARS layout.
    """
    info = info_folder(mars_home(root))
    return [info / file for file in TABLES]


def list_file(info: Path, part: str) -> Path:
    """The list of a part's images, which need not exist."""
    return info / f"{part.removeprefix('bbox_')}_name.txt"


def sources(root: Path) -> Sources:
    """The folders and files that the data set is read from.

    Raises:
        FileNotFoundError: a folder is missing.
        ValueError: a re-cut of MARS lies there.
    """
    home = mars_home(root)
    info = info_folder(home)
    parts = [part_folder(home, part) for part in PARTS]
    persons = [person for part in parts for person in subfolders(part)]
    files = [*table_files(root), *(list_file(info, part) for part in PARTS)]
    return Sources((home, info, *parts, *persons), tuple(f for f in files if f.is_file()))


def first_contradiction(root: Path) -> str | None:
    """The first tracklet with other images on disk than its table says, in words; or None.

    Raises:
        FileNotFoundError: a folder or table is missing.
        ValueError: a table is broken.
    """
    home = mars_home(root)
    for path in table_files(root)[:2]:
        rows = table(path, TABLES[path.name], ORIGIN).tolist()
        part = path.stem.replace("tracks", "bbox").removesuffix("_info")
        folder = part_folder(home, part)
        frames: dict[str, list[int]] = {}
        for name in sorted(image_sizes(folder)):
            frames.setdefault(name.rpartition("F")[0], []).append(
                int(NAME.fullmatch(name)["frame"])
            )
        for number, (row, stem) in enumerate(zip_longest(rows, frames), start=1):
            reason = _mismatch(row, stem, frames.get(stem, []))
            if reason:
                where = folder / stem[:4] / stem if stem else folder
                return f"{where}: {reason} (row {number} of {path.name})"
    return None


def _mismatch(row: list[int] | None, stem: str | None, frames: list[int]) -> str | None:
    """How a row of a table and the images of the tracklet in its place differ."""
    if row is None:
        return f"{len(frames)} images of a tracklet that no row of the table lists: delete them"
    first, last, pid, cam = row
    if stem is None:
        return f"the tracklet of person {pid}, camera {cam} has no images: unpack them again"
    if (stem[:4].replace("00-1", "-1").lstrip("0") or "0", stem[5]) != (str(pid), str(cam)):
        return f"expected person {pid}, camera {cam} here: a tracklet is missing or one too many"
    wanted = last - first + 1
    if len(frames) < wanted:
        gone = next(n for n in range(1, wanted + 1) if n not in frames)
        return f"{len(frames)} images, expected {wanted}: F{gone:03}.jpg is missing"
    if len(frames) > wanted:
        return f"{len(frames)} images, expected {wanted}: F{frames[-1]:03}.jpg is too many"
    return None
