"""LS-VID (Li et al., ICCV 2019): lists name the tracklets, a table names the queries.

``list_sequence/list_seq_{train,test}.txt`` hold lines ``<prefix> <person>``; the images of a
tracklet are those called ``<prefix>_…``. The third field of an image's name is its camera.
"""

import bisect
import io
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmark.datasets.base import JUNK, Dataset, Tracklet, fingerprint
from benchmark.datasets.folders import find_home, image_names
from benchmark.datasets.kind import DatasetKind, Sources
from benchmark.datasets.matlab import table, whole_numbers
from benchmark.files import inside, sha256

NESTED = ("LS-VID", "LSVID", "ls-vid", "lsvid")
LISTS = ("list_sequence", "info/list_sequence")
QUERIES = (
    "test/data/info_test.mat",
    "info/data/info_test.mat",
    "info/info_test.mat",
    "test/query.npy",
    "info/query.npy",
)
ORIGIN = "it comes with LS-VID"
PARTS = ("train", "test")
PART_FOLDERS = ("tracklet_train", "tracklet_test")
FIELDS = re.compile(r"[^_]+_[^_]+_(?P<camera>\d{1,3})_.+")
LAYOUT = """
DIR/                                  also DIR/LS-VID/
  tracklet_train/                     images anywhere below, as the lists say;
  tracklet_test/                      the third field of a name is the camera: 0001_0002_03_0004.jpg
  list_sequence/                      also info/list_sequence/
    list_seq_train.txt                lines '<prefix> <person>': 2,831 tracklets of 842 persons
    list_seq_test.txt                 11,333 tracklets
  test/data/info_test.mat             3,504 queries; also info/data/info_test.mat or test/query.npy
"""
# as two public loaders state them; nobody here has measured them
COUNTS = {
    "train persons": 842,
    "train tracklets": 2_831,
    "test tracklets": 11_333,
    "query tracklets": 3_504,
    "cameras": 15,
}


def lsvid(root: Path) -> Dataset:
    """Read LS-VID; the validation part is not used.

    Args:
        root: folder that holds ``tracklet_train``, ``tracklet_test``, ``list_sequence`` and
            ``test/data/info_test.mat`` (the last two also below ``info/``, the last also as
            ``test/query.npy``).

    Raises:
        FileNotFoundError: a folder, list or image is missing; the message names it.
        ValueError: lists and images contradict each other.
    """
    home = find_home(root, NESTED, PART_FOLDERS)
    if home is None:
        raise FileNotFoundError(
            f"{root} holds no tracklet_train/ and tracklet_test/: expected these, list_sequence/ "
            "and test/data/info_test.mat (LS-VID layout)"
        )
    lists = {part: _find(home, [f"{p}/list_seq_{part}.txt" for p in LISTS]) for part in PARTS}
    lines = {part: _lines(lists[part]) for part in PARTS}
    shift = int(any(pid == 0 for rows in lines.values() for _, pid in rows))
    images = _Images(home)
    found = {
        part: [_tracklet(*images.take(prefix), pid, shift) for prefix, pid in rows]
        for part, rows in lines.items()
    }
    path = _find(home, QUERIES)
    return Dataset(
        name="lsvid",
        train=tuple(t for t in found["train"] if t.pid != JUNK),
        test=tuple(found["test"]),
        query=_query(path, len(found["test"])),
        fingerprint=fingerprint([*(sha256(p) for p in (*lists.values(), path)), *images.lines]),
        protocol="open",
        notes=("persons are numbered from 0 in the lists, from 1 here",) if shift else (),
    )


def _find(home: Path, places: Iterable[str]) -> Path:
    places = list(places)
    for place in places:
        if (home / place).is_file():
            return home / place
    raise FileNotFoundError(f"{home / places[0]} is missing: {ORIGIN}")


def _lines(path: Path) -> list[tuple[str, int]]:
    """``(prefix, person)`` of every line of a list."""
    rows = []
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text ({error.reason}): {ORIGIN}") from None
    for number, line in enumerate(text.splitlines(), start=1):
        prefix, _, person = line.strip().rpartition(" ")
        if not line.strip():
            continue
        if not prefix.strip() or not re.fullmatch(r"-1|\d{1,9}", person, re.ASCII):
            raise ValueError(
                f"{path}, line {number}: {line.strip()[:60]!r} is not '<prefix> <person>': {ORIGIN}"
            )
        rows.append((prefix.strip(), int(person)))
    if not rows:
        raise ValueError(f"{path} is empty: {ORIGIN}")
    return rows


