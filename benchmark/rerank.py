"""Re-rankings by name: ``kr(20,6,0.3)``; `benchmark.k_reciprocal` carries them out."""

import re
from dataclasses import dataclass

import numpy as np

KINDS = ("kr", "kr-torchreid", "kr-dup")
_TEXT = re.compile(r"([a-z-]+)(?:\((\d+),(\d+),(\d*\.?\d+)\))?")


@dataclass(frozen=True)
class Reranking:
    """What to re-rank by; as text ``kr(20,6,0.3)``.

    Attributes:
        kind: ``kr``, ``kr-torchreid`` or ``kr-dup``.
        k1: how many neighbours must find each other.
        k2: over how many nearest tracks, itself among them, a description is averaged.
        share: λ, the share of the original distance in the final one.
    """

    kind: str = "kr"
    k1: int = 20
    k2: int = 6
    share: float = 0.3

    def __str__(self) -> str:
        return f"{self.kind}({self.k1},{self.k2},{self.share:.12g})"


def parse(text: str) -> Reranking:
    """Read ``kr(20,6,0.3)``; ``kr`` alone stands for these numbers.

    Raises:
        ValueError: the text is no such thing.
    """
    found = _TEXT.fullmatch(text.replace(" ", ""))
    if found and found[1] in KINDS:
        kind, *numbers = found.groups()
        chosen = Reranking(kind)
        if numbers[0] is not None:
            chosen = Reranking(kind, int(numbers[0]), int(numbers[1]), float(numbers[2]))
        if chosen.k1 >= 1 and chosen.k2 >= 1 and chosen.share <= 1:
            return chosen
    raise ValueError(
        f"{text!r} is no re-ranking: expected kr, kr-torchreid or kr-dup with (k1,k2,lambda), k1 "
        "and k2 from 1, lambda from 0 to 1, e.g. kr(20,6,0.3)"
    )


def pool(query: np.ndarray, gallery: np.ndarray, kind: str) -> np.ndarray:
    """Test rows of the tracks that take part: queries first, then the gallery in its order."""
    others = gallery if kind == "kr-dup" else gallery[~np.isin(gallery, query)]
    return np.concatenate([query, others])
