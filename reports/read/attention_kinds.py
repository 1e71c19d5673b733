"""What the arrays of a method's ``attention(clips)`` are: the last words of a name say it.

`KINDS` is the whole table, so that a method of one's own can have its arrays drawn by naming them
as it says. An array of another name, or of a shape that does not go with its name, is not drawn.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple


class Kind(NamedTuple):
    """One kind of array over the T frames of a clip.

    Attributes:
        name: of the kind.
        endings: what a name is or ends in, after an underscore; ``#`` is a number.
        shape: without the batch. Numbers stand for themselves, ``T/2`` for half the frames, ``T'``
            for a number that divides T, any other word for any number.
        meaning: whose attention it is, or what a number is.
    """

    name: str
    endings: tuple[str, ...]
    shape: tuple[int | str, ...]
    meaning: str


_MAP = ("rows", "columns")
# the first that fits a name counts
KINDS = (
    Kind("cells", ("block#", "spatial"), (3, "T'", *_MAP), "three cells of the middle frame"),
    Kind("alignment", ("alignment",), (3, "T", *_MAP), "their match in the frames beside it"),
    Kind("boosting", ("boosting",), ("T", "T", *_MAP), "each frame, over all frames"),
    Kind("gates", ("gates", "mask", "kept"), ("T'", *_MAP), "what is let through, in 0..1"),
    Kind("shares", ("shares",), ("T'", *_MAP), "each cell's share of one attention"),
    Kind("correlation", ("correlation",), ("T/2", *_MAP), "of every second frame, of any sign"),
    Kind("rows", ("row_scores",), ("T", "rows"), "each row's share of its frame's attention"),
    Kind("bands", ("scores",), ("T", "bands"), "each frame's share of a band's attention"),
    Kind("pairs", ("pairs",), ("T", "T"), "weights from frame to frame, of any sign"),
    Kind("frames", ("weights",), ("T",), "each frame's share of the clip's attention"),
    Kind("channels", ("channel",), ("C",), "each channel's weight"),
)


def kind_of(name: str, shape: Sequence[int], frames: int) -> str:
    """The name of an array's kind.

    Args:
        name: as the method calls it.
        shape: of the array, without the batch.
        frames: T of the clip.

    Raises:
        ValueError: no kind has such a name, or its arrays have another shape.
    """
    kind = next((kind for kind in KINDS if _is_named(name, kind)), None)
    if kind is None:
        known = ", ".join(ending for kind in KINDS for ending in kind.endings)
        raise ValueError(f"{name}: its name ends in none of {known}")
    fits = len(shape) == len(kind.shape)
    if not (fits and all(map(_fits, shape, kind.shape, [frames] * len(shape)))):
        raise ValueError(
            f"{name}: its shape is {list(shape)}, expected [{', '.join(map(str, kind.shape))}] for "
            f"T = {frames} frames"
        )
    return kind.name


def _is_named(name: str, kind: Kind) -> bool:
    endings = "|".join(ending.replace("#", r"\d+") for ending in kind.endings)
    return re.fullmatch(rf"(.+_)?({endings})", name) is not None


def _fits(size: int, symbol: int | str, frames: int) -> bool:
    if isinstance(symbol, int):
        return size == symbol
    if symbol == "T'":
        return size > 0 and frames % size == 0
    return size == {"T": frames, "T/2": frames / 2}.get(symbol, size)
