"""A synthetic data set: rendered pedestrians as MARS tracklets, read back by the MARS loader.

It needs no download and shows what real data hide: the same people can be filmed again under more
occlusion, worse boxes or more noise. It is rendered once into a cache; the same knobs give the same
bytes on any number of processes.
"""

import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import filelock
import numpy as np
import platformdirs
import scipy.io
from PIL import Image, ImageDraw, ImageFont

from benchmark.datasets.base import DISTRACTOR, JUNK, Dataset, Tracklet
from benchmark.datasets.mars import mars
from benchmark.datasets.synthetic.clothes import people
from benchmark.datasets.synthetic.scene import Take, film
from benchmark.datasets.synthetic.tracks import Knobs, plan, queries
from benchmark.files import hash_of, write_json, write_whole

RENDERER = 5  # raise it when the pixels change: caches are keyed by it
MANIFEST = "synthetic.json"
QUALITY = 90  # of the JPEG files
PASSERS = 40  # people who get in the way
PEOPLE_SHOWN, STRIPS, FRAMES_SHOWN = 10, 4, 5  # on a contact sheet
SEVERITIES = (
    ("occlusion", 0.0),
    ("occlusion", 0.4),
    ("occlusion", 0.8),
    ("misalignment", 0.8),
    ("noise", 0.8),
)


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
    on_progress: Callable[[str, int, int], None] | None = None,
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
        on_progress: told what is done, how much of it, of how much.

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
        occlusion=float(occlusion),
        misalignment=float(misalignment),
        noise=float(noise),
        seed=seed,
    )
    folder = (
        _home(root) / f"synthetic-{hash_of({**dataclasses.asdict(knobs), 'renderer': RENDERER})}"
    )
    if not folder.exists():
        _make(folder, knobs, on_progress)
    return _read(folder)


def _home(root: Path | None) -> Path:
    if root is not None:
        return Path(root)
    cache = os.environ.get("ZOO_CACHE")
    return (Path(cache) if cache else platformdirs.user_cache_path("video-reid-zoo")) / "data"


def _make(folder: Path, knobs: Knobs, on_progress: Callable[[str, int, int], None] | None) -> None:
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
            render(part, knobs, workers=_processors(), on_progress=on_progress)
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


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


# ------------------------------------------------------------------------------ files


