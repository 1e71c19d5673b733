"""A synthetic data set: rendered pedestrians as MARS tracklets, read back by the MARS loader.

It needs no download and shows what real data hide: the same people can be filmed again under more
occlusion, worse boxes or more noise. It is rendered once into a cache; the same knobs give the same
bytes on any number of processes.
"""

import dataclasses
import json
import shutil
import tempfile
from pathlib import Path

import filelock

from benchmark.datasets.base import Dataset
from benchmark.datasets.kind import DatasetKind
from benchmark.datasets.mars import mars
from benchmark.datasets.packed_path import PackedPath
from benchmark.datasets.synthetic.render import render
from benchmark.datasets.synthetic.tracks import Knobs
from benchmark.files import cache_root, hash_of, write_json
from benchmark.processors import processors
from benchmark.progress import SILENT, Progress

RENDERER = 5  # raise it when the pixels change: caches are keyed by it
MANIFEST = "synthetic.json"
LAYOUT = """
DIR/synthetic-<hash>/                 rendered by `zoo data make synthetic`, in a cache without DIR
  bbox_train/, bbox_test/, info/      as MARS: see `zoo data layout mars`
  synthetic.json                      the knobs
"""


def synthetic(
    root: Path | None = None,
    *,
    identities: int = 120,
    cameras: int = 6,
    tracklets: int = 6,
    frames: int = 6,
    size: int = 128,
    occlusion: float = 0.3,
    misalignment: float = 0.4,
    noise: float = 0.2,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Dataset:
    """Open the synthetic data set, rendering it first if the cache does not hold it.

    Sets that differ in ``occlusion``, ``misalignment`` or ``noise`` alone show the same walks of
    the same people.

    Args:
        root: folder to keep it in; None is the user's cache, or ``$ZOO_CACHE/data`` where set.
        identities: test persons; five times as many others are there to train on (3..1666).
        cameras: 2..9.
        tracklets: about how many a test person has (2..50), in as many cameras as they allow; a
            training person has half as many, two at the least.
        frames: about how many a tracklet has (2..400); most have half to twice as many.
        size: height of the images in pixels (32..512, even); their width is half of it.
        occlusion: people and things in the way, 0 none .. 1 most frames.
        misalignment: boxes shifted, badly sized and shaking, 0 .. 1.
        noise: grain, motion blur and coarse pixels, 0 .. 1.
        seed: another seed is another crowd in other places.
        progress: advances with every tracklet.

    Raises:
        ValueError: a knob is out of range.
        FileNotFoundError: the cached copy is damaged.
        OSError: it cannot be written.
    """
    knobs = Knobs(
        identities=identities,
        cameras=cameras,
        tracklets=tracklets,
        frames=frames,
        size=size,
        occlusion=float(occlusion) + 0.0,  # -0.0 is 0
        misalignment=float(misalignment) + 0.0,
        noise=float(noise) + 0.0,
        seed=seed,
    )
    home = cache_root() / "data" if root is None else root
    folder = home / f"synthetic-{hash_of({**dataclasses.asdict(knobs), 'renderer': RENDERER})}"
    if not folder.is_dir():
        if isinstance(folder, PackedPath):
            raise FileNotFoundError(
                f"{root} does not hold {folder.name}, a synthetic set of these knobs: render it "
                "with `zoo data make` into the folder, and pack that again"
            )
        _make(folder, knobs, progress)
    return _read(folder)


def _make(folder: Path, knobs: Knobs, progress: Progress) -> None:
    """Render into a folder beside it and rename that when it is whole; one process at a time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{folder.name}."
    with filelock.FileLock(folder.parent / f"{prefix}lock"):
        if folder.exists():  # somebody else was quicker
            return
        for stale in folder.parent.glob(f"{prefix}part-*"):
            shutil.rmtree(stale, ignore_errors=True)
        part = Path(tempfile.mkdtemp(prefix=f"{prefix}part-", dir=folder.parent))
        try:
            render(part, knobs, workers=processors(), progress=progress)
            found = mars(part)
            images = sum(len(t) for t in (*found.train, *found.test))
            whole = {"knobs": dataclasses.asdict(knobs), "renderer": RENDERER}
            write_json(
                part / MANIFEST, {**whole, "images": images, "fingerprint": found.fingerprint}
            )
            part.chmod(0o755)
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _read(folder: Path) -> Dataset:
    remedy = "delete the folder and it will be rendered again"
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        found = mars(folder)
    except (FileNotFoundError, ValueError) as error:
        raise FileNotFoundError(f"{folder} is damaged ({error}): {remedy}") from None
    if found.fingerprint != manifest["fingerprint"]:
        raise FileNotFoundError(f"{folder} is damaged (an image or table has changed): {remedy}")
    note = f"rendered people (renderer {manifest['renderer']})"
    return dataclasses.replace(found, name="synthetic", notes=(*found.notes, note))


SYNTHETIC = DatasetKind(
    open=synthetic,
    layout=LAYOUT,
    self_made=True,
    parts=lambda folders: {folder.parent for folder in folders},
)
