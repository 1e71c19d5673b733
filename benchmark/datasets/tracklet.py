"""What every data set is: tracklets for training, test tracklets, and which of these are queries."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

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
        """The first ``persons`` training persons and query persons only: to try the road, not to be quoted."""
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
