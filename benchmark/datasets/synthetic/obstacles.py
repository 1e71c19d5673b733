"""Things and passers-by that get between the camera and the walker."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from benchmark.datasets.synthetic.pedestrian import Picture
from benchmark.datasets.synthetic.people import Colour
from benchmark.datasets.synthetic.rng import rng_for
from benchmark.datasets.synthetic.tracks import Shot

MATERIALS: tuple[Colour, ...] = (
    (96, 98, 102),
    (164, 162, 156),
    (118, 84, 58),
    (60, 76, 98),
    (150, 60, 50),
    (58, 84, 66),
)
THINGS = ("passer", "passer", "passer", "pole", "board", "low", "bush")


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """Something that passes before the walker.

    Attributes:
        kind: one of `THINGS`.
        threshold: it comes if the occlusion is above this.
        middle: the frame it is best seen in, as a share of the shot.
        share: of the shot that it lasts at an occlusion of 1.
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


def obstacles(shot: Shot, seed: int) -> list[Obstacle]:
    """Everything that may get in the way of a shot; the occlusion decides what does."""
    rng = rng_for(seed, "occlusion", *shot.key)
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


def draw_thing(picture: Picture, obstacle: Obstacle, x: float) -> None:
    """Draw an obstacle that is no passer-by before everything drawn so far.

    Args:
        picture: drawn into.
        obstacle: of any other kind.
        x: column of its middle, in pixels.
    """
    high = picture.depth.shape[0]
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
        rng = rng_for(obstacle.number, "leaves")
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
