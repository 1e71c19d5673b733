"""What every data set is: tracklets to train on, test tracklets, and which are queries."""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath

JUNK = -1  # a track that is neither right nor wrong
DISTRACTOR = 0  # a track of nobody in particular
IMAGES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True, slots=True)
class Tracklet:
    """An image sequence of one person from one camera.

    Attributes:
        pid: person, from 1; -1 junk, 0 distractor.
        camid: camera, from 1; 0 where cameras are not known.
        folder: what the frames' names are relative to.
        frames: file names in time order, at least one.
    """

    pid: int
    camid: int
    folder: str
    frames: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.frames)

    def path(self, frame: int) -> str:
        """File of the given frame, counted from 0."""
        return os.path.join(self.folder, self.frames[frame])


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set in memory: names and numbers, no pixels.

    Attributes:
        name: canonical variant, e.g. ``synthetic[occlusion=0.6]``.
        train: tracklets to train on.
        test: every test tracklet, in the data set's own order (protocols decide who is in the
            gallery).
        query: rows of ``test`` that are queries.
        fingerprint: hash of split files, names and sizes.
        protocol: the protocol that its numbers are usually told under.
        cameras: False where cameras are not known, so that only the query itself is taken out of
            the gallery.
        split: which of the ``splits`` train/test splits this is, from 0.
        notes: what a reader of results must know about this copy.
    """

    name: str
    train: tuple[Tracklet, ...]
    test: tuple[Tracklet, ...]
    query: tuple[int, ...]
    fingerprint: str
    protocol: str
    cameras: bool = True
    split: int = 0
    splits: int = 1
    notes: tuple[str, ...] = ()

    @property
    def train_pids(self) -> tuple[int, ...]:
        """Training persons in ascending order; a person's class is its place here."""
        return tuple(sorted({t.pid for t in self.train}))

    def limited(self, persons: int) -> "Dataset":
        """The first ``persons`` training and query persons only: to try the road, not to quote."""
        if persons < 2:
            raise ValueError(
                f"a limit of {persons} persons leaves nobody to tell apart: give 2 or more"
            )
        kept = set(self.train_pids[:persons])
        queried = sorted({self.test[row].pid for row in self.query})[:persons]
        rows = [row for row, t in enumerate(self.test) if t.pid in set(queried)]
        place = {row: i for i, row in enumerate(rows)}
        return replace(
            self,
            name=f"{self.name}:{persons}persons",
            train=tuple(t for t in self.train if t.pid in kept),
            test=tuple(self.test[row] for row in rows),
            query=tuple(place[row] for row in self.query if row in place),
            fingerprint=fingerprint([self.fingerprint, str(persons)]),
            notes=(*self.notes, f"limited to {persons} training and {persons} query persons"),
        )


def fingerprint(lines: Iterable[str]) -> str:
    """First 16 hexadecimal digits of the sha256 over the lines."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()[:16]


def image_names(folder: Path) -> list[tuple[str, int]]:
    """``(name, bytes)`` of the images in a folder, sorted by name; hidden files do not count."""
    with os.scandir(folder) as entries:
        return sorted(
            (e.name, e.stat().st_size)
            for e in entries
            if not e.name.startswith(".") and e.name.lower().endswith(IMAGES)
        )


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, sorted by name; hidden ones do not count."""
    return sorted(p for p in Path(folder).iterdir() if p.is_dir() and not p.name.startswith("."))


def find_home(
    root: Path, nested: Sequence[str], holds: Sequence[str], depth: int = 3
) -> Path | None:
    """The nearest folder that holds all of ``holds``, looked for below ``root``.

    Args:
        root: where to begin.
        nested: names of folders that copies wrap around a data set, e.g. ``i-LIDS-VID``.
        holds: folders that a data set consists of.
        depth: how many wrappers are looked through.
    """
    level = [Path(root)]
    for _ in range(depth + 1):
        for home in level:
            if all((home / name).is_dir() for name in holds):
                return home
        level = [home / name for home in level for name in nested if (home / name).is_dir()]
    return None


def find_file(root: Path, home: Path, places: Sequence[str]) -> Path | None:
    """The first of ``places`` that is a file in ``home`` or a folder around it, up to ``root``."""
    folder = Path(home)
    while True:
        for place in places:
            if (folder / place).is_file():
                return folder / place
        if folder == Path(root) or folder == folder.parent:
            return None
        folder = folder.parent


def inside(root: Path, name: str) -> Path:
    """``root / name`` for a name that a file tells, which must not lead out of ``root``.

    Raises:
        ValueError: it is absolute, empty, or climbs out.
    """
    parts = PureWindowsPath(name).parts if os.sep == "\\" else PurePosixPath(name).parts
    leaves = ".." in PurePosixPath(name).parts or ".." in PureWindowsPath(name).parts
    anchored = PurePosixPath(name).anchor or PureWindowsPath(name).anchor
    if not parts or leaves or anchored or "\0" in name:
        raise ValueError(f"{name!r} leads out of {root}: expected a path below it")
    return Path(root, *parts)


def grammatical_images(
    folder: Path, grammar: re.Pattern, example: str, expected: dict[str, str]
) -> list[tuple[str, int]]:
    """``(name, bytes)`` of the images of one tracklet, in the order of their frame numbers.

    Args:
        folder: the tracklet's own folder.
        grammar: of the names, with a group ``frame``; hidden files do not count.
        example: a name that fits, for the error message.
        expected: what other groups of every name must say, e.g. ``{"person": "0001"}``.

    Raises:
        FileNotFoundError: there is no image.
        ValueError: a name does not fit, contradicts its folder, or repeats a frame.
    """
    found: dict[int, tuple[str, int]] = {}
    for name, size in image_names(folder):
        match = grammar.fullmatch(name)
        if match is None:
            raise ValueError(
                f"{folder / name} is not called like {example}: rename it or take it away"
            )
        odd = next((group for group in expected if match[group] != expected[group]), None)
        if odd:
            raise ValueError(
                f"{folder / name}: its name says {odd} {match[odd]}, its place says "
                f"{expected[odd]}: put it where it belongs"
            )
        frame = int(match["frame"])
        if frame in found:
            raise ValueError(
                f"{folder / name} and {found[frame][0]} are both frame {frame}: delete one of them"
            )
        found[frame] = (name, size)
    if not found:
        raise FileNotFoundError(
            f"{folder} holds no image: expected images like {example}; copy them or delete the "
            f"folder"
        )
    return [found[frame] for frame in sorted(found)]
