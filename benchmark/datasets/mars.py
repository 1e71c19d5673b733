"""MARS (Zheng et al., ECCV 2016) and whatever else is written in its grammar.

``bbox_train/`` and ``bbox_test/`` hold one folder a person (``00-1`` junk, ``0000`` distractors) of
images called ``PPPPCcTttttFfff.jpg``; ``info/`` holds three MATLAB tables whose rows point into the
sorted list of those images, 1-based and inclusive, and that list itself as text. The list is often
missing from copies; it is rebuilt from disk.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmark.datasets import mars_files
from benchmark.datasets.base import Dataset, Tracklet, fingerprint
from benchmark.datasets.kind import DatasetKind
from benchmark.datasets.mars_files import NAME, ORIGIN, TABLES
from benchmark.datasets.matlab import table
from benchmark.files import sha256
from benchmark.progress import SILENT, Progress

LAYOUT = """
DIR/                                  also DIR/mars/ or DIR/MARS/
  bbox_train/                         also bbox_train/bbox_train/
    0001/0001C1T0001F001.jpg          625 persons: person, camera, tracklet, frame
  bbox_test/                          also bbox_test/bbox_test/
    00-1/00-1C1T0001F001.jpg          junk
    0000/0000C1T0001F001.jpg          distractors
    0002/0002C1T0001F001.jpg          634 persons
  info/                               also MARS-evaluation/info/
    tracks_train_info.mat             these three from MARS-evaluation
    tracks_test_info.mat
    query_IDX.mat
    train_name.txt, test_name.txt     if missing, rebuilt from the folders
