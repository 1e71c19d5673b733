"""Tracklets of one's own: ``zoo embed`` makes vectors of them, ``zoo search`` finds the nearest.

The file of vectors is a plain ``.npz`` without pickles: ``vectors`` [N, D], ``tracklets`` [N]
(their folders, relative to ``root``), ``frames`` [N], and ``about``, a JSON text that says with
which weights and clips they were made.
"""

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from benchmark import embed
from benchmark.clips import chunk_first, frame_rule
from benchmark.datasets.base import Dataset, Tracklet
from benchmark.datasets.folders import image_names
from benchmark.files import write_whole
from benchmark.pixels import read_clip
from benchmark.progress import SILENT, Progress
from benchmark.ranking import distance_blocks
from benchmark.recipe import DISTANCES
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.load import Loaded

NOBODY = 0  # nobody says who it is


@dataclass(frozen=True, kw_only=True, eq=False)
class Features:
    """Vectors of tracklets.

    Attributes:
        about: checkpoint, sha256, method, frames, height, width, distance.
        root: folder that the tracklets' names are relative to.
        tracklets: [N] folders.
        frames: [N] how many frames each has.
        vectors: [N, D] float32.
    """

    about: dict[str, str | int]
    root: Path
    tracklets: tuple[str, ...]
    frames: np.ndarray
    vectors: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Found:
    """One tracklet of the features, near to a query."""

    query: str
    rank: int
    tracklet: str
    distance: float


def tracklets_in(folder: Path) -> list[Tracklet]:
    """Every folder that itself holds images, however deep, in sorted order; hidden ones not.

    Raises:
        FileNotFoundError: there is no such folder, or no image in it.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"{folder} is no folder: expected one folder of images a tracklet")
    found = []
    for place, below, _ in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith("."))
        names = tuple(name for name, _ in image_names(Path(place)))
        if names:
            found.append(Tracklet(NOBODY, 0, place, names))
    if not found:
        raise FileNotFoundError(f"{folder} holds no .jpg or .png image, however deep")
    return sorted(found, key=lambda tracklet: tracklet.folder)


def features(
    folder: Path,
    row: Checkpoint,
    loaded: Loaded,
    *,
    device: str,
    workers: int,
    progress: Progress = SILENT,
) -> Features:
    """Embed every tracklet below a folder.

    Raises:
        FileNotFoundError: there is none.
        ImageError: an image cannot be read.
    """
    rows = tracklets_in(folder)
    dataset = Dataset(
        name="own",
        train=(),
        test=tuple(rows),
        query=(),
        fingerprint="",
        protocol="open",
        cameras=False,
    )
    found = embed.embed(
        loaded.model.to(device),
        dataset,
        frame_rule(row.frames),
        height=row.height,
        width=row.width,
        key={"frames_rule": row.frames},
        device=torch.device(device),
        precision="no",
        workers=workers,
        progress=progress,
    )
    root = Path(folder).resolve()
    return Features(
        about=_about(row, loaded.file.sha256),
        root=root,
        tracklets=tuple(Path(t.folder).resolve().relative_to(root).as_posix() for t in rows),
        frames=np.array([len(t) for t in rows]),
        vectors=found.pooled(DISTANCES[row.distance][1]).vectors.numpy(),
    )


def _about(row: Checkpoint, sha256: str) -> dict[str, str | int]:
    return {
        "checkpoint": row.name,
        "sha256": sha256,
        "method": row.method,
        "frames": row.frames,
        "height": row.height,
        "width": row.width,
        "distance": row.distance,
    }


def save(found: Features, path: Path) -> None:
    """Write an ``.npz``, whole or not at all."""
    if path.suffix != ".npz":
        raise ValueError(f"{path} must end in .npz")
    arrays = {
        "about": np.array(json.dumps(found.about)),
        "root": np.array(str(found.root)),
        "tracklets": np.array(found.tracklets),
        "frames": found.frames,
        "vectors": found.vectors,
    }
    write_whole(path, lambda part: np.savez(part, **arrays))


def load(path: Path) -> Features:
    """Read an ``.npz`` of `save`; nothing in it is unpickled.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} does not exist: `zoo embed` makes it")
    try:
        with np.load(path, allow_pickle=False) as file:
            found = Features(
                about=json.loads(str(file["about"])),
                root=Path(str(file["root"])),
                tracklets=tuple(map(str, file["tracklets"])),
                frames=np.asarray(file["frames"]),
                vectors=np.asarray(file["vectors"], dtype=np.float32),
            )
        fits = found.vectors.ndim == 2 and len(found.vectors) == len(found.tracklets)
        if not (fits and isinstance(found.about["checkpoint"], str)):
            raise ValueError("vectors and tracklets do not belong together")
        return found
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no file of `zoo embed`: {error}") from None


def check_same(known: Features, row: Checkpoint, sha256: str) -> None:
    """Refuse queries embedded in another way than the features.

    Raises:
        ValueError: names the first difference.
    """
    for key, value in _about(row, sha256).items():
        if known.about.get(key) != value:
            raise ValueError(
                f"the features were made with {key} {known.about.get(key)}, {row.name} has "
                f"{value}: embed them again"
            )


def nearest(query: Features, known: Features, top: int) -> list[Found]:
    """The nearest tracklets to each query; a query's own folder does not count.

    Raises:
        ValueError: the vectors have other lengths, or one has none.
    """
    if query.vectors.shape[1] != known.vectors.shape[1]:
        raise ValueError(
            f"the features have {known.vectors.shape[1]} numbers a tracklet, the queries "
            f"{query.vectors.shape[1]}"
        )
    kind = DISTANCES[str(known.about["distance"])][0]
    together = torch.from_numpy(np.concatenate([query.vectors, known.vectors]))
    rows, found = np.arange(len(query.vectors)), []
    for block, distances in distance_blocks(together, rows, kind):
        for i, to_all in zip(block.tolist(), distances[:, len(rows) :], strict=True):
            own = (query.root / query.tracklets[i]).as_posix()
            ranked = [
                j
                for j in np.argsort(to_all, kind="stable").tolist()
                if (known.root / known.tracklets[j]).as_posix() != own
            ]
            for rank, j in enumerate(ranked[:top], start=1):
                gap = float(to_all[j]) ** (0.5 if kind == "euclidean" else 1)
                found.append(
                    Found(
                        query=query.tracklets[i],
                        rank=rank,
                        tracklet=known.tracklets[j],
                        distance=gap,
                    )
                )
    return found


# ---- the sheet -----------------------------------------------------------------------------------

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


def _strip(folder: Path) -> Image.Image:
    """Frames of a tracklet side by side."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not there any more: it cannot be drawn")
    names = tuple(name for name, _ in image_names(folder))
    tracklet = Tracklet(NOBODY, 0, str(folder), names)
    clip = read_clip(tracklet, chunk_first(len(names), STRIP), *CELL)  # [T, 3, H, W]
    return Image.fromarray(clip.permute(2, 0, 3, 1).flatten(1, 2).numpy())


def _shortened(text: str, most: int = 26) -> str:
    return text if len(text) <= most else f"…{text[1 - most :]}"
