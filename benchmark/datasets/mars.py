"""MARS (Zheng et al., ECCV 2016) and whatever else is written in its grammar.

``bbox_train/`` and ``bbox_test/`` hold one folder a person (``00-1`` junk, ``0000`` distractors) of
images called
``PPPPCcTttttFfff.jpg``; ``info/`` holds three MATLAB tables whose rows point into the sorted list
of those images, 1-based and inclusive, and that list itself as text. The list is often missing from
copies; it is rebuilt from disk.
"""

import re
from itertools import zip_longest
from pathlib import Path

import numpy as np

from benchmark.datasets.base import Dataset, Tracklet, fingerprint, image_names, subfolders
from benchmark.datasets.matlab import table
from benchmark.files import sha256

NAME = re.compile(r"(?P<pid>\d{4}|00-1)C(?P<cam>\d)T(?P<track>\d{4})F(?P<frame>\d{3,})\.jpg")
ORIGIN = "it comes with MARS-evaluation/info"
RECUT = ("train_split", "query_split", "gallery_split")
TABLES = {
    "tracks_train_info.mat": "track_train_info",
    "tracks_test_info.mat": "track_test_info",
    "query_IDX.mat": "query_IDX",
}


def mars(root: Path) -> Dataset:
    """Read a data set in the MARS layout.

    Args:
        root: folder that holds ``bbox_train``, ``bbox_test`` and ``info`` (or
            ``MARS-evaluation/info``); one level of nesting (``mars/``, ``MARS/``,
            ``bbox_train/bbox_train``) is looked through.

    Raises:
        FileNotFoundError: a folder, table or image is missing; the message names it.
        ValueError: tables and images contradict each other; the message names the first
            contradiction.
    """
    home = _home(root)
    info = _info(home)
    tables = {file: table(info / file, variable, ORIGIN) for file, variable in TABLES.items()}
    train, train_sizes, train_notes = _part(
        home, "bbox_train", info, tables["tracks_train_info.mat"]
    )
    test, test_sizes, test_notes = _part(home, "bbox_test", info, tables["tracks_test_info.mat"])
    query = tables["query_IDX.mat"].ravel() - 1  # uint16 and 1-based on disk
    if len(query) == 0 or query.min() < 0 or query.max() >= len(test):
        raise ValueError(f"{info / 'query_IDX.mat'}: rows must lie in 1..{len(test)}")
    return Dataset(
        name="mars",
        train=train,
        test=test,
        query=tuple(query.tolist()),
        fingerprint=fingerprint(
            [*(sha256(info / file) for file in TABLES), *train_sizes, *test_sizes]
        ),
        protocol="mars-official",
        notes=(*train_notes, *test_notes),
    )


def _home(root: Path) -> Path:
    for home in (root, root / "mars", root / "MARS"):
        if (home / "bbox_test").is_dir():
            return home
    if any((root / part).is_dir() for part in RECUT):
        raise ValueError(
            f"{root} holds {RECUT[1]}/: a re-cut of MARS with other persons and tracklets, whose "
            f"numbers compare with nobody's; expected bbox_train/, bbox_test/ and info/"
        )
    raise FileNotFoundError(
        f"{root} holds no bbox_test/: expected bbox_train/, bbox_test/ and info/ (MARS layout)"
    )


def _info(home: Path) -> Path:
    for info in (home / "info", home / "MARS-evaluation" / "info"):
        if info.is_dir():
            return info
    raise FileNotFoundError(f"{home / 'info'} is missing: it should hold the MARS tables")


def _folder(home: Path, part: str) -> Path:
    """Folder of a part's persons."""
    folder = home / part
    if (folder / part).is_dir():
        folder = folder / part
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing")
    return folder


def _images(folder: Path) -> dict[str, int]:
    """``{name: bytes}`` of a part's images, each in its person's folder."""
    return {
        name: size
        for person in subfolders(folder)
        for name, size in image_names(person)
        if NAME.fullmatch(name) and name[:4] == person.name
    }


