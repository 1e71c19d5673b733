"""Places that the cameras of the synthetic data set look at, painted with simple shapes."""

from collections.abc import Iterator

import numpy as np
from PIL import ImageDraw

from benchmark.datasets.synthetic.people import Colour

Paper = tuple[ImageDraw.ImageDraw, np.random.Generator, int, int, int]  # …, width, height, horizon


def _near(rng: np.random.Generator, colour: Colour, spread: int = 22) -> Colour:
    return tuple(
        int(v) for v in (np.array(colour) + rng.integers(-spread, spread + 1)).clip(0, 255)
    )


def _pick(rng: np.random.Generator, *colours: Colour) -> Colour:
    return colours[int(rng.integers(len(colours)))]


def _walk(
    rng: np.random.Generator, width: int, low: float, high: float
) -> Iterator[tuple[int, int]]:
    """Cuts ``0..width`` into pieces of ``low..high`` pixels: yields left and right."""
    left = 0
    while left < width:
        right = left + int(rng.uniform(low, high))
        yield left, right
        left = right


def _slabs(paper: Paper, ground: Colour, joint: Colour, steps: int) -> None:
    """A paved ground whose rows grow towards the viewer."""
    draw, rng, width, height, horizon = paper
    deep = height - horizon
    for row in range(steps):
        top = horizon + deep * (row / steps) ** 1.6
        bottom = horizon + deep * ((row + 1) / steps) ** 1.6
        size = deep * (0.12 + 0.35 * row / steps)
        for left, right in _walk(rng, width, size, size * 1.05):
            draw.rectangle((left, top, right, bottom), fill=_near(rng, ground, 9), outline=joint)