"""
# counted in the official tables
COUNTS = {
    "train persons": 625,
    "train tracklets": 8_298,
    "train frames": 509_914,
    "test persons": 634,
    "test tracklets": 12_180,
    "test frames": 681_089,
    "query persons": 626,
    "query tracklets": 1_980,
    "query frames": 114_493,
    "junk tracklets": 870,
    "distractor tracklets": 3_248,
    "cameras": 6,
}
SHA256 = {
    "tracks_train_info.mat": "bae1ca16a6afbad1db664fbd4a60f8761585d7fb591c5e20b714f637dba3636b",
    "tracks_test_info.mat": "35a5464d1219cc42001ddb6cdb2c1e88ae2bc9d516e559d44a68310521386b56",
    "query_IDX.mat": "2b580c94cf7934dbe3320c628b915dba76153c60effa94c1f48995ae8b96a932",
}


def mars(root: Path, *, progress: Progress = SILENT) -> Dataset:
    """Read a data set in the MARS layout.

    Args:
        root: folder that holds ``bbox_train``, ``bbox_test`` and ``info`` (or
            ``MARS-evaluation/info``); one level of nesting (``mars/``, ``MARS/``,
            ``bbox_train/bbox_train``) is looked through.
        progress: advances with every person's folder.

    Raises:
        FileNotFoundError: a folder, table or image is missing; the message names it.
        ValueError: tables and images contradict each other; the message names the first
            contradiction.
    """
    home = mars_files.mars_home(root)
    info = mars_files.info_folder(home)
    *tables, query = (table(info / file, variable, ORIGIN) for file, variable in TABLES.items())
    train, test = (
        _read_part(home, part, rows, progress)
        for part, rows in zip(mars_files.PARTS, tables, strict=True)
    )
    return Dataset(
        name="mars",
        train=train.tracklets,
        test=test.tracklets,
        query=_queries(info, query, len(test.tracklets)),
        fingerprint=fingerprint([*(sha256(info / f) for f in TABLES), *train.lines, *test.lines]),
        protocol="mars-official",
        notes=(*train.notes, *test.notes),
    )


def mars_test(root: Path, *, progress: Progress = SILENT) -> Dataset:
    """The test part alone of a data set in the MARS layout; ``bbox_train`` need not be there.

    Its fingerprint is of the test part: another one than the whole set's.

    Raises:
        FileNotFoundError, ValueError: as `mars`.
    """
    home = mars_files.mars_home(root)
    info = mars_files.info_folder(home)
    files = list(TABLES)[1:]
    rows, query = (table(info / file, TABLES[file], ORIGIN) for file in files)
    test = _read_part(home, mars_files.PARTS[1], rows, progress)
    return Dataset(
        name="mars",
        train=(),
        test=test.tracklets,
        query=_queries(info, query, len(test.tracklets)),
        fingerprint=fingerprint(["test", *(sha256(info / file) for file in files), *test.lines]),
        protocol="mars-official",
        notes=test.notes,
    )


class _Part(NamedTuple):
    """Tracklets of a part, the lines that its fingerprint is of, and what a reader must know."""

    tracklets: tuple[Tracklet, ...]
    lines: list[str]
    notes: tuple[str, ...]


def _read_part(home: Path, part: str, rows: np.ndarray, progress: Progress) -> _Part:
    folder = mars_files.part_folder(home, part)
    sizes = mars_files.image_sizes(folder, progress)
    listed = mars_files.list_file(mars_files.info_folder(home), part)
    names = _listed_names(listed, folder, sizes) if listed.is_file() else sorted(sizes)
    _check_rows(part, rows, len(names), exact=not listed.is_file())
    notes = () if listed.is_file() else (f"{listed.name} rebuilt from {len(names)} images on disk",)
    return _Part(
        tuple(_tracklet(folder, names[a - 1 : b], pid, cam) for a, b, pid, cam in rows.tolist()),
        [f"{name} {sizes[name]}" for name in names],
        notes,
    )


def _queries(info: Path, query: np.ndarray, tracklets: int) -> tuple[int, ...]:
    """Rows that are queries, from 0; on disk they are uint16 and from 1."""
    rows = query.ravel() - 1
    if len(rows) == 0 or rows.min() < 0 or rows.max() >= tracklets:
        raise ValueError(f"{info / 'query_IDX.mat'}: rows must lie in 1..{tracklets}")
    return tuple(rows.tolist())


def _listed_names(listed: Path, folder: Path, sizes: Mapping[str, int]) -> list[str]:
    """The names of a list, all of which must be there."""
    lines = (line.strip() for line in listed.read_text().splitlines())  # CRLF on disk
    names = [line for line in lines if line]
    missing = next((name for name in names if name not in sizes), None)
    if missing:
        raise FileNotFoundError(f"{folder / missing[:4] / missing} is missing: {listed} lists it")
    return names


def _check_rows(part: str, rows: np.ndarray, images: int, *, exact: bool) -> None:
    """Refuse a table that points beyond the images, or (``exact``) does not use them all."""
    if rows.ndim != 2 or rows.shape[1] != 4:
        raise ValueError(f"{part}: its table has shape {rows.shape}, expected [tracklets, 4]")
    if not len(rows):
        return
    last = rows[:, 1].max()
    if rows[:, 0].min() < 1 or last > images:
        raise ValueError(
            f"{part} has {images} images, its table points to {last}: images are missing"
        )
    if exact and last < images:
        raise ValueError(
            f"{part} has {images} images, its table points to {last} only: images are too many"
        )


def _tracklet(folder: Path, names: list[str], pid: int, cam: int) -> Tracklet:
    """One row of a table, checked against the names of its images."""
    if not names:
        raise ValueError(f"{folder}: a tracklet of person {pid}, camera {cam} has no images")
    first = NAME.fullmatch(names[0])
    stem = names[0].rpartition("F")[0]
    if not first or (int(first["pid"].replace("00-1", "-1")), int(first["cam"])) != (pid, cam):
        raise ValueError(f"{folder / names[0]}: the table says person {pid}, camera {cam}; X")
    odd = next((name for name in names if name.rpartition("F")[0] != stem), None)
    if odd:
        raise ValueError(
            f"{folder / odd[:4] / odd}: the table puts it into the tracklet of {names[0]}"
        )
    return Tracklet(pid, cam, str(folder / names[0][:4]), tuple(names))


MARS = DatasetKind(
    open=mars,
    layout=LAYOUT,
    reference_counts={"mars": COUNTS},
    reference_sha256=SHA256,
    split_files=mars_files.table_files,
    parts=lambda folders: {folder.parent for folder in folders},
    first_contradiction=mars_files.first_contradiction,
    sources=mars_files.sources,
)
