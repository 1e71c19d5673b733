"""Random clips a second from loose files and from their pack, with a cold and a warm page cache.

Cold: the kernel is asked to forget the files' pages (POSIX_FADV_DONTNEED), on a local disk; what a
network adds for every file that is opened is not in these figures.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmark.clips import chunk_first
from benchmark.datasets.base import Tracklet
from benchmark.datasets.catalogue import open_dataset
from benchmark.datasets.packing import pack
from benchmark.pixels import read_clip

PERSONS, TRACKLETS, FRAMES, T, CLIPS, ROUNDS = 100, 4, 30, 8, 300, 3


def main() -> None:
    """Print clips a second of both sides and their ratio."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        loose, packed = Path(folder, "loose"), Path(folder, "own.pack")
        write(loose)
        pack("folder", loose, packed)
        for state in ("cold", "warm"):
            sides = {"files": loose, "pack": packed}
            best = {side: np.inf for side in sides}
            for seed in range(ROUNDS):
                for side, root in sides.items():
                    if state == "cold":
                        forget(loose)
                        forget(packed)
                    best[side] = min(best[side], seconds(root, seed))
            speeds = {side: CLIPS / s for side, s in best.items()}
            print(
                f"random clips, {state}: files {speeds['files']:.0f}/s, pack "
                f"{speeds['pack']:.0f}/s, ratio {speeds['pack'] / speeds['files']:.2f} (target 1)"
            )
            sys.stdout.flush()


def write(root: Path) -> None:
    """Smooth random pictures as JPEG files of 256x128; noise would compress unlike photographs."""
    rng = np.random.default_rng(0)
    for part in ("query", "gallery"):
        for person in range(PERSONS):
            for tracklet in range(TRACKLETS // 2):
                place = root / part / f"{person:04}" / f"{tracklet}_{part}"
                place.mkdir(parents=True)
                for frame in range(FRAMES):
                    small = Image.fromarray(rng.integers(0, 255, (16, 8, 3), dtype=np.uint8))
                    image = small.resize((128, 256), Image.Resampling.BICUBIC)
                    image.save(place / f"{frame:03}.jpg", quality=90)


def forget(root: Path) -> None:
    """Ask the kernel to drop the pages of every file below."""
    for path in root.rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


def seconds(root: Path, seed: int) -> float:
    """Time to make clips of random tracklets, the data set being open."""
    rng = np.random.default_rng(seed)
    tracklets: tuple[Tracklet, ...] = open_dataset("folder", root).test
    started = time.perf_counter()
    for row in rng.integers(len(tracklets), size=CLIPS).tolist():
        read_clip(tracklets[row], chunk_first(FRAMES, T), 256, 128)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
