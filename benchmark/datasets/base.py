"""What every data set is: tracklets to train on, test tracklets, and which are queries."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

from benchmark.datasets.held_out import assign_folds, choose_queries

JUNK = -1  # a tracklet that is neither right nor wrong
DISTRACTOR = 0  # a tracklet of nobody in particular
OUTLINE = "not rendered yet"  # the note of a data set that will make itself
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
        name: canonical variant, e.g. ``synthetic[occlusion=0.6]``, with a suffix where only a part
            of it is left, e.g. ``mars:5persons``; `benchmark.datasets.catalogue` opens it again.
        train: tracklets to train on.
        test: every test tracklet, in the data set's own order (protocols decide who is in the
            gallery).
        query: rows of ``test`` that are queries.
        fingerprint: hash of split files, names and sizes.
        protocol: the protocol that its numbers are usually reported under.
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
        """Smoke test: the first N training and query identities; such numbers are not quoted.

        Raises:
            ValueError: fewer than 2 persons.
        """
        if persons < 2:
            raise ValueError(
                f"a limit of {persons} persons leaves nobody to tell apart: give 2 or more"
            )
        kept = set(self.train_pids[:persons])
        queried = set(sorted({self.test[row].pid for row in self.query})[:persons])
        rows = [row for row, t in enumerate(self.test) if t.pid in queried]
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

    def held_out(self, fold: int = 0, folds: int = 5, seed: int = 0) -> "Dataset":
        """Training identities alone, one fold of them held out to validate on.

        The identities are dealt into folds, stratified by the number of their cameras; the folds
        are disjoint and cover all identities. The training tracklets of the fold become the test
        part. Its queries are one tracklet for each identity and camera, as long as every query
        keeps a match in another camera that is no query; without cameras it is one tracklet for
        each identity that has two. The rest is the gallery: those of one camera (or one tracklet)
        only stay in it as wrong matches. No test tracklet of this data set is in the new one.

        Args:
            fold: which fold is held out, 0..folds-1.
            folds: how many there are; the share that is held out is 1/folds.
            seed: another seed deals other folds.

        Raises:
            ValueError: there is no such fold, or it leaves no query or nobody to tell apart.
        """
        if folds < 2 or not 0 <= fold < folds or seed < 0:
            raise ValueError(
                f"held-out fold {fold} of {folds}, seed {seed}: expected 2 folds or more, a fold "
                f"of 0..{max(folds, 2) - 1} and a seed of 0 or more"
            )
        places = assign_folds(self.train, folds, seed)
        train = tuple(t for t in self.train if places[t.pid] != fold)
        test = tuple(t for t in self.train if places[t.pid] == fold)
        query = choose_queries(test, cameras=self.cameras)
        if not query or len({t.pid for t in train}) < 2 or len({t.pid for t in test}) < 2:
            raise ValueError(
                f"{self.name}: fold {fold} of {folds} leaves nothing to train on or to validate "
                f"with: {len(self.train_pids)} training persons are too few, take fewer folds"
            )
        suffix = f"held-out-{fold}-of-{folds}" + (f"-seed-{seed}" if seed else "")
        return replace(
            self,
            name=f"{self.name}:{suffix}",
            train=train,
            test=test,
            query=query,
            fingerprint=fingerprint([self.fingerprint, suffix]),
            protocol="validation",
            notes=(*self.notes, f"fold {fold} of {folds} of the training persons is held out"),
        )


def fingerprint(lines: Iterable[str]) -> str:
    """First 16 hexadecimal digits of the sha256 over the lines."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()[:16]
