"""Writes the synthetic data set: JPEG files, name lists and tables as MARS has them.

The work is shared among processes; the bytes do not depend on how many there are. A rendering that
was killed goes on where it was: a part grows in a hidden folder and gets its name when it is whole,
and a tracklet all of whose images are there is not filmed again.
"""

import dataclasses
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

from benchmark.datasets.base import JUNK
from benchmark.datasets.synthetic.people import people
from benchmark.datasets.synthetic.scene import film
from benchmark.datasets.synthetic.tracks import Knobs, Shot, queries, shots_of
from benchmark.files import remove_parts
from benchmark.interrupts import deaf, end_with_parent
from benchmark.progress import SILENT, Progress

PARTS = ("test", "train")
QUALITY = 90  # of the JPEG files
PASSERS = 40  # people who get in the way
END_OF_JPEG = b"\xff\xd9"  # a file that was cut short has something else there


def render(
    folder: Path,
    knobs: Knobs,
    *,
    workers: int,
    parts: Sequence[str] = PARTS,
    progress: Progress = SILENT,
) -> None:
    """Write parts of the data set into a folder, or what is missing of them.

    Args:
        folder: receives ``info`` and, for each part, ``bbox_<part>``.
        knobs: what to render.
        workers: processes to share the work; the bytes written do not depend on it.
        parts: of `PARTS`.
        progress: advances with every tracklet, those that are there already among them.

    Raises:
        OSError: a file could not be written.
    """
    shots = shots_of(knobs)
    _write_info(folder / "info", shots, knobs.seed)
    parts = [part for part in parts if not (folder / f"bbox_{part}").is_dir()]
    for part in parts:
        remove_parts(unfinished(folder, part))
        for person in {code_of(shot) for shot in shots[part]}:
            (unfinished(folder, part) / person).mkdir(parents=True, exist_ok=True)
    total = sum(len(shots[part]) for part in parts)
    workers = max(1, min(workers, total // 20))
    work = _Work(folder=str(folder), knobs=knobs, parts=tuple(parts), workers=workers)
    share = _share(work, 0) if workers == 1 else _shares(work)
    for done, _ in enumerate(share, start=1):
        progress.advance("rendering pedestrians", done, total)
    for part in parts:
        unfinished(folder, part).rename(folder / f"bbox_{part}")


def unfinished(folder: Path, part: str) -> Path:
    """Where a part lies until it is whole."""
    return folder / f".bbox_{part}.unfinished"


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What is rendered by how many processes."""

    folder: str
    knobs: Knobs
    parts: tuple[str, ...]
    workers: int


def _share(work: _Work, index: int) -> Iterator[object]:
    """Film every ``workers``-th shot that is not there, from ``index`` on; yields after each."""
    passers = people(work.knobs.seed, "passers", PASSERS)
    shots = [
        (p, shot) for p, rows in shots_of(work.knobs).items() if p in work.parts for shot in rows
    ]
    for part, shot in shots[index :: work.workers]:
        home = unfinished(Path(work.folder), part) / code_of(shot)
        names = names_of(shot)
        if not all(_is_whole(home / name) for name in names):
            for image, name in zip(film(shot, work.knobs.settings, passers), names, strict=True):
                _write(image, home / name)
        yield shot


def _write(image: Image.Image, path: Path) -> None:
    """Write an image whole, without waiting for the disk as `benchmark.files.write_whole` does."""
    part = path.with_name(f".{path.stem}.{os.getpid()}.part.jpg")
    image.save(part, quality=QUALITY)
    part.replace(path)


def _is_whole(path: Path) -> bool:
    """Whether an earlier rendering left the image; a power failure may have left an empty one."""
    try:
        with path.open("rb") as file:
            return file.read().endswith(END_OF_JPEG)
    except FileNotFoundError:
        return False


def _shares(work: _Work) -> Iterator[object]:
    """The same in several processes: a line on the common pipe stands for a shot.

    They run this module, not the caller's: a script need not guard its top level for them.
    """
    reader, writer = os.pipe()
    task = [json.dumps(dataclasses.asdict(work)), str(os.getpid())]
    command = [sys.executable, "-m", "benchmark.datasets.synthetic.render", *task]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    processes = []
    try:
        with deaf():
            for index in range(work.workers):
                processes.append(
                    subprocess.Popen([*command, str(index)], stdout=writer, env=environment)
                )
        os.close(writer)
        with os.fdopen(reader, encoding="ascii") as lines:
            yield from lines
        codes = [process.wait() for process in processes]
        if any(codes):
            raise OSError(
                f"rendering into {work.folder} failed: a worker ended with {max(codes, key=abs)}"
            )
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _work(text: str, parent: str, index: str) -> None:
    end_with_parent(int(parent))
    fields = json.loads(text)
    for _ in _share(_Work(**fields | {"knobs": Knobs(**fields["knobs"])}), int(index)):
        try:
            print(flush=True)
        except BrokenPipeError:  # nobody waits for it any more
            os._exit(1)


def code_of(shot: Shot) -> str:
    """What a shot's folder is called."""
    return "00-1" if shot.pid == JUNK else f"{shot.pid:04d}"


def names_of(shot: Shot) -> list[str]:
    """What a shot's images are called."""
    stem = f"{code_of(shot)}C{shot.camera.number}T{shot.number:04d}"
    return [f"{stem}F{frame:03d}.jpg" for frame in range(1, shot.length + 1)]


def _write_info(folder: Path, shots: dict[str, tuple[Shot, ...]], seed: int) -> None:
    """Name lists and tables as MARS has them: CRLF, int32 and uint16, 1-based and inclusive."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, rows in shots.items():
        names = [name for shot in rows for name in names_of(shot)]
        (folder / f"{part}_name.txt").write_bytes("".join(f"{name}\r\n" for name in names).encode())
        last = np.cumsum([shot.length for shot in rows])
        table = [
            (end - shot.length + 1, end, shot.pid, shot.camera.number)
            for end, shot in zip(last, rows, strict=True)
        ]
        _save_table(
            folder / f"tracks_{part}_info.mat", f"track_{part}_info", np.array(table, np.int32)
        )
    query = np.array(queries(shots["test"], seed), np.uint16)[None] + 1
    _save_table(folder / "query_IDX.mat", "query_IDX", query.astype(np.uint16))


def _save_table(path: Path, name: str, table: np.ndarray) -> None:
    file = io.BytesIO()
    scipy.io.savemat(file, {name: table})
    head = b"MATLAB 5.0 MAT-file".ljust(116)  # scipy puts the time of day here
    path.write_bytes(head + file.getvalue()[116:])


if __name__ == "__main__":
    _work(*sys.argv[1:])
