"""Who walks where in the synthetic data set, before anything is drawn."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from benchmark.datasets.base import DISTRACTOR, JUNK
from benchmark.datasets.synthetic.cameras import Camera, cameras
from benchmark.datasets.synthetic.people import Person, people
from benchmark.datasets.synthetic.rng import rng_for

TRAINING = 5  # training persons for one test person

RANGES = {
    "identities": (3, 1666),
    "cameras": (2, 9),
    "tracklets": (2, 50),
    "frames": (2, 400),
    "size": (32, 512),
    "occlusion": (0, 1),
    "misalignment": (0, 1),
    "noise": (0, 1),
    "seed": (0, 2**32 - 1),
}


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Somebody in the box: who, how far from its middle (in widths, heights), how large."""

    person: Person
    heading: float
    phase: float
    right: float = 0.0
    down: float = 0.0
    size: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One tracklet before it is filmed.

    Attributes:
        pid: person, -1 junk, 0 distractor.
        camera: who films.
        number: of the tracklet among those of its ``pid``, from 1.
        length: frames.
        key: what the random numbers of this shot are keyed by, beside the seed.
        actors: the last one is followed by the box; nobody: a piece of backdrop.
    """

    pid: int
    camera: Camera
    number: int
    length: int
    key: tuple[int, ...]
    actors: tuple[Actor, ...]


@dataclass(frozen=True, kw_only=True)
class RenderSettings:
    """How a shot is filmed; see `benchmark.datasets.synthetic.dataset.synthetic` for the knobs."""

    size: int
    occlusion: float
    misalignment: float
    noise: float
    seed: int

    @property
    def fineness(self) -> int:
        """Pixels drawn for one pixel kept, along each axis."""
        return 2


@dataclass(frozen=True, kw_only=True)
class Knobs:
    """The settings of `synthetic`, checked.

    Raises:
        ValueError: a knob is out of range.
    """

    identities: int
    cameras: int
    tracklets: int
    frames: int
    size: int
    occlusion: float
    misalignment: float
    noise: float
    seed: int

    def __post_init__(self):
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"synthetic: {name} is {value}, expected {low}..{high}")
        if self.size % 2:
            raise ValueError(
                f"synthetic: size is {self.size}, expected an even number: the width is half of it"
            )

    @property
    def settings(self) -> RenderSettings:
        """What matters for filming."""
        return RenderSettings(
            size=self.size,
            occlusion=self.occlusion,
            misalignment=self.misalignment,
            noise=self.noise,
            seed=self.seed,
        )


def shots_of(knobs: Knobs) -> dict[str, tuple[Shot, ...]]:
    """The shots of ``train`` and ``test``, in the order of the MARS tables; no nuisance counts."""
    crowd = {
        "train": people(knobs.seed, "train", TRAINING * knobs.identities),
        "test": people(knobs.seed, "test", knobs.identities),
    }
    found: dict[str, list[Shot]] = {"train": [], "test": [*_junk(knobs), *_distractors(knobs)]}
    often = {"train": knobs.tracklets // 2, "test": knobs.tracklets}
    for part, first in (("train", 1), ("test", TRAINING * knobs.identities + 1)):
        for i, person in enumerate(crowd[part]):
            last = part == "test" and i == knobs.identities - 1
            found[part] += _visits(knobs, first + i, person, often[part], lone=last)
    first = next(row for row, shot in enumerate(found["test"]) if shot.pid > 0)
    found["test"][first] = dataclasses.replace(found["test"][first], length=2)  # as MARS has them
    return {part: tuple(shots) for part, shots in found.items()}


def _visits(knobs: Knobs, pid: int, person: Person, about: int, *, lone: bool) -> list[Shot]:
    """About so many shots of one person, by camera; a lone one is seen by one camera only."""
    rng = rng_for(knobs.seed, "visits", pid)
    all_cameras = cameras(knobs.seed, knobs.cameras)
    order = rng.permutation(len(all_cameras))
    count = max(2, about + int(rng.choice((-1, 0, 0, 1))))
    again = rng.random(count) < 0.15
    seen = [order[0] if lone else order[i % len(all_cameras)] for i in range(count)]
    seen = sorted(seen[0] if again[i] and i > 1 else camera for i, camera in enumerate(seen))
    return [
        _shot(knobs, pid, all_cameras[camera], number, (1, pid, number), (person,))
        for number, camera in enumerate(seen, start=1)
    ]


def _distractors(knobs: Knobs) -> list[Shot]:
    strangers = people(knobs.seed, "strangers", max(2, knobs.identities * 5 // 6))
    all_cameras = cameras(knobs.seed, knobs.cameras)
    seen_by = rng_for(knobs.seed, "strangers").integers(knobs.cameras, size=len(strangers))
    return [
        _shot(knobs, DISTRACTOR, all_cameras[camera], number, (2, number), (stranger,))
        for number, (camera, stranger) in enumerate(
            zip(sorted(seen_by), strangers, strict=True), start=1
        )
    ]


def _junk(knobs: Knobs) -> list[Shot]:
    """Bad boxes: halves of people, two at once, or nobody; people of the test part among them."""
    crowd = people(knobs.seed, "test", knobs.identities)
    rng = rng_for(knobs.seed, "junk")
    seen_by = sorted(rng.integers(knobs.cameras, size=max(3, knobs.identities // 3)))
    shots = []
    for number, place in enumerate(seen_by, start=1):
        a, b = (crowd[i] for i in rng.choice(len(crowd), 2, replace=False))
        kind = ("legs", "head", "two", "nobody", "edge")[number % 5]
        camera = cameras(knobs.seed, knobs.cameras)[place]
        persons = {"two": (a, b), "nobody": ()}.get(kind, (a,))
        shot = _shot(knobs, JUNK, camera, number, (3, number), persons)
        moves = {
            "legs": [{"size": 2.0, "down": 0.05}],
            "head": [{"size": 1.9, "down": 0.72}],
            "edge": [{"right": 0.42, "size": 1.1}],
            "two": [{"right": -0.24, "size": 0.9, "down": -0.02}, {"right": 0.22, "size": 0.94}],
            "nobody": [],
        }[kind]
        actors = tuple(dataclasses.replace(x, **y) for x, y in zip(shot.actors, moves, strict=True))
        shots.append(dataclasses.replace(shot, actors=actors))
    return shots


def _shot(
    knobs: Knobs,
    pid: int,
    camera: Camera,
    number: int,
    key: tuple[int, ...],
    persons: tuple[Person, ...],
) -> Shot:
    rng = rng_for(knobs.seed, "take", *key)
    # 0 comes, 90 goes right, 180 goes away, 270 goes left
    side = 90.0 * int(rng.choice(4, p=camera.sides))
    heading = round(side + float(rng.normal(0, 14)), 2)
    phase = round(float(rng.uniform(0, 6.2832)), 3)
    if rng.random() < 0.1:
        length = int(rng.integers(3, 8))
    else:
        spread = float(np.clip(rng.normal(0.03, 0.35), -0.69, 0.69))
        length = max(2, round(knobs.frames * 2.0**spread))
    actors = tuple(
        Actor(person=person, heading=heading + 12 * i, phase=phase + 2 * i)
        for i, person in enumerate(persons)
    )
    return Shot(pid=pid, camera=camera, number=number, length=length, key=key, actors=actors)


def queries(shots: tuple[Shot, ...], seed: int) -> list[int]:
    """Rows that are queries: one for each person and camera, if another camera saw the person."""
    rows: dict[int, dict[int, list[int]]] = {}
    for row, shot in enumerate(shots):
        if shot.pid > 0:
            rows.setdefault(shot.pid, {}).setdefault(shot.camera.number, []).append(row)
    found = []
    for pid, seen in rows.items():
        rng = rng_for(seed, "query", pid)
        if len(seen) > 1:
            found += [int(rng.choice(seen[camera])) for camera in sorted(seen)]
    return sorted(found)
