"""Tracklets of one's own as a table: ``split,pid,camid,tracklet,path``, one row an image.

A path is relative to the table's folder and stays in it, unless absolute ones are asked for; one
that names a folder stands for all images in it. Rows may come in any order: a tracklet's frames are
taken in the order of their names, numbers by value, so that ``9.jpg`` comes before ``10.jpg``.
"""

import re
import stat
from collections import defaultdict
from collections.abc import Iterator
from csv import Error, reader
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.datasets.base import IMAGES, JUNK, Dataset, Tracklet, fingerprint
from benchmark.datasets.folder import JUNK_NAMES, NO_CAMERAS, check_name, numbered_names
from benchmark.datasets.folders import image_names
from benchmark.datasets.kind import DatasetKind
from benchmark.datasets.packed_path import PackedPath
from benchmark.files import inside, sha256

FILE = "tracklets.csv"
COLUMNS = ("split", "pid", "camid", "tracklet", "path")
SPLITS = ("train", "query", "gallery")
Key = tuple[str, str, str, str]  # split, person, camera, tracklet
LAYOUT = """
DIR/tracklets.csv                     or any table: --data-root TABLE.csv
  split,pid,camid,tracklet,path       first line; then one line an image, or a folder of images
  train,alice,1,a,alice/1/0001.jpg    split is train, query or gallery;
  query,bob,1,b,bob/1                 path is relative to the table's folder and stays in it

Frames in the order of their names, numbers by value. Person -1 is junk.
Without cameras: csv[cameras=false], and no column camid.
csv[absolute=true] also takes absolute paths: of a table that you trust. csv[name=airport] is called
so in results.
"""


