"""Films a tracklet: walkers before a backdrop, things in the way, a shaky box, a poor sensor.

Each of the three nuisances draws from a stream of its own, and its severity only moves thresholds
and sizes. So one knob changes one thing, more of it contains less of it, and the walkers walk as
before.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from benchmark.datasets.synthetic.background import MARGIN, Camera, backdrop
from benchmark.datasets.synthetic.clothes import Colour, Person, stream
from benchmark.datasets.synthetic.pedestrian import Picture, Stand, draw

SIZE = 0.86  # height of an average person in a perfect box, as a share of the box
GROUND = 0.955  # where the feet stand in it
MATERIALS: tuple[Colour, ...] = (
    (96, 98, 102),
    (164, 162, 156),
    (118, 84, 58),
    (60, 76, 98),
    (150, 60, 50),
    (58, 84, 66),
)
WEATHER, BALANCE = 0.15, 0.04  # how light and its colour change from take to take
THINGS = ("passer", "passer", "passer", "pole", "board", "low", "bush")


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
class Take:
    """One tracklet before it is filmed.

    Attributes:
        pid: person, -1 junk, 0 distractor.
        camera: who films.
        number: of the tracklet among those of its ``pid``, from 1.
        length: frames.
        key: what the random streams of this take are keyed by, beside the seed.
        actors: the last one is followed by the box; nobody: a piece of backdrop.
    """

    pid: int
    camera: Camera
    number: int
    length: int
    key: tuple[int, ...]
    actors: tuple[Actor, ...]


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How a take is filmed; see `benchmark.datasets.synthetic.dataset.synthetic` for the knobs."""

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
class Obstacle:
    """Something that passes before the walker.

    Attributes:
        kind: one of `THINGS`.
        threshold: it comes if the occlusion is above this.
        middle: the frame it is best seen in, as a share of the take.
        share: of the take that it lasts at an occlusion of 1.
        way: 1 to the right, -1 to the left.
        offset: from the middle of the box at its middle, in widths of the box.
        width: relative; ``colour``: of a thing; ``number``: which passer, and how it stands.
    """

    kind: str
    threshold: float
    middle: float
    share: float
    way: int
    offset: float
    width: float
    colour: Colour
    number: int

    def place(self, frame: int, length: int, occlusion: float) -> float | None:
        """Distance from the middle of the box in widths of it, or None while it is out of sight."""
        if self.threshold >= occlusion:
            return None
        half = max(1.0, self.share * occlusion * length) / 2
        time = (frame + 0.5 - self.middle * length) / half
        return None if abs(time) > 1 else self.offset + 0.7 * self.way * time**3


def film(take: Take, conditions: Conditions, passers: tuple[Person, ...]) -> Iterator[Image.Image]:
    """The frames of a take, in order.

    Args:
        take: who walks where.
        conditions: nuisances and size.
        passers: people who may get in the way.
    """
    in_the_way = obstacles(take, conditions.seed)
    boxes = _boxes(take, conditions)
    lens = _Lens(take, conditions)
    for frame in range(take.length):
        picture, box = _stage(take, conditions, frame, boxes[frame])
        for obstacle in in_the_way:
            place = obstacle.place(frame, take.length, conditions.occlusion)
            if place is not None:
                _block(picture, obstacle, place, box, take.camera, passers)
        image = Image.fromarray(picture.colour).reduce(conditions.fineness)
        yield lens.expose(np.asarray(image, np.float32))


def obstacles(take: Take, seed: int) -> list[Obstacle]:
    """Everything that may get in the way of a take; the occlusion decides what does."""
    rng = stream(seed, "occlusion", *take.key)
    return [
        Obstacle(
            kind=THINGS[int(rng.integers(len(THINGS)))],
            threshold=float(rng.uniform(0, 0.95)),
            middle=float(rng.uniform(0, 1)),
            share=float(rng.uniform(0.5, 1.3)),
            way=int(rng.choice((-1, 1))),
            offset=float(rng.uniform(-0.16, 0.16)),
            width=float(rng.uniform(0.8, 1.25)),
            colour=MATERIALS[int(rng.integers(len(MATERIALS)))],
            number=int(rng.integers(1 << 16)),
        )
        for _ in range(3)
    ]


@dataclass(frozen=True)
class Box:
    """Where the walker is in the box, in drawn pixels: middle, ground, pixels per height."""

    x: float
    y: float
    scale: float


