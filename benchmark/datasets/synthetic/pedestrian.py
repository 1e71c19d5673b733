"""Draws a walking person from any side.

Every part of the body is a cone with elliptical cross-section and rounded ends, drawn into a
picture with a depth buffer, so that limbs hide each other as they should whatever the heading.
Heading 0° comes towards the camera, 90° walks to the right, 180° goes away.
"""

import math
from dataclasses import dataclass

import numpy as np

from benchmark.datasets.synthetic.body import parts
from benchmark.datasets.synthetic.clothes import ROWS, TURNS
from benchmark.datasets.synthetic.parts import Part, Point
from benchmark.datasets.synthetic.people import Person

_ARCSINE = np.degrees(np.arcsin(np.linspace(-1, 1, 513))).astype(np.float32)


@dataclass(frozen=True)
class Picture:
    """What parts are drawn into: uint8 ``colour`` [H, W, 3] and ``depth`` [H, W], large is near."""

    colour: np.ndarray
    depth: np.ndarray

    @classmethod
    def on(cls, background: np.ndarray) -> "Picture":
        """A picture with nothing in front of the given background, which is drawn over."""
        return cls(background, np.full(background.shape[:2], -np.inf, np.float32))


@dataclass(frozen=True)
class Stand:
    """Where and how a person stands in a picture.

    Attributes:
        x, y: of the spot on the ground below the body, in pixels.
        scale: pixels per body height.
        heading: in degrees, 0 towards the camera, 90 to the right.
        pitch: of the camera looking down, in degrees.
        light: direction the light comes from: right, up, towards the viewer (length 1).
    """

    x: float
    y: float
    scale: float
    heading: float
    pitch: float
    light: Point

    def project(self, point: Point) -> Point:
        """Pixel column, pixel row and depth in pixels."""
        heading, pitch = math.radians(self.heading), math.radians(self.pitch)
        forward, left, up = point
        right = forward * math.sin(heading) + left * math.cos(heading)
        near = forward * math.cos(heading) - left * math.sin(heading)
        return (
            round(self.x + self.scale * right, 3),
            round(self.y - self.scale * (up * math.cos(pitch) - near * math.sin(pitch)), 3),
            round(self.scale * (near * math.cos(pitch) + up * math.sin(pitch)), 3),
        )


def draw(picture: Picture, person: Person, stand: Stand, phase: float) -> None:
    """Draw a person into the picture.

    Args:
        picture: drawn into.
        person: who.
        stand: where, how large, from which side.
        phase: of the gait in radians; a cycle of two steps is 2π.
    """
    for part in parts(person, phase):
        _draw_part(picture, part, stand)


def _draw_part(picture: Picture, part: Part, stand: Stand) -> None:
    x0, y0, z0 = stand.project(part.start)
    x1, y1, z1 = stand.project(part.end)
    facing = abs(math.cos(math.radians(stand.heading))), abs(math.sin(math.radians(stand.heading)))
    half = [
        stand.scale * math.hypot(w * facing[0], t * facing[1])
        for w, t in zip(part.width, part.thick, strict=True)
    ]
    deep = [
        stand.scale * math.hypot(w * facing[1], t * facing[0])
        for w, t in zip(part.width, part.thick, strict=True)
    ]
    height, width = picture.depth.shape
    reach = max(half) + 1
    left, right = max(0, int(min(x0, x1) - reach)), min(width, int(max(x0, x1) + reach) + 1)
    top, bottom = max(0, int(min(y0, y1) - reach)), min(height, int(max(y0, y1) + reach) + 1)
    if left >= right or top >= bottom:
        return
    length = max(math.hypot(x1 - x0, y1 - y0), 1e-3)
    ux, uy = ((x1 - x0) / length, (y1 - y0) / length) if length > 1e-2 else (0.0, -1.0)
    dx = np.arange(left, right, dtype=np.float32)[None] + np.float32(0.5 - x0)
    dy = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - y0)
    along = dx * ux + dy * uy  # [h, w] pixels from the start towards the end
    across = dx * -uy + dy * ux
    share = np.clip(along / length, 0, 1)
    over = along - share * length  # pixels beyond the ends
    side = across / (half[0] + (half[1] - half[0]) * share)  # -1 .. 1 across the part
    end = [max(cap, 0.02) * size for cap, size in zip(part.caps, half, strict=True)]
    beyond = over * np.where(over < 0, np.float32(1 / end[0]), np.float32(1 / end[1]))
    bulge = 1 - side * side - beyond * beyond
    seen = bulge > 0
    np.sqrt(np.maximum(bulge, 0, out=bulge), out=bulge)
    z = z0 + (z1 - z0) * share + (deep[0] + (deep[1] - deep[0]) * share) * bulge
    nearer = picture.depth[top:bottom, left:right]
    seen &= z > nearer
    if not seen.any():
        return
    np.copyto(nearer, z, where=seen)
    lit = _shade(part, stand, side[seen], beyond[seen] * (half[1] / (half[1] + length)), (ux, uy))
    row = (along[seen] + end[0]) * (ROWS / (length + end[0] + end[1]))
    paint = lit[:, None] * _look(part, row, side[seen], stand.heading)
    picture.colour[top:bottom, left:right][seen] = np.minimum(paint, 255).astype(np.uint8)


def _look(part: Part, row: np.ndarray, side: np.ndarray, heading: float) -> np.ndarray:
    """Colours of the seen pixels, unlit: by their row and how far they are to the side."""
    if isinstance(part.look, tuple):
        return np.float32(part.look)
    turn = _ARCSINE[((side + 1) * 256).astype(np.intp)] - np.float32(heading)
    turn = (turn * (TURNS / 360)).astype(np.intp) % TURNS
    return part.look[row.astype(np.intp).clip(0, ROWS - 1), turn]


def _shade(
    part: Part, stand: Stand, side: np.ndarray, beyond: np.ndarray, axis: tuple[float, float]
) -> np.ndarray:
    """Brightness of the seen pixels: light from one direction, and a soft dark rim."""
    ux, uy = axis
    lx, ly, lz = stand.light
    bulge = np.sqrt(np.maximum(1 - side * side - beyond * beyond, 0))
    right = side * -uy + beyond * ux
    down = side * ux + beyond * uy
    lit = right * lx - down * ly + bulge * lz
    return part.shine * (0.46 + 0.22 * bulge + 0.40 * np.maximum(lit, 0))
