"""Clips a second on one core: ours against PIL, Resize, ToTensor and Normalize, in one run.

Both sides read the same JPEG files and end with the same normalised float clips in memory.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision import transforms

from benchmark.clips import chunk_first
from benchmark.datasets.base import Tracklet
from benchmark.pixels import MEAN, STD, normalise, read_clip

TRACKLETS, FRAMES, T, ROUNDS = 24, 8, 8, 5


def main() -> None:
    """Print clips per second and their ratio for images stored at and above the network's size."""
    torch.set_num_threads(1)
    for stored, wanted in (
        ((256, 128), (256, 128)),
        ((128, 64), (256, 128)),
        ((256, 128), (128, 64)),
    ):
        with tempfile.TemporaryDirectory() as folder:
            tracklets = write(Path(folder), *stored)
            sides = {"ours": ours, "PIL": pil}
            best = {
                name: min(seconds(side, tracklets, wanted) for _ in range(ROUNDS))
                for name, side in sides.items()
            }
        size = f"{stored[0]}x{stored[1]} -> {wanted[0]}x{wanted[1]}"
        speeds = {name: len(tracklets) / s for name, s in best.items()}
        print(
            f"clips, {size}: ours {speeds['ours']:.0f}/s, PIL {speeds['PIL']:.0f}/s, "
            f"ratio {speeds['ours'] / speeds['PIL']:.2f} (target 2.2)"
        )
        sys.stdout.flush()


def write(folder: Path, height: int, width: int) -> list[Tracklet]:
    """Smooth random pictures as JPEG files; noise would compress unlike photographs."""
    rng = np.random.default_rng(0)
    tracklets = []
    for t in range(TRACKLETS):
        names = []
        for f in range(FRAMES):
            small = Image.fromarray(rng.integers(0, 255, (16, 8, 3), dtype=np.uint8))
            name = f"{t:04d}_{f:03d}.jpg"
            small.resize((width, height), Image.Resampling.BICUBIC).save(folder / name, quality=90)
            names.append(name)
        tracklets.append(Tracklet(1, 1, str(folder), tuple(names)))
    return tracklets


def seconds(side, tracklets: list[Tracklet], wanted: tuple[int, int]) -> float:
    """Time to make one clip of every tracklet."""
    started = time.perf_counter()
    for tracklet in tracklets:
        side(tracklet, *wanted)
    return time.perf_counter() - started


def ours(tracklet: Tracklet, height: int, width: int) -> torch.Tensor:
    """As in training: uint8 clips, normalised as a batch."""
    clip = read_clip(tracklet, chunk_first(len(tracklet), T), height, width)
    return normalise(clip[None])


def pil(tracklet: Tracklet, height: int, width: int) -> torch.Tensor:
    """As most re-ID code: PIL image, Resize, ToTensor, Normalize, frame by frame."""
    transform = transforms.Compose(
        [transforms.Resize((height, width)), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    )
    indices = chunk_first(len(tracklet), T)
    frames = [transform(Image.open(tracklet.path(i)).convert("RGB")) for i in indices]
    return torch.stack(frames)[None]


if __name__ == "__main__":
    main()