def _street(paper: Paper) -> None:
    draw, rng, width, height, horizon = paper
    for left, right in _walk(rng, width, height * 0.5, height * 0.9):
        wall = _near(
            rng, _pick(rng, (168, 140, 116), (140, 140, 144), (186, 176, 150), (150, 108, 92))
        )
        draw.rectangle((left, 0, right, horizon), fill=wall)
        size = height * 0.10
        for x in np.arange(left + size * 0.5, right - size, size * 1.7):
            for y in np.arange(size * 0.3, horizon - size * 1.6, size * 2.0):
                glass = _near(rng, (70, 82, 96), 20)
                draw.rectangle(
                    (x, y, x + size, y + size * 1.4), fill=glass, outline=(210, 206, 196), width=2
                )
    draw.rectangle((0, horizon, width, height), fill=(96, 96, 100))
    curb = horizon + (height - horizon) * 0.18
    draw.rectangle((0, horizon, width, curb), fill=(150, 148, 142))
    draw.rectangle((0, curb, width, curb + height * 0.012), fill=(190, 188, 180))
    line = horizon + (height - horizon) * 0.75
    for left, right in _walk(rng, width, height * 0.3, height * 0.31):
        draw.rectangle(
            (left, line, (left + right) // 2, line + height * 0.02), fill=(212, 208, 190)
        )


def _brick(paper: Paper) -> None:
    draw, rng, width, height, horizon = paper
    draw.rectangle((0, 0, width, horizon), fill=(168, 156, 144))
    tall = height * 0.03
    for row, y in enumerate(np.arange(horizon, -tall, -tall)):
        for x in np.arange(-(row % 2) * tall, width, tall * 2.2):
            draw.rectangle(
                (x, y - tall, x + tall * 2.05, y - 2), fill=_near(rng, (142, 78, 62), 16)
            )
    for left, right in _walk(rng, width, height * 0.6, height * 1.4):
        top, size = horizon * rng.uniform(0.25, 0.45), min(height * 0.24, (right - left) * 0.5)
        paper_colour = _pick(rng, (220, 216, 200), (60, 110, 150), (196, 60, 56), (60, 60, 66))
        draw.rectangle((left, top, left + size, top + size * 1.3), fill=paper_colour)
        draw.rectangle(
            (left + 6, top + 8, left + size - 6, top + size * 0.5),
            fill=_near(rng, (150, 150, 140), 60),
        )
    _slabs(paper, (158, 154, 148), (128, 124, 120), 7)


def _shops(paper: Paper) -> None:
    draw, rng, width, height, horizon = paper
    for left, right in _walk(rng, width, height * 0.45, height * 0.8):
        frame = _near(rng, _pick(rng, (60, 62, 70), (120, 50, 46), (40, 80, 70), (200, 196, 186)))
        draw.rectangle((left, 0, right, horizon), fill=frame)
        draw.rectangle((left, 0, right, height * 0.16), fill=_near(rng, frame, 50))
        gap = height * 0.03
        draw.rectangle(
            (left + gap, height * 0.2, right - gap, horizon - gap),
            fill=_near(rng, (214, 202, 170), 20),
        )
        for _ in range(7):
            x, y = (
                rng.uniform(left + gap, right - 3 * gap),
                rng.uniform(height * 0.24, horizon - 3 * gap),
            )
            goods = _pick(
                rng, (170, 60, 60), (70, 90, 150), (60, 60, 60), (200, 170, 80), (90, 130, 90)
            )
            draw.rectangle(
                (x, y, x + gap * rng.uniform(1, 3), y + gap * rng.uniform(1, 3)),
                fill=_near(rng, goods),
            )
    _slabs(paper, (186, 180, 170), (160, 154, 146), 6)


def _park(paper: Paper) -> None:
    draw, rng, width, height, horizon = paper
    draw.rectangle((0, 0, width, horizon), fill=(186, 204, 216))
    for left, right in _walk(rng, width, height * 0.16, height * 0.4):
        trunk = height * rng.uniform(0.02, 0.04)
        draw.rectangle(
            (left, horizon * 0.3, left + trunk, horizon), fill=_near(rng, (84, 66, 50), 14)
        )
        size = (right - left) * 0.9
        draw.ellipse(
            (left - size, horizon * 0.45 - size, left + size, horizon * 0.45 + size * 0.7),
            fill=_near(rng, (72, 104, 56), 20),
        )
    draw.rectangle((0, horizon - height * 0.09, width, horizon), fill=(62, 92, 50))
    draw.rectangle((0, horizon, width, height), fill=(106, 136, 74))
    for _ in range(width // 3):
        x, y = rng.uniform(0, width), rng.uniform(horizon, height)
        draw.line((x, y, x + 2, y - height * 0.02), fill=_near(rng, (110, 140, 76), 18), width=2)
    path = horizon + (height - horizon) * 0.5
    draw.rectangle((0, path, width, height), fill=(176, 160, 132))


def _station(paper: Paper) -> None:
    draw, rng, width, height, horizon = paper
    draw.rectangle((0, 0, width, horizon), fill=(196, 200, 196))
    for y in np.arange(0, horizon, height * 0.05):
        draw.line((0, y, width, y), fill=(176, 180, 178), width=2)
    draw.rectangle((0, horizon * 0.55, width, horizon * 0.62), fill=(44, 84, 140))
    for left, right in _walk(rng, width, height * 0.5, height * 1.0):
        pillar = height * 0.09
        draw.rectangle((left, 0, left + pillar, horizon), fill=(120, 124, 128))
        draw.rectangle((left + pillar * 0.7, 0, left + pillar, horizon), fill=(92, 96, 100))
        middle = (left + right) / 2
        draw.rectangle(
            (middle, horizon * 0.2, middle + height * 0.2, horizon * 0.42),
            fill=_near(rng, (52, 54, 60), 30),
        )
        draw.rectangle(
            (middle, horizon - height * 0.1, middle + height * 0.22, horizon), fill=(150, 104, 60)
        )
    _slabs(paper, (150, 156, 160), (118, 124, 128), 8)


def _parking(paper: Paper) -> None:
    draw, rng, width, height, horizon = paper
    draw.rectangle((0, 0, width, horizon), fill=(204, 208, 212))
    draw.rectangle((0, horizon * 0.35, width, horizon), fill=(132, 128, 122))
    for left, right in _walk(rng, width, height * 0.55, height * 0.75):
        body = _near(rng, _pick(rng, (150, 32, 36), (44, 60, 104), (190, 192, 194), (40, 42, 46)))
        low, tall, size = horizon + height * 0.06, height * 0.16, (right - left) * 0.86
        draw.rounded_rectangle((left, low - tall, left + size, low), tall * 0.35, fill=body)
        top = (left + size * 0.2, low - tall * 1.75, left + size * 0.8, low - tall * 0.7)
        draw.rounded_rectangle(top, tall * 0.3, fill=body)
        draw.rectangle((top[0] + 8, top[1] + 8, top[2] - 8, low - tall), fill=(86, 98, 110))
        for wheel in (0.2, 0.8):
            x, r = left + size * wheel, tall * 0.32
            draw.ellipse((x - r, low - r, x + r, low + r), fill=(30, 30, 32))
    draw.rectangle((0, horizon + height * 0.07, width, height), fill=(122, 122, 124))
    for left, _ in _walk(rng, width, height * 0.4, height * 0.41):
        draw.polygon(
            [
                (left, height),
                (left + height * 0.03, height),
                (left + height * 0.1, horizon + height * 0.1),
            ],
            fill=(206, 206, 196),
        )


PLACES = {
    "street": _street,
    "brick wall": _brick,
    "shops": _shops,
    "park": _park,
    "station": _station,
    "parking": _parking,
}
