"""A synthetic data set: rendered pedestrians as MARS tracklets, read back by the MARS loader.

It needs no download and shows what real data hide: the same people can be filmed again under more
occlusion, worse boxes or more noise. It is rendered once into a cache; the same knobs give the same
bytes on any number of processes. Where nothing is trained on it, its test part is rendered alone;
what is missing follows when it is asked for.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import filelock

from benchmark.datasets.base import Dataset
from benchmark.datasets.kind import DatasetKind
from benchmark.datasets.mars import mars, mars_test
from benchmark.datasets.packed_path import PackedPath
from benchmark.datasets.synthetic import render as rendering
from benchmark.datasets.synthetic.outline import outline
from benchmark.datasets.synthetic.tracks import Knobs
from benchmark.files import cache_root, hash_of, mark_used, read_object, write_json
from benchmark.processors import processors
from benchmark.progress import SILENT, Progress

RENDERER = 5  # raise it when the pixels change: caches are keyed by it
MANIFEST = "synthetic.json"
UNFINISHED = ".unfinished"  # ends the hidden folder of a set that is still being rendered
LAYOUT = """
DIR/synthetic-<hash>/                 rendered by `zoo data make synthetic`, in a cache without DIR
  bbox_train/, bbox_test/, info/      as MARS: see `zoo data layout mars`
  synthetic.json                      the knobs; which parts are whole, by their fingerprints
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
    test_only: bool = False,
    render: bool = True,
    progress: Progress = SILENT,
) -> Dataset:
    """Open the synthetic data set, rendering it first if the cache does not hold it.

    Sets that differ in ``occlusion``, ``misalignment`` or ``noise`` alone show the same walks.

    Args:
        root: folder to keep it in; None is the user's cache, or ``$ZOO_CACHE/data`` where set.
        identities: test persons; five times as many others are there to train on (3..1666).
        cameras: 2..9.
        tracklets: about how many a test person has (2..50), in as many cameras as they allow; a
            training person has half as many, at least two.
        frames: about how many a tracklet has (2..400); most have half to twice as many.
        size: height of the images in pixels (32..512, even); their width is half of it.
        occlusion: people and things in the way, 0 none .. 1 most frames.
        misalignment: boxes shifted, badly sized and shaking, 0 .. 1.
        noise: grain, motion blur and coarse pixels, 0 .. 1.
        seed: another seed is another crowd in other places.
        test_only: the test part alone, a third of the tracklets; nothing is rendered to train on.
        render: False gives an outline of a set that is not there.
        progress: advances with every tracklet.

    Raises:
        ValueError: a knob is out of range.
        OSError: it cannot be written, or the cached copy is damaged.
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
    folder = (root or cache_root() / "data") / _folder_name(knobs)
    made = _is_made(folder, test_only)
    if not made and not render:
        return outline(folder, knobs, test_only=test_only)
    if not made:
        _make(folder, knobs, ("test",) if test_only else rendering.PARTS, progress)
    if root is None and render:
        mark_used(folder / MANIFEST)
    return _read(folder, test_only)


def _folder_name(knobs: Knobs) -> str:
    return f"synthetic-{hash_of({**dataclasses.asdict(knobs), 'renderer': RENDERER})}"


def _refuse_pack(folder: Path) -> None:
    """Nothing is rendered into a pack."""
    if isinstance(folder, PackedPath):
        raise FileNotFoundError(
            f"{folder.parent} does not hold {folder.name}, a synthetic set of these knobs: render "
            "it with `zoo data make` into the folder, and pack that again"
        )


def _is_made(folder: Path, test_only: bool) -> bool:
    """Whether there is what is wanted, or what was and is damaged."""
    if not folder.is_dir():
        return False
    try:
        manifest = read_object(folder / MANIFEST)
    except (OSError, ValueError):
        return True
    return "fingerprint" in manifest or (test_only and "test_fingerprint" in manifest)


def _make(folder: Path, knobs: Knobs, parts: Sequence[str], progress: Progress) -> None:
    """Render what is missing; one process at a time, and what a killed one left is used.

    A new set lies in a hidden folder until the first parts of it are whole.
    """
    _refuse_pack(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder.parent / f".{folder.name}.lock"):
        if _is_made(folder, "train" not in parts):  # somebody else was quicker
            return
        place = folder if folder.is_dir() else folder.with_name(f".{folder.name}{UNFINISHED}")
        rendering.render(place, knobs, workers=processors(), parts=parts, progress=progress)
        test = mars_test(place)
        manifest = {"knobs": dataclasses.asdict(knobs), "renderer": RENDERER}
        manifest |= {"images": _images(test), "test_fingerprint": test.fingerprint}
        if "train" in parts:
            whole = mars(place)
            manifest |= {"images": _images(whole), "fingerprint": whole.fingerprint}
        write_json(place / MANIFEST, manifest)
        if place != folder:
            place.rename(folder)


def _images(dataset: Dataset) -> int:
    return sum(len(t) for t in (*dataset.train, *dataset.test))


def _read(folder: Path, test_only: bool) -> Dataset:
    remedy = "delete the folder and it will be rendered again"
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        key = "test_fingerprint" if test_only else "fingerprint"
        found = mars_test(folder) if test_only else mars(folder)
        # a set that was rendered before test parts were told apart is compared as a whole
        told, seen = (key, found) if key in manifest else ("fingerprint", mars(folder))
    except (FileNotFoundError, ValueError) as error:
        raise FileNotFoundError(f"{folder} is damaged ({error}): {remedy}") from None
    if seen.fingerprint != manifest[told]:
        raise FileNotFoundError(f"{folder} is damaged (an image or table has changed): {remedy}")
    note = f"rendered people (renderer {manifest['renderer']})"
    return dataclasses.replace(found, name="synthetic", notes=(*found.notes, note))


SYNTHETIC = DatasetKind(
    open=synthetic,
    layout=LAYOUT,
    self_made=True,
    parts=lambda folders: {folder.parent for folder in folders},
)