def _part(
    home: Path, part: str, info: Path, table: np.ndarray
) -> tuple[tuple[Tracklet, ...], list[str], list[str]]:
    """Tracklets of one part, its files as ``name size`` lines, and notes."""
    if table.ndim != 2 or table.shape[1] != 4:
        raise ValueError(f"{part}: its table has shape {table.shape}, expected [tracks, 4]")
    folder = _folder(home, part)
    sizes = _images(folder)
    listed = info / f"{part.removeprefix('bbox_')}_name.txt"
    notes = []
    if listed.is_file():
        names = [
            line.strip() for line in listed.read_text().splitlines() if line.strip()
        ]  # CRLF on disk
        missing = next((name for name in names if name not in sizes), None)
        if missing:
            raise FileNotFoundError(
                f"{folder / missing[:4] / missing} is missing: {listed} lists it"
            )
    else:
        names = sorted(sizes)
        notes.append(f"{listed.name} rebuilt from {len(names)} images on disk")
    if len(table) and (table[:, 0].min() < 1 or table[:, 1].max() > len(names)):
        raise ValueError(
            f"{part} has {len(names)} images, its table points to {table[:, 1].max()}: images are "
            f"missing"
        )
    if notes and len(table) and table[:, 1].max() < len(names):  # rebuilt: every one must count
        raise ValueError(
            f"{part} has {len(names)} images, its table points to {table[:, 1].max()} only: images "
            f"are too many"
        )
    tracks = tuple(
        _tracklet(folder, names[first - 1 : last], pid, cam)
        for first, last, pid, cam in table.tolist()
    )
    return tracks, [f"{name} {sizes[name]}" for name in names], notes


def _tracklet(folder: Path, names: list[str], pid: int, cam: int) -> Tracklet:
    """One row of a table, checked against the names of its images."""
    if not names:
        raise ValueError(f"{folder}: a tracklet of person {pid}, camera {cam} has no images")
    first = NAME.fullmatch(names[0])
    stem = names[0].rpartition("F")[0]
    if not first or (int(first["pid"].replace("00-1", "-1")), int(first["cam"])) != (pid, cam):
        raise ValueError(
            f"{folder / names[0]}: the table says person {pid}, camera {cam}; a file too many or "
            f"too few?"
        )
    odd = next((name for name in names if name.rpartition("F")[0] != stem), None)
    if odd:
        raise ValueError(
            f"{folder / odd[:4] / odd}: the table puts it into the tracklet of {names[0]}"
        )
    return Tracklet(pid, cam, str(folder / names[0][:4]), tuple(names))


def table_files(root: Path) -> list[Path]:
    """The three tables of a data set that can be read.

    Raises:
        FileNotFoundError: there is no data set in the MARS layout.
    """
    info = _info(_home(Path(root)))
    return [info / file for file in TABLES]


def first_contradiction(root: Path) -> str | None:
    """The first tracklet with other images on disk than its table says, in words; or None.

    Raises:
        FileNotFoundError: a folder or table is missing.
        ValueError: a table is broken.
    """
    home = _home(Path(root))
    for path in table_files(root)[:2]:
        rows = table(path, TABLES[path.name], ORIGIN).tolist()
        part = path.stem.replace("tracks", "bbox").removesuffix("_info")
        folder = _folder(home, part)
        frames: dict[str, list[int]] = {}
        for name in sorted(_images(folder)):
            frames.setdefault(name.rpartition("F")[0], []).append(
                int(NAME.fullmatch(name)["frame"])
            )
        for number, (row, stem) in enumerate(zip_longest(rows, frames), start=1):
            fault = _mismatch(row, stem, frames.get(stem, []))
            if fault:
                where = folder / stem[:4] / stem if stem else folder
                return f"{where}: {fault} (row {number} of {path.name})"
    return None


def _mismatch(row: list[int] | None, stem: str | None, frames: list[int]) -> str | None:
    """How a row of a table and the images of the tracklet in its place differ."""
    if row is None:
        return f"{len(frames)} images of a tracklet that no row of the table tells of: delete them"
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
