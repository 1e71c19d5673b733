"""Writes the synthetic data set: JPEG files, name lists and tables as MARS has them.

The work is shared among processes; the bytes do not depend on how many there are.
"""

import dataclasses
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.io

from benchmark.datasets.base import JUNK
from benchmark.datasets.synthetic.people import people
from benchmark.datasets.synthetic.scene import film
from benchmark.datasets.synthetic.tracks import Knobs, Shot, queries, shots_of
from benchmark.interrupts import deaf, end_with_parent
from benchmark.progress import SILENT, Progress

QUALITY = 90  # of the JPEG files
PASSERS = 40  # people who get in the way


def render(
    folder: Path,
    knobs: Knobs,
    *,
    workers: int,
    progress: Progress = SILENT,
) -> None:
    """Write the whole data set into an empty folder.

    Args:
        folder: receives ``bbox_train``, ``bbox_test`` and ``info``.
        knobs: what to render.
        workers: processes to share the work; the bytes written do not depend on it.
        progress: advances with every tracklet.

    Raises:
        OSError: a file could not be written.
    """
    shots = shots_of(knobs)
    _write_info(folder / "info", shots, knobs.seed)
    for part, rows in shots.items():
        for person in {_code(shot) for shot in rows}:
            (folder / f"bbox_{part}" / person).mkdir(parents=True, exist_ok=True)
    total = sum(len(rows) for rows in shots.values())
    workers = max(1, min(workers, total // 20))
    share = _share(folder, knobs, 0, 1) if workers == 1 else _shares(folder, knobs, workers)
    for done, _ in enumerate(share, start=1):
        progress.advance("rendering pedestrians", done, total)


def _share(folder: Path, knobs: Knobs, index: int, workers: int) -> Iterator[object]:
    """Film every ``workers``-th shot, from ``index`` on; yields after each."""
    passers = people(knobs.seed, "passers", PASSERS)
    shots = [(part, shot) for part, rows in shots_of(knobs).items() for shot in rows]
    for part, shot in shots[index::workers]:
        home = folder / f"bbox_{part}" / _code(shot)
        for image, name in zip(film(shot, knobs.settings, passers), _names(shot), strict=True):
            image.save(home / name, quality=QUALITY)
        yield shot


def _shares(folder: Path, knobs: Knobs, workers: int) -> Iterator[object]:
    """The same in several processes: a line on the common pipe stands for a shot.

    They run this module, not the caller's: a script need not guard its top level for them.
    """
    reader, writer = os.pipe()
    task = [str(folder), json.dumps(dataclasses.asdict(knobs)), str(workers), str(os.getpid())]
    command = [sys.executable, "-m", "benchmark.datasets.synthetic.render", *task]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    processes = []
    try:
        with deaf():
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


def _work(folder: str, knobs: str, workers: str, parent: str, index: str) -> None:
    end_with_parent(int(parent))
    for _ in _share(Path(folder), Knobs(**json.loads(knobs)), int(index), int(workers)):
        try:
            print(flush=True)
        except BrokenPipeError:  # nobody waits for it any more
            os._exit(1)


def _code(shot: Shot) -> str:
    return "00-1" if shot.pid == JUNK else f"{shot.pid:04d}"


def _names(shot: Shot) -> list[str]:
    stem = f"{_code(shot)}C{shot.camera.number}T{shot.number:04d}"
    return [f"{stem}F{frame:03d}.jpg" for frame in range(1, shot.length + 1)]


def _write_info(folder: Path, shots: dict[str, tuple[Shot, ...]], seed: int) -> None:
    """Name lists and tables as MARS has them: CRLF, int32 and uint16, 1-based and inclusive."""
    folder.mkdir(parents=True)
    for part, rows in shots.items():
        names = [name for shot in rows for name in _names(shot)]
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
