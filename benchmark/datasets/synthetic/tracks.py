"""Who walks where in the synthetic data set, before anything is drawn."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from benchmark.datasets.base import DISTRACTOR, JUNK
from benchmark.datasets.synthetic.background import Camera, cameras
from benchmark.datasets.synthetic.clothes import Person, people, stream
from benchmark.datasets.synthetic.scene import Actor, Conditions, Take

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
    def conditions(self) -> Conditions:
        """What matters for filming."""
        return Conditions(
            size=self.size,
            occlusion=self.occlusion,
            misalignment=self.misalignment,
            noise=self.noise,
            seed=self.seed,
        )


def plan(knobs: Knobs) -> dict[str, tuple[Take, ...]]:
    """The takes of ``train`` and ``test``, in the order of the MARS tables; no nuisance counts."""
    crowd = {
        "train": people(knobs.seed, "train", TRAINING * knobs.identities),
        "test": people(knobs.seed, "test", knobs.identities),
    }
    found: dict[str, list[Take]] = {"train": [], "test": [*_junk(knobs), *_distractors(knobs)]}
    often = {"train": knobs.tracklets // 2, "test": knobs.tracklets}
    for part, first in (("train", 1), ("test", TRAINING * knobs.identities + 1)):
        for i, person in enumerate(crowd[part]):
            last = part == "test" and i == knobs.identities - 1
            found[part] += _visits(knobs, first + i, person, often[part], lone=last)
    start = next(row for row, take in enumerate(found["test"]) if take.pid > 0)
    found["test"][start] = dataclasses.replace(
        found["test"][start], length=2
    )  # as short as MARS has them
    return {part: tuple(takes) for part, takes in found.items()}


def _visits(knobs: Knobs, pid: int, person: Person, about: int, *, lone: bool) -> list[Take]:
    """About so many takes of one person, by camera; a lone one is seen by one camera only."""
    rng = stream(knobs.seed, "visits", pid)
    eyes = cameras(knobs.seed, knobs.cameras)
    order = rng.permutation(len(eyes))
    count = max(2, about + int(rng.choice((-1, 0, 0, 1))))
    again = rng.random(count) < 0.15
    seen = [order[0] if lone else order[i % len(eyes)] for i in range(count)]
    seen = sorted(seen[0] if again[i] and i > 1 else camera for i, camera in enumerate(seen))
    return [
        _take(knobs, pid, eyes[camera], number, (1, pid, number), (person,))
        for number, camera in enumerate(seen, start=1)
    ]


def _distractors(knobs: Knobs) -> list[Take]:
    strangers = people(knobs.seed, "strangers", max(2, knobs.identities * 5 // 6))
    eyes = stream(knobs.seed, "strangers").integers(knobs.cameras, size=len(strangers))
    return [
        _take(
            knobs,
            DISTRACTOR,
            cameras(knobs.seed, knobs.cameras)[eye],
            number,
            (2, number),
            (stranger,),
        )
        for number, (eye, stranger) in enumerate(zip(sorted(eyes), strangers, strict=True), start=1)
    ]


def _junk(knobs: Knobs) -> list[Take]:
    """Bad boxes: halves of people, two at once, or nobody; people of the test part among them."""
    crowd = people(knobs.seed, "test", knobs.identities)
    rng = stream(knobs.seed, "junk")
    eyes = sorted(rng.integers(knobs.cameras, size=max(3, knobs.identities // 3)))
    takes = []
    for number, eye in enumerate(eyes, start=1):
        a, b = (crowd[i] for i in rng.choice(len(crowd), 2, replace=False))
        kind = ("legs", "head", "two", "nobody", "edge")[number % 5]
        camera = cameras(knobs.seed, knobs.cameras)[eye]
        cast = {"two": (a, b), "nobody": ()}.get(kind, (a,))
        take = _take(knobs, JUNK, camera, number, (3, number), cast)
        moves = {
            "legs": [{"size": 2.0, "down": 0.05}],
            "head": [{"size": 1.9, "down": 0.72}],
            "edge": [{"right": 0.42, "size": 1.1}],
            "two": [{"right": -0.24, "size": 0.9, "down": -0.02}, {"right": 0.22, "size": 0.94}],
            "nobody": [],
        }[kind]
        actors = tuple(dataclasses.replace(x, **y) for x, y in zip(take.actors, moves, strict=True))
        takes.append(dataclasses.replace(take, actors=actors))
    return takes


def _take(
    knobs: Knobs,
    pid: int,
    camera: Camera,
    number: int,
    key: tuple[int, ...],
    cast: tuple[Person, ...],
) -> Take:
    rng = stream(knobs.seed, "take", *key)
    side = 90.0 * int(
        rng.choice(4, p=camera.sides)
    )  # 0 comes, 90 goes right, 180 goes away, 270 goes left
    heading = round(side + float(rng.normal(0, 14)), 2)
    phase = round(float(rng.uniform(0, 6.2832)), 3)
    if rng.random() < 0.1:
        length = int(rng.integers(3, 8))
    else:
        spread = float(np.clip(rng.normal(0.03, 0.35), -0.69, 0.69))
        length = max(2, round(knobs.frames * 2.0**spread))
    actors = tuple(
        Actor(person=person, heading=heading + 12 * i, phase=phase + 2 * i)
        for i, person in enumerate(cast)
    )
    return Take(pid=pid, camera=camera, number=number, length=length, key=key, actors=actors)


def queries(takes: tuple[Take, ...], seed: int) -> list[int]:
    """Rows that are queries: one for each person and camera, if another camera saw the person."""
    rows: dict[int, dict[int, list[int]]] = {}
    for row, take in enumerate(takes):
        if take.pid > 0:
            rows.setdefault(take.pid, {}).setdefault(take.camera.number, []).append(row)
    found = []
    for pid, seen in rows.items():
        rng = stream(seed, "query", pid)
        if len(seen) > 1:
            found += [int(rng.choice(seen[camera])) for camera in sorted(seen)]
    return sorted(found)