@dataclass
class _Table:
    """What the rows say: images of each tracklet as ``(path, bytes)``."""

    path: Path
    cameras: bool
    absolute: bool
    tracklets: dict[Key, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    lines: dict[str, int] = field(default_factory=dict)  # of each image, the row that named it

    @property
    def home(self) -> Path:
        return self.path.parent


def csv(root: Path, *, cameras: bool = True, absolute: bool = False, name: str = "") -> Dataset:
    """Read a table of tracklets.

    Args:
        root: the table, or the folder that holds ``tracklets.csv``.
        cameras: False if there is no column ``camid``, or nothing in it; then only the query itself
            leaves the gallery.
        absolute: also take absolute paths, which may lead anywhere; links are followed.
        name: what it is called in results; it changes nothing else.

    Raises:
        FileNotFoundError: the table or an image is missing; the message names it.
        ValueError: a row does not fit; the message names it and what was expected.
    """
    check_name(name, "csv")
    if absolute and isinstance(root, PackedPath):
        raise ValueError(f"{root} is a pack, which has no absolute paths: leave out absolute")
    path = root / FILE if root.is_dir() else root
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: expected a table {','.join(COLUMNS)}")
    found = _Table(path, cameras, absolute)
    folders: dict[Path, bool] = {}
    for number, row in _rows(path, cameras):
        _add(found, number, row, folders)
    for split in SPLITS[1:]:
        if not any(key[0] == split for key in found.tracklets):
            raise ValueError(f"{path}: no row says split {split!r}; expected queries and a gallery")
    return _dataset(found)


def _rows(path: Path, cameras: bool) -> Iterator[tuple[int, dict[str, str]]]:
    """``(line, row)`` of every row that is not empty."""
    wanted = [column for column in COLUMNS if cameras or column != "camid"]
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = reader(file, strict=True)
            header = [name.strip() for name in next(rows, [])]
            missing = next((column for column in wanted if column not in header), None)
            if missing:
                hint = "; if cameras are not known, say 'csv[cameras=false]'"
                raise ValueError(
                    f"{path}: its first line is {','.join(header)[:60]!r}, expected "
                    f"{','.join(wanted)}{hint if missing == 'camid' else ''}"
                )
            for row in rows:
                if not any(cell.strip() for cell in row):
                    continue
                if len(row) != len(header):
                    raise ValueError(
                        f"{path}, line {rows.line_num}: {len(row)} cells, expected {len(header)}"
                    )
                yield rows.line_num, dict(zip(header, map(str.strip, row), strict=True))
    except (Error, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} is no CSV table in UTF-8 ({reason})") from None


def _add(table: _Table, number: int, row: dict[str, str], folders: dict[Path, bool]) -> None:
    """Put the image, or the images of the folder, that a row names into its tracklet."""
    where = f"{table.path}, line {number}"
    if row["split"] not in SPLITS:
        raise ValueError(f"{where}: split is {row['split'][:40]!r}, expected {', '.join(SPLITS)}")
    for column in ("pid", "tracklet", "path", *(["camid"] if table.cameras else [])):
        if not row[column]:
            hint = "; if cameras are not known, say 'csv[cameras=false]'"
            raise ValueError(f"{where}: no {column}{hint if column == 'camid' else ''}")
    key = (row["split"], row["pid"], row["camid"] if table.cameras else "", row["tracklet"])
    try:
        anywhere = table.absolute and Path(row["path"]).is_absolute()
        images = _images_in if anywhere else _images_below
        for name, size in images(table.home, row["path"], folders):
            first = table.lines.setdefault(name, number)
            if first != number:
                raise ValueError(
                    f"{name} is in line {first} already: an image belongs to one tracklet, and a "
                    "query must not be in the gallery again"
                )
            table.tracklets[key].append((name, size))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{where}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _images_in(_home: Path, name: str, _folders: dict[Path, bool]) -> list[tuple[str, int]]:
    """``(path, bytes)`` of the image that an absolute path names, or of those in that folder."""
    path = Path(name)
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing")
    return _listed(path, path.as_posix())


def _images_below(home: Path, name: str, folders: dict[Path, bool]) -> list[tuple[str, int]]:
    """``(path below home, bytes)`` of the image that ``name`` names, or of those in that folder."""
    try:
        path = inside(home, name)
    except ValueError as error:
        hint = "; if you trust the table, say 'csv[absolute=true]'"
        raise ValueError(f"{error}{hint if Path(name).is_absolute() else ''}") from None
    folder = path.parent
    if folder not in folders:
        folders[folder] = _within(folder, home)
    try:
        found = path.lstat()
    except OSError as error:
        raise FileNotFoundError(f"{path} is missing ({error.strerror})") from None
    linked_out = stat.S_ISLNK(found.st_mode) and not _within(path, home)
    if linked_out or not folders[folder]:
        raise ValueError(f"{path} is a link that leads out of {home}: expected a path below it")
    return _listed(path, path.relative_to(home).as_posix())


def _listed(path: Path, name: str) -> list[tuple[str, int]]:
    """An image, or those in a folder, by the name that it has in the data set."""
    if path.is_dir():
        images = [(f"{name}/{image}", size) for image, size in image_names(path)]
        if not images:
            raise FileNotFoundError(f"{path} holds no .jpg or .png image")
        return images
    if not path.name.lower().endswith(IMAGES):
        raise ValueError(f"{path} is neither a folder nor a {', '.join(IMAGES)} image")
    return [(name, path.stat().st_size)]


def _within(path: Path, home: Path) -> bool:
    """True if the path, links followed, lies in the folder.

    Raises:
        OSError: its links lead in a circle.
    """
    try:
        return path.resolve().is_relative_to(home.resolve())
    except RuntimeError as error:  # Python's word for it before 3.13
        raise OSError(str(error)) from None


def _dataset(table: _Table) -> Dataset:
    persons = numbered_names({key[1] for key in table.tracklets} - set(JUNK_NAMES))
    persons |= dict.fromkeys(JUNK_NAMES, JUNK)
    camids = numbered_names({key[2] for key in table.tracklets} - {""}) | {"": 0}
    tracklets: dict[str, list[Tracklet]] = {split: [] for split in SPLITS}
    for key in sorted(table.tracklets):
        split, person, camera, _ = key
        frames = tuple(sorted((name for name, _ in table.tracklets[key]), key=natural))
        tracklets[split].append(Tracklet(persons[person], camids[camera], str(table.home), frames))
    sizes = sorted(image for images in table.tracklets.values() for image in images)
    return Dataset(
        name="csv",
        train=tuple(t for t in tracklets["train"] if t.pid != JUNK),
        test=(*tracklets["query"], *tracklets["gallery"]),
        query=tuple(range(len(tracklets["query"]))),
        fingerprint=fingerprint([sha256(table.path), *(f"{name} {size}" for name, size in sizes)]),
        protocol="open",
        cameras=table.cameras,
        notes=() if table.cameras else (NO_CAMERAS,),
    )


def natural(name: str) -> tuple:
    """Sorts names with numbers in them by value, equal ones by the text."""
    parts = re.split(r"(\d+)", name)
    numbers = tuple(int(p) if p.isascii() and p.isdigit() and len(p) < 4000 else 0 for p in parts)
    return tuple(zip(parts[::2], (*numbers[1::2], 0), strict=True)), name


CSV = DatasetKind(open=csv, layout=LAYOUT, one_file=True)
