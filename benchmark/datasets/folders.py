"""Finds the folders and images of a data set on disk, each in one order everywhere."""

import re
from collections.abc import Sequence
from pathlib import Path

from benchmark.datasets.base import IMAGES
from benchmark.datasets.storage import file_sizes


def image_names(folder: Path) -> list[tuple[str, int]]:
    """``(name, bytes)`` of the images in a folder, sorted by name; hidden files do not count.

    Raises:
        ValueError: a folder, a pipe or a device is named like an image.
    """
    return file_sizes(folder, is_image)


def is_image(name: str) -> bool:
    """True if a file of that name counts as an image."""
    return not name.startswith(".") and name.lower().endswith(IMAGES)


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, sorted by name; hidden ones do not count."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def find_home(
    root: Path, nested: Sequence[str], holds: Sequence[str], depth: int = 3
) -> Path | None:
    """The nearest folder that holds all of ``holds``, looked for below ``root``.

    Args:
        root: where to begin.
        nested: names of folders that copies wrap around a data set, e.g. ``i-LIDS-VID``.
        holds: folders that a data set consists of.
        depth: how many wrappers are looked through.
    """
    level = [root]
    for _ in range(depth + 1):
        for home in level:
            if all((home / name).is_dir() for name in holds):
                return home
        level = [home / name for home in level for name in nested if (home / name).is_dir()]
    return None


def find_file(root: Path, home: Path, places: Sequence[str]) -> Path | None:
    """The first of ``places`` that is a file in ``home`` or a folder around it, up to ``root``."""
    folder = home
    while True:
        for place in places:
            if (folder / place).is_file():
                return folder / place
        if folder == root or folder == folder.parent:
            return None
        folder = folder.parent


def grammatical_images(
    folder: Path, grammar: re.Pattern, example: str, expected: dict[str, str]
) -> list[tuple[str, int]]:
    """``(name, bytes)`` of the images of one tracklet, in the order of their frame numbers.

    Args:
        folder: the tracklet's own folder.
        grammar: of the names, with a group ``frame``; hidden files do not count.
        example: a name that fits, for the error message.
        expected: what other groups of every name must say, e.g. ``{"person": "0001"}``.

    Raises:
        FileNotFoundError: there is no image.
        ValueError: a name does not fit, contradicts its folder, or repeats a frame.
    """
    found: dict[int, tuple[str, int]] = {}
    for name, size in image_names(folder):
        match = grammar.fullmatch(name)
        if match is None:
            raise ValueError(
                f"{folder / name} is not called like {example}: rename it or take it away"
            )
        odd = next((group for group in expected if match[group] != expected[group]), None)
        if odd:
            raise ValueError(
                f"{folder / name}: its name says {odd} {match[odd]}, its place says "
                f"{expected[odd]}: put it where it belongs"
            )
        frame = int(match["frame"])
        if frame in found:
            raise ValueError(
                f"{folder / name} and {found[frame][0]} are both frame {frame}: delete one of them"
            )
        found[frame] = (name, size)
    if not found:
        raise FileNotFoundError(
            f"{folder} holds no image: expected images like {example}; copy them or delete the "
            "folder"
        )
    return [found[frame] for frame in sorted(found)]
