"""Films a shot: walkers before a backdrop, things in the way, a shaky box, a poor sensor.

Each of the three nuisances draws from a generator of its own, and its severity only moves
thresholds and sizes. So one knob changes one thing, more of it contains less of it, and the walkers
walk as before.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmark.datasets.synthetic.background import MARGIN, backdrop
from benchmark.datasets.synthetic.cameras import Camera
from benchmark.datasets.synthetic.exposure import Exposure
from benchmark.datasets.synthetic.obstacles import Obstacle, draw_thing, obstacles
from benchmark.datasets.synthetic.pedestrian import Picture, Stand, draw
from benchmark.datasets.synthetic.people import Person
from benchmark.datasets.synthetic.rng import rng_for
from benchmark.datasets.synthetic.tracks import Actor, RenderSettings, Shot

SIZE = 0.86  # height of an average person in a perfect box, as a share of the box
GROUND = 0.955  # where the feet stand in it


def film(
    shot: Shot, settings: RenderSettings, passers: tuple[Person, ...]
) -> Iterator[Image.Image]:
    """The frames of a shot, in order.

    Args:
        shot: who walks where.
        settings: nuisances and size.
        passers: people who may get in the way.
    """
    in_the_way = obstacles(shot, settings.seed)
    boxes = _boxes(shot, settings)
    exposure = Exposure(shot, settings)
    for frame in range(shot.length):
        picture = _stage(shot, settings, frame, boxes[frame])
        for obstacle in in_the_way:
            place = obstacle.place(frame, shot.length, settings.occlusion)
            if place is not None:
                _block(picture, obstacle, place, boxes[frame], shot.camera, passers)
        image = Image.fromarray(picture.colour).reduce(settings.fineness)
        yield exposure.expose(np.asarray(image, np.float32))


@dataclass(frozen=True)
class Box:
    """Where the walker is in the box, in drawn pixels: middle, ground, pixels per height."""

    x: float
    y: float
    scale: float


def _boxes(shot: Shot, settings: RenderSettings) -> list[Box]:
    """One box a frame: a fixed error of the detector and a wandering one, times the knob."""
    rng = rng_for(settings.seed, "misalignment", *shot.key)
    fixed = rng.normal(0, 1, 3).clip(-2, 2)
    steps = rng.normal(0, 1, (shot.length, 3)).clip(-2, 2)
    wander = np.zeros(3)
    high = settings.size * settings.fineness
    boxes = []
    for step in steps:
        wander = 0.6 * wander + 0.8 * step
        right, down, grow = settings.misalignment * (fixed + 0.45 * wander)
        boxes.append(
            Box(
                x=high * (0.25 + 0.09 * right),
                y=high * (GROUND + 0.07 * down + 0.05 * grow),
                scale=high * SIZE * math.exp(0.18 * grow),
            )
        )
    return boxes


def _stage(shot: Shot, settings: RenderSettings, frame: int, box: Box) -> Picture:
    """Backdrop, shadows and actors of one frame."""
    high = settings.size * settings.fineness
    rng = rng_for(settings.seed, "place", *shot.key)
    painted = backdrop(settings.seed, shot.camera, high)
    start = int(rng.integers(painted.shape[1])) - (box.x - high / 4)
    down = round(float(np.clip(MARGIN * high - (box.y - high * GROUND), 0, 2 * MARGIN * high)))
    if shot.actors:
        lead = shot.actors[-1]
        pace = 4 * 0.49 * math.sin(lead.person.stride) * lead.person.cadence * high * SIZE
        start += pace * frame * math.sin(math.radians(lead.heading))
    columns = (round(start) + np.arange(high // 2)) % painted.shape[1]
    picture = Picture.on(painted[down : down + high, columns])
    stands = [_stand(actor, box, shot.camera, high) for actor in shot.actors]
    for stand in stands:
        _shadow(picture, stand)
    for actor, stand in zip(shot.actors, stands, strict=True):
        draw(picture, actor.person, stand, actor.phase + 2 * math.pi * actor.person.cadence * frame)
    return picture


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
    draw_thing(picture, obstacle, x)
