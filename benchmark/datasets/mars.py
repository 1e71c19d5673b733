"""MARS (Zheng et al., ECCV 2016) and whatever else is written in its grammar.

``bbox_train/`` and ``bbox_test/`` hold one folder a person (``00-1`` junk, ``0000`` distractors) of
images called
``PPPPCcTttttFfff.jpg``; ``info/`` holds three MATLAB tables whose rows point into the sorted list
of those images, 1-based and inclusive, and that list itself as text. The list is often missing from
copies; it is rebuilt from disk.
"""

import re
from pathlib import Path

import numpy as np
import scipy.io

from benchmark.datasets.tracklet import Dataset, Tracklet, fingerprint, image_names, subfolders
from benchmark.record import sha256

NAME = re.compile(r"(?P<pid>\d{4}|00-1)C(?P<cam>\d)T(?P<track>\d{4})F(?P<frame>\d{3,})\.jpg")
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
    info = _first(home / "info", home / "MARS-evaluation" / "info", what="the MARS tables")
    tables = {file: _table(info / file, variable) for file, variable in TABLES.items()}
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
    raise FileNotFoundError(
        f"{root} holds no bbox_test/: expected bbox_train/, bbox_test/ and info/ (MARS layout)"
    )


def _first(*folders: Path, what: str) -> Path:
    for folder in folders:
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"{folders[0]} is missing: it should hold {what}")


def _table(path: Path, variable: str) -> np.ndarray:
    """One MATLAB table as int64 (on disk int32 and uint16, which must not be calculated with)."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: it comes with MARS-evaluation/info")
    try:
        return scipy.io.loadmat(path, variable_names=[variable])[variable].astype(np.int64)
    except Exception as error:  # scipy raises a dozen kinds for a broken file
        raise ValueError(
            f"{path} holds no table {variable!r} ({error or type(error).__name__})"
        ) from None


def _part(
    home: Path, part: str, info: Path, table: np.ndarray
) -> tuple[tuple[Tracklet, ...], list[str], list[str]]:
    """Tracklets of one part, its files as ``name size`` lines, and notes."""
    if table.ndim != 2 or table.shape[1] != 4:
        raise ValueError(f"{part}: its table has shape {table.shape}, expected [tracks, 4]")
    folder = home / part
    if (folder / part).is_dir():
        folder = folder / part
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing")
    sizes = {
        name: size
        for person in subfolders(folder)
        for name, size in image_names(person)
        if NAME.fullmatch(name)
    }
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