def _boxes(take: Take, conditions: Conditions) -> list[Box]:
    """One box a frame: a fixed error of the detector and a wandering one, times the knob."""
    rng = stream(conditions.seed, "misalignment", *take.key)
    fixed = rng.normal(0, 1, 3).clip(-2, 2)
    steps = rng.normal(0, 1, (take.length, 3)).clip(-2, 2)
    wander = np.zeros(3)
    high = conditions.size * conditions.fineness
    boxes = []
    for step in steps:
        wander = 0.6 * wander + 0.8 * step
        right, down, grow = conditions.misalignment * (fixed + 0.45 * wander)
        boxes.append(
            Box(
                x=high * (0.25 + 0.09 * right),
                y=high * (GROUND + 0.07 * down + 0.05 * grow),
                scale=high * SIZE * math.exp(0.18 * grow),
            )
        )
    return boxes


def _stage(take: Take, conditions: Conditions, frame: int, box: Box) -> tuple[Picture, Box]:
    """Backdrop, shadows and actors of one frame."""
    high = conditions.size * conditions.fineness
    rng = stream(conditions.seed, "place", *take.key)
    painted = backdrop(conditions.seed, take.camera, high)
    start = int(rng.integers(painted.shape[1])) - (box.x - high / 4)
    down = round(float(np.clip(MARGIN * high - (box.y - high * GROUND), 0, 2 * MARGIN * high)))
    if take.actors:
        lead = take.actors[-1]
        pace = 4 * 0.49 * math.sin(lead.person.stride) * lead.person.cadence * high * SIZE
        start += pace * frame * math.sin(math.radians(lead.heading))
    columns = (round(start) + np.arange(high // 2)) % painted.shape[1]
    picture = Picture.on(painted[down : down + high, columns])
    stands = [_stand(actor, box, take.camera, high) for actor in take.actors]
    for stand in stands:
        _shadow(picture, stand)
    for actor, stand in zip(take.actors, stands, strict=True):
        draw(picture, actor.person, stand, actor.phase + 2 * math.pi * actor.person.cadence * frame)
    return picture, box


def _stand(actor: Actor, box: Box, camera: Camera, high: int) -> Stand:
    return Stand(
        x=box.x + actor.right * high / 2,
        y=box.y + actor.down * high,
        scale=box.scale * actor.size / actor.person.height**0.5,
        heading=actor.heading,
        pitch=camera.pitch,
        light=camera.light,
    )


def _shadow(picture: Picture, stand: Stand) -> None:
    """A soft patch on the ground, away from the light."""
    height, width = picture.depth.shape
    across, deep = 0.24 * stand.scale, 0.05 * stand.scale
    x = (
        np.arange(width, dtype=np.float32)
        - np.float32(stand.x - 0.14 * stand.light[0] * stand.scale)
    ) / across
    top, bottom = (int(np.clip(stand.y + d, 0, height)) for d in (-deep - 1, deep + 2))
    y = (np.arange(top, bottom, dtype=np.float32) - np.float32(stand.y - 0.01 * stand.scale)) / deep
    dark = 1 - 0.5 * np.clip(1.2 - x[None] ** 2 - y[:, None] ** 2, 0, 1)
    band = picture.colour[top:bottom]
    picture.colour[top:bottom] = (band * dark[..., None]).astype(np.uint8)


def _block(
    picture: Picture,
    obstacle: Obstacle,
    place: float,
    box: Box,
    camera: Camera,
    passers: tuple[Person, ...],
) -> None:
    """Draw an obstacle before everything drawn so far."""
    high = picture.depth.shape[0]
    x = box.x + place * high / 2
    if obstacle.kind == "passer":
        picture.depth[:] = -np.inf
        actor = Actor(
            person=passers[obstacle.number % len(passers)],
            heading=90 * obstacle.way + obstacle.number % 60 - 30,
            phase=0.9 * obstacle.number + 5 * place,
            right=place,
            down=0.03,
            size=1.06 * obstacle.width**0.5,
        )
        draw(picture, actor.person, _stand(actor, box, camera, high), actor.phase)
        return
    half, top, bottom = {
        "pole": (0.07, -0.1, 1.1),
        "board": (0.26, 0.02, 0.46),
        "low": (0.5, 0.60, 1.1),
        "bush": (0.3, 0.48, 1.1),
    }[obstacle.kind]
    _panel(picture, x, half * obstacle.width * high / 2, (top * high, bottom * high), obstacle)


def _panel(
    picture: Picture, x: float, half: float, rows: tuple[float, float], obstacle: Obstacle
) -> None:
    """A rounded, shaded upright thing from row to row; a bush has a ragged outline and leaves."""
    height, width = picture.depth.shape
    top, bottom = (int(np.clip(row, 0, height)) for row in rows)
    y = np.arange(top, bottom, dtype=np.float32)[:, None]
    side = (np.arange(width, dtype=np.float32)[None] - np.float32(x)) / np.float32(half) + 0 * y
    shade = 0.75 + 0.25 * np.sqrt(np.maximum(1 - side * side, 0))
    colour = np.array(obstacle.colour, np.float32)
    if obstacle.kind == "bush":
        rng = stream(obstacle.number, "leaves")
        coarse = rng.random((9, 7)).astype(np.float32)
        leaves = ndimage.zoom(coarse, (math.ceil(height / 9), math.ceil(width / 7)), order=1)[
            : bottom - top, :width
        ]
        side = side * (0.75 + 0.6 * leaves) / np.minimum(1, 0.35 + (y - rows[0]) / (0.2 * height))
        shade, colour = 0.6 + 0.7 * leaves, np.array((58, 92, 48), np.float32)
    if obstacle.kind in ("board", "low"):
        stripe = (y - rows[0]) / (rows[1] - rows[0])
        shade = shade * np.where((stripe > 0.12) & (stripe < 0.3), 1.35, 1.0)
    seen = abs(side) < 1
    painted = (shade[..., None] * colour).clip(0, 255).astype(np.uint8)
    np.copyto(picture.colour[top:bottom], painted, where=seen[..., None])


class _Lens:
    """Light, colour, blur and grain of one take."""

    def __init__(self, take: Take, conditions: Conditions):
        camera, noise = take.camera, conditions.noise
        rng = stream(conditions.seed, "exposure", *take.key)
        weather = rng.normal(0, 1, 4).clip(-2, 2)
        slope = np.linspace(-0.25, 0.25, conditions.size // 2) * rng.uniform(-1, 1)
        gain = camera.exposure * np.exp(WEATHER * weather[0] + slope)[:, None]
        self.gain = np.float32(gain * np.exp(BALANCE * weather[1:]) * np.array(camera.tint))
        self.contrast = np.float32(camera.contrast * rng.uniform(0.75, 1.05))
        self.saturation = np.float32(camera.saturation * rng.uniform(0.7, 1.1))
        self.blur = camera.blur * conditions.size
        self.rng = stream(conditions.seed, "noise", *take.key)
        smear, coarse, grain = self.rng.uniform(0, 1, 3)
        self.smear = noise * smear * 0.09 * conditions.size  # pixels
        self.coarse = 1 + noise * 1.6 * coarse
        self.grain = np.float32(noise * (10 + 14 * grain) * camera.grain)

    def expose(self, light: np.ndarray) -> Image.Image:
        """One frame, ``[H, W, 3]`` in 0..255, as the camera hands it over."""
        grey = light.mean(axis=2, keepdims=True)
        light = grey + self.saturation * (light - grey)
        light = (110 + self.contrast * (light - 110)) * self.gain
        light = ndimage.gaussian_filter(light, (self.blur, self.blur, 0), truncate=3)
        light = _smear(light, self.smear)
        height, width = light.shape[:2]
        if self.coarse > 1:
            image = Image.fromarray(light.clip(0, 255).astype(np.uint8))
            small = (round(width / self.coarse), round(height / self.coarse))
            image = image.resize(small, Image.Resampling.BOX).resize(
                (width, height), Image.Resampling.BILINEAR
            )
            light = np.asarray(image, np.float32)
        light = light + self.grain * self.rng.standard_normal(light.shape, np.float32)
        return Image.fromarray(light.clip(0, 255).astype(np.uint8))


def _smear(light: np.ndarray, pixels: float) -> np.ndarray:
    """Motion blur along the rows: the mean of ``1 + pixels`` neighbours, the outer ones in part."""
    whole = int(pixels / 2)
    part = np.float32(pixels / 2 - whole)
    weights = np.array([part, *[1.0] * (2 * whole + 1), part], np.float32)
    return ndimage.correlate1d(light, weights / weights.sum(), axis=1)
