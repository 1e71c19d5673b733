"""Tracklets of one's own as vectors, and the file that holds them: what ``zoo embed`` makes.

It is a plain ``.npz`` without pickles: ``vectors`` [N, D], ``tracklets`` [N] (their folders,
relative to ``root``), ``frames`` [N], and ``about``, a JSON text that says with which weights and
clips they were made.
"""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.datasets.base import Tracklet
from benchmark.datasets.folders import image_names
from benchmark.datasets.storage import data_root, path_of, walk
from benchmark.files import write_whole
from benchmark.progress import SILENT, Progress
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.config import Settings
from zoo.experiment.engines.job import Engine
from zoo.experiment.engines.local import LOCAL
from zoo.experiment.options import ExecutionOptions
from zoo.tools.parts import embed_in_parts

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


def tracklets_in(folder: Path) -> list[Tracklet]:
    """Every folder that itself holds images, however deep, in sorted order; hidden ones not.

    Raises:
        FileNotFoundError: there is no such folder, or no image in it.
    """
    folder = data_root(Path(folder).absolute())  # workers elsewhere are in other folders
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder: expected one folder of images a tracklet")
    found = []
    for place, below, _ in walk(folder):
        below[:] = sorted(name for name in below if not name.startswith("."))
        names = tuple(name for name, _ in image_names(path_of(place)))
        if names:
            found.append(Tracklet(NOBODY, 0, place, names))
    if not found:
        raise FileNotFoundError(f"{folder} holds no .jpg or .png image, however deep")
    return sorted(found, key=lambda tracklet: tracklet.folder)


def embed_folder(
    folder: Path,
    checkpoint: Checkpoint,
    sha256: str,
    settings: Settings,
    *,
    parts: Path,
    options: ExecutionOptions,
    engine: Engine = LOCAL,
    progress: Progress = SILENT,
) -> Features:
    """Embed every tracklet below a folder.

    Args:
        folder: of tracklets.
        checkpoint: whose network.
        sha256: of its file.
        settings: where checkpoints are kept.
        parts: folder that keeps what is finished, until all of it is.
        options: device and workers.
        engine: what carries it out.
        progress: who is told.

    Raises:
        FileNotFoundError: there is none.
        RuntimeError: a part failed, since an image cannot be read, say.
        OSError: the folder of parts cannot be written.
    """
    rows, root = tracklets_in(folder), data_root(folder).resolve()
    vectors = embed_in_parts(
        rows,
        checkpoint,
        sha256,
        settings,
        folder=parts,
        options=options,
        engine=engine,
        progress=progress,
    )
    return Features(
        about=_about(checkpoint, sha256),
        root=root,
        tracklets=tuple(path_of(t.folder).resolve().relative_to(root).as_posix() for t in rows),
        frames=np.array([len(t) for t in rows]),
        vectors=vectors,
    )


def _about(checkpoint: Checkpoint, sha256: str) -> dict[str, str | int]:
    return {
        "checkpoint": checkpoint.name,
        "sha256": sha256,
        "method": checkpoint.method,
        "frames": checkpoint.frames,
        "height": checkpoint.height,
        "width": checkpoint.width,
        "distance": checkpoint.distance,
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


def check_same(known: Features, checkpoint: Checkpoint, sha256: str) -> None:
    """Refuse queries embedded in another way than the features.

    Raises:
        ValueError: names the first difference.
    """
    for key, value in _about(checkpoint, sha256).items():
        if known.about.get(key) != value:
            raise ValueError(
                f"the features were made with {key} {known.about.get(key)}, {checkpoint.name} has "
                f"{value}: embed them again"
            )
