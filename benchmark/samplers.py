"""Batches of P identities × K tracklets, and the clips that they draw.

Everything random comes from (seed, epoch, position), never from a shared state: the number of
workers changes nothing.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmark.clips import SAMPLINGS, FrameRule, ImageError, read_clip
from benchmark.datasets.base import Dataset as Tracklets
from benchmark.datasets.base import Tracklet
from benchmark.recipes import Recipe


class Draw(NamedTuple):
    """One clip to draw: a training tracklet's row, the epoch, how often it came in its batch."""

    row: int
    epoch: int
    repeat: int


class IdentitySampler:
    """P identities × K tracklets a batch; an epoch passes each identity once.

    The last incomplete batch is dropped. Tracklets are drawn with replacement (STE-NVAN). A set
    with fewer identities
    than P uses what it has: ``identities`` says how many.

    Args:
        pids: person of each training tracklet.
        identities: P.
        tracklets: K.
        seed: seed of the run.

    Raises:
        ValueError: there are fewer than two persons, so that nobody can be told apart.
    """

    def __init__(self, pids: Sequence[int], identities: int, tracklets: int, seed: int):
        self.rows: dict[int, list[int]] = {}
        for row, pid in enumerate(pids):
            self.rows.setdefault(pid, []).append(row)
        if len(self.rows) < 2:
            raise ValueError(
                f"training needs two persons or more, the data set has {len(self.rows)}"
            )
        self.identities = min(identities, len(self.rows))
        self.tracklets, self.seed, self.epoch = tracklets, seed, 0

    def __len__(self) -> int:
        return len(self.rows) // self.identities

    def __iter__(self) -> Iterator[list[Draw]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        persons = rng.permutation(sorted(self.rows)).tolist()
        for start in range(0, len(self) * self.identities, self.identities):
            chosen = [
                row
                for pid in persons[start : start + self.identities]
                for row in rng.choice(self.rows[pid], self.tracklets).tolist()
            ]
            yield [Draw(row, self.epoch, chosen[:i].count(row)) for i, row in enumerate(chosen)]


class TrainingClips(Dataset):
    """Draws clips: ``[Draw]`` -> (uint8 clip [T, 3, H, W], class, flip), or the `ImageError`."""

    def __init__(self, dataset: Tracklets, recipe: Recipe, seed: int):
        self.tracklets, self.recipe, self.seed = dataset.train, recipe, seed
        self.classes = {pid: i for i, pid in enumerate(dataset.train_pids)}

    def __getitem__(self, draw: Draw) -> tuple[Tensor, int, bool] | ImageError:
        rng = np.random.default_rng([self.seed, *draw])
        tracklet = self.tracklets[draw.row]
        indices = SAMPLINGS[self.recipe.sampling](len(tracklet), self.recipe.frames, rng)
        flip = bool(rng.random() < self.recipe.flip)
        height, width = self.recipe.height, self.recipe.width
        grown = bool(self.recipe.enlarge and rng.random() < self.recipe.enlarge)
        more = (height // 8, width // 8) if grown else (0, 0)
        top, left = (int(rng.integers(m + 1)) for m in more)
        try:
            clip = read_clip(tracklet, indices, height + more[0], width + more[1])
        except ImageError as error:
            return error
        clip = clip[..., top : top + height, left : left + width]  # one crop for all frames
        return clip, self.classes[tracklet.pid], flip


class EvaluationClips(Dataset):
    """Every clip of every tracklet under a frame rule: (uint8 clip, i), or the `ImageError`."""

    def __init__(self, tracklets: Sequence[Tracklet], rule: FrameRule, height: int, width: int):
        self.tracklets, self.height, self.width = tracklets, height, width
        self.clips = [
            (row, indices)
            for row, tracklet in enumerate(tracklets)
            for indices in rule.clips(len(tracklet))
        ]

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, i: int) -> tuple[Tensor, int] | ImageError:
        row, indices = self.clips[i]
        try:
            return read_clip(self.tracklets[row], indices, self.height, self.width), i
        except ImageError as error:
            return error


def batches(dataset: Dataset, sampler: object, workers: int) -> "Batches":
    """A loader whose workers live as long as it does."""
    return Batches(
        DataLoader(
            dataset,
            batch_sampler=sampler,
            num_workers=workers,
            collate_fn=_collate,
            persistent_workers=workers > 0,
            generator=torch.Generator(),  # its draws must not move the training's random state
            pin_memory=torch.cuda.is_available(),
        )
    )


class Batches:
    """Iterates over a loader's batches and raises what its workers hand over instead of one."""

    def __init__(self, loader: DataLoader):
        self.loader = loader

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[list[Tensor]]:
        for batch in self.loader:
            if isinstance(batch, ImageError):
                raise batch
            yield batch


def _collate(samples: list) -> list[Tensor] | ImageError:
    """Stack samples; an error is handed on: raised in a worker, it would arrive as a traceback."""
    for sample in samples:
        if isinstance(sample, ImageError):
            return sample
    first, *rest = zip(*samples, strict=True)
    return [torch.stack(first), *(torch.tensor(column) for column in rest)]
