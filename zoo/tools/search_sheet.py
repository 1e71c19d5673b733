"""A picture of what was found: a row a query, the nearest tracklets beside it."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from benchmark.clips import chunk_first
from benchmark.datasets.base import Tracklet
from benchmark.datasets.folders import image_names
from benchmark.datasets.storage import path_of
from benchmark.files import write_whole
from benchmark.pixels import read_clip
from zoo.tools.features import NOBODY, Features
from zoo.tools.search import Found

STRIP, CELL, GAP, LINE = 3, (96, 48), 10, 26  # frames; height and width of one; between strips


def draw(query: Features, known: Features, found: list[Found], path: Path) -> None:
    """A PNG: a row a query, its strip first, then those of the nearest tracklets in order.

    Raises:
        ValueError: the file is not called .png.
        OSError: an image is not where it was.
    """
    if path.suffix != ".png":
        raise ValueError(f"{path} must end in .png")
    rows: dict[str, list[Found]] = {}
    for item in found:
        rows.setdefault(item.query, []).append(item)
    wide, high = STRIP * CELL[1] + GAP, CELL[0] + LINE + GAP
    columns = 1 + max(map(len, rows.values()))
    sheet = Image.new("RGB", (columns * wide + GAP, len(rows) * high + GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(10)
    for y, (name, items) in enumerate(rows.items()):
        strips = [(query.root / name, "query", name)]
        strips += [
            (known.root / item.tracklet, f"{item.rank}: {item.distance:.3f}", item.tracklet)
            for item in items
        ]
        for x, (folder, words, label) in enumerate(strips):
            left, top = GAP + x * wide, GAP + y * high
            sheet.paste(_strip(folder), (left, top + LINE))
            pen.text((left, top), f"{words}\n{_shortened(label)}", fill="black", font=font)
    write_whole(path, lambda part: sheet.save(part, format="PNG"))


def _strip(place: Path) -> Image.Image:
    """Frames of a tracklet side by side."""
    folder = path_of(str(place))
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not there any more: it cannot be drawn")
    names = tuple(name for name, _ in image_names(folder))
    tracklet = Tracklet(NOBODY, 0, str(folder), names)
    clip = read_clip(tracklet, chunk_first(len(names), STRIP), *CELL)  # [T, 3, H, W]
    return Image.fromarray(clip.permute(2, 0, 3, 1).flatten(1, 2).numpy())


def _shortened(text: str, most: int = 26) -> str:
    return text if len(text) <= most else f"…{text[1 - most :]}"