class _Images:
    """The images below a folder, each handed out once; ``lines`` says which and how large."""

    def __init__(self, home: Path):
        self.home = home
        self.lines: list[str] = []
        self._folders: dict[Path, list[tuple[str, int]]] = {}
        self._owners: dict[tuple[Path, str], str] = {}

    def take(self, prefix: str) -> tuple[Path, tuple[str, ...]]:
        """Folder and names of the images called ``<prefix>_…``: not those of a longer prefix."""
        start = inside(self.home, prefix)
        folder = start.parent
        if folder not in self._folders:
            self._folders[folder] = image_names(folder) if folder.is_dir() else []
        images = self._folders[folder]
        first = bisect.bisect_left(images, (f"{start.name}_",))
        last = bisect.bisect_left(images, (f"{start.name}{chr(ord('_') + 1)}",))
        if first == last:
            raise FileNotFoundError(f"{start}_* is missing: a list names that tracklet")
        below = folder.relative_to(self.home).as_posix()
        for name, size in images[first:last]:
            owner = self._owners.setdefault((folder, name), prefix)
            if owner != prefix:
                raise ValueError(f"{folder / name} belongs to two tracklets, {owner} and {prefix}")
            self.lines.append(f"{below}/{name} {size}")
        return folder, tuple(name for name, _ in images[first:last])


def _tracklet(folder: Path, names: tuple[str, ...], pid: int, shift: int) -> Tracklet:
    """The tracklet of one line; its images must be of one camera."""
    camera = 0
    for name in names:
        fields = FIELDS.fullmatch(name)
        if fields is None or int(fields["camera"]) == 0:
            raise ValueError(
                f"{folder / name}: the third field of its name is no camera, expected a name like "
                "0001_0002_03_0004.jpg"
            )
        camera = camera or int(fields["camera"])
        if int(fields["camera"]) != camera:
            raise ValueError(
                f"{folder / name}: camera {int(fields['camera'])} in a tracklet of camera {camera}"
            )
    return Tracklet(pid if pid == JUNK else pid + shift, camera, str(folder), names)


def _query(path: Path, tracklets: int) -> tuple[int, ...]:
    """Rows of the queries, counted from 1 in the file."""
    numbers = _array(path) if path.suffix == ".npy" else table(path, "query", ORIGIN)
    rows = numbers.ravel().tolist()
    odd = next((row for row in rows if not 1 <= row <= tracklets), None)
    if odd is not None or not rows:
        raise ValueError(f"{path}: a query is row {odd}, expected rows of 1..{tracklets}: {ORIGIN}")
    if len(set(rows)) != len(rows):
        raise ValueError(f"{path}: a row is a query twice: {ORIGIN}")
    return tuple(row - 1 for row in rows)


def _array(path: Path) -> np.ndarray:
    try:
        return whole_numbers(np.load(io.BytesIO(path.read_bytes()), allow_pickle=False))
    except Exception as error:  # numpy raises several kinds for a broken file
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path} holds no query rows ({reason}): {ORIGIN}") from None


def _parts(folders: Iterable[Path]) -> set[Path]:
    return {p for f in folders for p in (f, *f.parents) if p.name in PART_FOLDERS}


def _sources(root: Path) -> Sources:
    home = find_home(root, NESTED, PART_FOLDERS)
    if home is None:
        return Sources((root,), ())  # opening it says what is missing
    lists = [home / f"{place}/list_seq_{part}.txt" for place in LISTS for part in PARTS]
    files = [path for path in (*lists, *(home / place for place in QUERIES)) if path.is_file()]
    prefixes = [prefix for path in files if path in lists for prefix, _ in _lines(path)]
    folders = dict.fromkeys(inside(home, prefix).parent for prefix in prefixes)
    return Sources((home, *(f for f in folders if f.is_dir())), tuple(files))


LSVID = DatasetKind(
    open=lsvid,
    layout=LAYOUT,
    reference_counts={"lsvid": COUNTS},
    measured=False,
    shared_ids=True,
    parts=_parts,
    spare_images=PART_FOLDERS,
    sources=_sources,
)
