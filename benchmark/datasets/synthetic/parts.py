"""Rounded parts that a body is put together from, and how to place them.

Body coordinates are (forward, left, up) in heights of an average person, with the ground at 0.
"""

import math
from dataclasses import dataclass

import numpy as np

from benchmark.datasets.synthetic.people import Colour

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Part:
    """A rounded cone from ``start`` to ``end``.

    Attributes:
        width: half widths at start and end, to the body's left and right; ``thick``: forward
            and back.
        caps: roundness of the two ends, 1 a half ball, 0 cut flat.
        look: one colour, or a texture [rows, turns, 3] with row 0 at the start, column 0 in front.
        shine: brightness of the whole part.
    """

    start: Point
    end: Point
    width: tuple[float, float]
    thick: tuple[float, float]
    look: Colour | np.ndarray
    caps: tuple[float, float] = (1.0, 1.0)
    shine: float = 1.0


def add(a: Point, b: Point) -> Point:
    """The sum of two points."""
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def hanging(length: float, angle: float) -> Point:
    """A limb that hangs down, swung forward by ``angle``."""
    return (length * math.sin(angle), 0.0, -length * math.cos(angle))


def mix(a: Point, b: Point, share: float) -> Point:
    """The point that lies a share of the way from ``a`` to ``b``."""
    return tuple(p + (q - p) * share for p, q in zip(a, b, strict=True))
