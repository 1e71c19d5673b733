"""What the people of the synthetic data set wear, as textures that are wrapped round the body."""

import numpy as np

from benchmark.datasets.synthetic.people import Colour, Person

STRIPE: Colour = (214, 214, 208)
ROWS, TURNS = 48, 72  # of a texture: rows from the lower end up, columns once round from the front
ROW = np.repeat((np.arange(ROWS)[:, None] + 0.5) / ROWS, TURNS, axis=1)  # 0 .. 1
TURN = np.repeat((np.arange(TURNS)[None] + 0.5) * 360 / TURNS, ROWS, axis=0)
TURN = (TURN + 180) % 360 - 180  # degrees from the front, 90 the person's left


def torso_texture(person: Person) -> np.ndarray:
    """Upper clothes with bag straps, ``[ROWS, TURNS, 3]`` in 0..255; row 0 is the hem."""
    texture = np.empty((ROWS, TURNS, 3), np.float32)
    texture[:] = person.upper
    texture[_accented(person.pattern, person.count)] = person.accent
    strap = np.zeros((ROWS, TURNS), bool)
    if person.bag == "backpack":
        strap = (abs(abs(TURN) - 38) < 8) & (ROW > 0.3)
    if person.bag == "shoulder bag":
        line = 50 - 140 * (1 - ROW)  # over the left shoulder down to the right hip
        behind = (360 - TURN) % 360 - 180  # the same strap mirrored on the back
        strap = (abs(TURN - line) < 9) | (abs(behind - line) < 9)
    texture[strap] = np.multiply(person.bag_colour, 0.8)
    folds = np.sin(0.11 * TURN + 7 * ROW) + np.sin(0.07 * TURN - 13 * ROW)
    return texture * (1 + 0.03 * folds[..., None]).astype(np.float32)


def _accented(pattern: str, count: int) -> np.ndarray:
    """Where the second colour goes, bool ``[ROWS, TURNS]``."""
    hoops = (ROW * count) % 1 < 0.42
    bars = (TURN / 360 * (2 * count + 4)) % 1 < 0.4
    dots = (ROW * 2 * count % 2 - 1) ** 2 + (TURN / 20 % 2 - 1) ** 2 < 0.45
    return {
        "plain": np.zeros((ROWS, TURNS), bool),
        "hoops": hoops,
        "bars": bars,
        "checks": hoops ^ bars,
        "badge": (abs(TURN) < 34) & (abs(ROW - 0.62) < 0.17),
        "half": ROW < 0.48,
        "belt": abs(ROW - 0.55) < 0.13,
        "open": abs(TURN) < 22,
        "dots": dots,
        "print": (abs(TURN) > 140) & (abs(ROW - 0.6) < 0.22),
        "yoke": ROW > 0.74,
        "sash": abs((TURN - 180 * ROW + 400) % 180 - 90) < 28,
    }[pattern]


def leg_texture(person: Person, side: int) -> np.ndarray:
    """A trouser leg with its stripe at the outer side, ``[ROWS, TURNS, 3]``; ``side`` 1 is left."""
    texture = np.empty((ROWS, TURNS, 3), np.float32)
    texture[:] = person.lower
    if person.stripe:
        texture[:, abs(TURN[0] - 90 * side) < 24] = STRIPE
    return texture


def face_texture(person: Person) -> np.ndarray:
    """A head from chin to crown, ``[ROWS, TURNS, 3]``: skin, eyes, brows, mouth, hair line."""
    texture = np.empty((ROWS, TURNS, 3), np.float32)
    texture[:] = person.skin
    eye = abs(abs(TURN) - 27) < 12
    texture[eye & (abs(ROW - 0.54) < 0.035)] = np.multiply(person.skin, 0.3)
    texture[eye & (abs(ROW - 0.64) < 0.025)] = np.multiply(person.hair, 0.8)
    texture[(abs(TURN) < 24) & (abs(ROW - 0.27) < 0.03)] = np.multiply(
        person.skin, (0.75, 0.5, 0.5)
    )
    texture[(abs(TURN) < 7) & (abs(ROW - 0.42) < 0.06)] = np.multiply(person.skin, 0.85)
    if person.hairstyle != "bald":
        line = np.where(abs(TURN) < 55, 0.8, np.where(abs(TURN) < 95, 0.6, 0.1))
        texture[line < ROW] = person.hair
    return texture