def render(
    folder: Path,
    knobs: Knobs,
    *,
    workers: int,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> None:
    """Write the whole data set into an empty folder.

    Args:
        folder: receives ``bbox_train``, ``bbox_test`` and ``info``.
        knobs: what to render.
        workers: processes to share the work; the bytes written do not depend on it.
        on_progress: told after every tracklet.

    Raises:
        OSError: a file could not be written.
    """
    takes = plan(knobs)
    _write_info(folder / "info", takes, knobs.seed)
    for part, rows in takes.items():
        for person in {_code(take) for take in rows}:
            (folder / f"bbox_{part}" / person).mkdir(parents=True, exist_ok=True)
    total = sum(len(rows) for rows in takes.values())
    workers = max(1, min(workers, total // 20))
    share = _share(folder, knobs, 0, 1) if workers == 1 else _shares(folder, knobs, workers)
    for done, _ in enumerate(share, start=1):
        if on_progress:
            on_progress("rendering pedestrians", done, total)


def _share(folder: Path, knobs: Knobs, index: int, workers: int):
    """Film every ``workers``-th take, from ``index`` on; yields after each."""
    passers = people(knobs.seed, "passers", PASSERS)
    takes = [(part, take) for part, rows in plan(knobs).items() for take in rows]
    for part, take in takes[index::workers]:
        home = folder / f"bbox_{part}" / _code(take)
        for image, name in zip(film(take, knobs.conditions, passers), _names(take), strict=True):
            image.save(home / name, quality=QUALITY)
        yield take


def _shares(folder: Path, knobs: Knobs, workers: int):
    """The same in several processes: a line on the common pipe stands for a take.

    They run this module, not the caller's: a script need not guard its top level for them.
    """
    reader, writer = os.pipe()
    task = [str(folder), json.dumps(dataclasses.asdict(knobs)), str(workers)]
    command = [sys.executable, "-m", "benchmark.datasets.synthetic.dataset", *task]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    processes = []
    try:
        for index in range(workers):
            processes.append(
                subprocess.Popen([*command, str(index)], stdout=writer, env=environment)
            )
        os.close(writer)
        with os.fdopen(reader, encoding="ascii") as lines:
            yield from lines
        codes = [process.wait() for process in processes]
        if any(codes):
            raise OSError(
                f"rendering into {folder} failed: a worker ended with {max(codes, key=abs)}"
            )
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _work(folder: str, knobs: str, workers: str, index: str) -> None:
    for _ in _share(Path(folder), Knobs(**json.loads(knobs)), int(index), int(workers)):
        print(flush=True)


def _code(take: Take) -> str:
    return "00-1" if take.pid == JUNK else f"{take.pid:04d}"


def _names(take: Take) -> list[str]:
    stem = f"{_code(take)}C{take.camera.number}T{take.number:04d}"
    return [f"{stem}F{frame:03d}.jpg" for frame in range(1, take.length + 1)]


def _write_info(folder: Path, takes: dict[str, tuple[Take, ...]], seed: int) -> None:
    """Name lists and tables as MARS has them: CRLF, int32 and uint16, 1-based and inclusive."""
    folder.mkdir(parents=True)
    for part, rows in takes.items():
        names = [name for take in rows for name in _names(take)]
        (folder / f"{part}_name.txt").write_bytes("".join(f"{name}\r\n" for name in names).encode())
        last = np.cumsum([take.length for take in rows])
        table = [
            (end - take.length + 1, end, take.pid, take.camera.number)
            for end, take in zip(last, rows, strict=True)
        ]
        _save_table(
            folder / f"tracks_{part}_info.mat", f"track_{part}_info", np.array(table, np.int32)
        )
    query = np.array(queries(takes["test"], seed), np.uint16)[None] + 1
    _save_table(folder / "query_IDX.mat", "query_IDX", query.astype(np.uint16))


def _save_table(path: Path, name: str, table: np.ndarray) -> None:
    file = io.BytesIO()
    scipy.io.savemat(file, {name: table})
    head = b"MATLAB 5.0 MAT-file".ljust(116)  # scipy puts the time of day here
    path.write_bytes(head + file.getvalue()[116:])


# ------------------------------------------------------------------------------ to look at


def contact_sheet(dataset: Dataset, path: Path) -> None:
    """Write one PNG of film strips: persons by camera, strangers, bad boxes, and each nuisance.

    Args:
        dataset: a synthetic one with at least three test persons.
        path: of the picture.
    """
    folder = Path(dataset.test[0].folder).parents[1]
    knobs = Knobs(**json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["knobs"])
    rows = {}
    for pid in list(dict.fromkeys(dataset.test[row].pid for row in dataset.query))[:PEOPLE_SHOWN]:
        rows[f"person {pid}"] = [t for t in dataset.test if t.pid == pid]
    rows["distractor"] = [t for t in dataset.test if t.pid == DISTRACTOR][::7]
    rows["junk"] = [t for t in dataset.test if t.pid == JUNK]
    strips = [
        [(f"{who}, camera {t.camid}", _frames_of(t)) for t in sorted(found, key=len)[-STRIPS:]]
        for who, found in rows.items()
    ]
    takes = sorted(plan(knobs)["test"], key=lambda take: (take.pid > 0, take.length))[-STRIPS:]
    passers = people(knobs.seed, "passers", PASSERS)
    for knob, value in SEVERITIES:
        clean = dataclasses.replace(knobs.conditions, occlusion=0.0, misalignment=0.0, noise=0.0)
        filmed = dataclasses.replace(clean, **{knob: value})
        strips.append([(f"{knob} {value}", list(film(take, filmed, passers))) for take in takes])
    write_whole(path, lambda part: _draw_strips(strips, knobs.size).save(part, "PNG"))


def _frames_of(tracklet: Tracklet) -> list[Image.Image]:
    return [Image.open(tracklet.path(frame)).convert("RGB") for frame in range(len(tracklet))]


def _draw_strips(rows: list[list[tuple[str, list[Image.Image]]]], size: int) -> Image.Image:
    width, caption = FRAMES_SHOWN * (size // 2) + 8, max(9, size // 9)
    sheet = Image.new("RGB", (STRIPS * width, len(rows) * (size + caption + 4)), "white")
    draw = ImageDraw.Draw(sheet)
    for y, strips in enumerate(rows):
        top = y * (size + caption + 4)
        for x, (text, frames) in enumerate(strips):
            draw.text((x * width, top), text, "black", ImageFont.load_default(caption - 2))
            shown = np.linspace(0, len(frames) - 1, min(FRAMES_SHOWN, len(frames))).round()
            for place, frame in enumerate(shown.astype(int)):
                sheet.paste(frames[frame], (x * width + place * (size // 2), top + caption))
    return sheet


if __name__ == "__main__":
    _work(*sys.argv[1:])
