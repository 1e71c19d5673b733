"""Who walks through the synthetic data set: body, gait, hair, clothes, shoes, bag and hat.

Colours are shared on purpose. Every pair of upper and lower colour is worn by at least three
persons, who differ in pattern, cut, bag, hat, hair and shape, so that a matcher of colours alone
cannot tell them apart.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from benchmark.datasets.synthetic.rng import rng_for

Colour = tuple[int, int, int]  # red, green, blue in 0..255

UPPER: dict[str, Colour] = {
    "black": (34, 34, 38),
    "white": (226, 226, 222),
    "grey": (128, 130, 134),
    "red": (176, 40, 44),
    "navy": (40, 50, 98),
    "blue": (72, 124, 190),
    "green": (52, 120, 72),
    "yellow": (214, 176, 58),
    "orange": (208, 104, 42),
    "pink": (208, 130, 152),
    "purple": (104, 66, 130),
    "brown": (112, 78, 54),
}
LOWER: dict[str, Colour] = {
    "black": (36, 36, 40),
    "denim": (62, 82, 128),
    "beige": (182, 160, 122),
    "grey": (108, 110, 114),
    "olive": (86, 90, 56),
    "brown": (94, 66, 48),
    "white": (214, 214, 208),
    "wine": (112, 38, 52),
}
PATTERNS = (
    "plain",
    "hoops",
    "bars",
    "checks",
    "badge",
    "half",
    "belt",
    "open",
    "dots",
    "print",
    "yoke",
    "sash",
)
SLEEVES = ("long", "long", "short", "short", "none")
CUTS = ("trousers", "trousers", "trousers", "wide", "shorts", "skirt", "long skirt", "coat")
BAGS = ("none", "backpack", "shoulder bag", "hand bag")
HATS = ("none", "none", "none", "cap", "beanie", "brim")
HAIRSTYLES = ("short", "short", "bald", "bob", "long", "ponytail", "bun", "afro")
HAIR: tuple[Colour, ...] = (
    (30, 26, 26),
    (66, 44, 32),
    (112, 76, 46),
    (196, 160, 98),
    (150, 70, 40),
    (160, 160, 160),
)
SKIN: tuple[Colour, ...] = (
    (236, 198, 172),
    (222, 176, 144),
    (196, 146, 112),
    (158, 108, 78),
    (112, 76, 56),
    (78, 54, 44),
)
SHOES: tuple[Colour, ...] = ((30, 30, 32), (224, 224, 222), (104, 70, 46), (170, 48, 48))
BAG_COLOURS: tuple[Colour, ...] = (
    (40, 42, 48),
    (140, 60, 50),
    (60, 90, 70),
    (170, 140, 96),
    (70, 80, 140),
)
LIGHT: Colour = (232, 232, 228)
DARK: Colour = (28, 28, 34)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Everything that stays with a person from camera to camera.

    Attributes:
        height: of the body, relative to the average.
        build: girth, relative to the average; ``shoulders`` and ``hips`` are widths on top of it.
        legs: length of the legs, relative to the average at this height.
        stride: swing of the thighs in radians; ``arms``: that of the upper arms; ``elbows`` and
            ``knees``: how far they bend.
        cadence: cycles (two steps) in a frame.
        lean: forward lean of the trunk in radians; ``sway``: sideways, as a fraction of height.
        pattern: of the upper clothes, in ``colour`` and ``accent``; ``count`` says how fine.
        cut: of the lower clothes; a ``coat`` is an upper garment down to the knees over trousers.
        stripe: the lower clothes have a pale stripe at the sides.
        colours: names of upper and lower colour.
    """

    height: float
    build: float
    shoulders: float
    hips: float
    legs: float
    stride: float
    cadence: float
    arms: float
    elbows: float
    knees: float
    lean: float
    sway: float
    skin: Colour
    hair: Colour
    hairstyle: str
    hat: str
    hat_colour: Colour
    colours: tuple[str, str]
    pattern: str
    accent: Colour
    count: int
    sleeves: str
    cut: str
    stripe: bool
    shoes: Colour
    boots: bool
    bag: str
    bag_colour: Colour

    @property
    def upper(self) -> Colour:
        """Main colour of the upper clothes."""
        return UPPER[self.colours[0]]

    @property
    def lower(self) -> Colour:
        """Main colour of the lower clothes."""
        return LOWER[self.colours[1]]


def people(seed: int, part: str, count: int) -> tuple[Person, ...]:
    """The persons of one part, e.g. ``train``; those who share colours get different patterns.

    Args:
        seed: of the data set.
        part: a word that sets one crowd apart from another.
        count: how many; every colour pair is worn by at least ``min(count, 3)`` of them.
    """
    rng = rng_for(seed, "wardrobe", zlib.crc32(part.encode()))
    pairs = [(upper, lower) for upper in UPPER for lower in LOWER]
    pairs = [pairs[i] for i in rng.permutation(len(pairs))[: max(1, count // 6)]]
    patterns = [rng.permutation(len(PATTERNS)) for _ in pairs]
    bags = [rng.permutation(len(BAGS)) for _ in pairs]
    crowd = []
    for i in range(count):
        pair, place = i % len(pairs), i // len(pairs)
        pattern = PATTERNS[patterns[pair][place % len(PATTERNS)]]
        bag = BAGS[bags[pair][place % len(BAGS)]]
        own = rng_for(seed, "person", zlib.crc32(part.encode()), i)
        crowd.append(_person(own, pairs[pair], pattern, bag))
    return tuple(crowd)


def _person(rng: np.random.Generator, colours: tuple[str, str], pattern: str, bag: str) -> Person:
    def near(middle: float, spread: float) -> float:
        return round(middle + spread * float(rng.uniform(-1, 1)), 4)

    def pick(options: tuple):
        return options[int(rng.integers(len(options)))]

    return Person(
        height=near(1.0, 0.09),
        build=near(1.12, 0.22),
        shoulders=near(1.0, 0.12),
        hips=near(1.0, 0.12),
        legs=near(1.0, 0.05),
        stride=near(0.38, 0.10),
        cadence=near(0.085, 0.02),
        arms=near(0.42, 0.3),
        elbows=near(0.32, 0.24),
        knees=near(0.95, 0.2),
        lean=near(0.05, 0.06),
        sway=near(0.012, 0.008),
        skin=pick(SKIN),
        hair=pick(HAIR),
        hairstyle=pick(HAIRSTYLES),
        hat=pick(HATS),
        hat_colour=pick((DARK, LIGHT, *BAG_COLOURS[1:3])),
        colours=colours,
        pattern=pattern,
        accent=LIGHT if sum(UPPER[colours[0]]) < 390 else DARK,
        count=int(rng.integers(3, 6)),
        sleeves=pick(SLEEVES),
        cut=pick(CUTS),
        stripe=bool(rng.random() < 0.25),
        shoes=pick(SHOES),
        boots=bool(rng.random() < 0.2),
        bag=bag,
        bag_colour=pick(BAG_COLOURS),
    )
