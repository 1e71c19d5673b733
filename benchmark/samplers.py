"""Batches of P identities × K tracklets, and the clips that they draw.

Everything random comes from (seed, epoch, position), never from a shared state: the number of
workers changes nothing.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmark.augment import draw_augmentation
from benchmark.clips import SAMPLINGS, FrameRule
from benchmark.datasets.base import Dataset as Tracklets
from benchmark.datasets.base import Tracklet
from benchmark.interrupts import leave_to_parent
from benchmark.pixels import ImageError, read_clip

if TYPE_CHECKING:
    from benchmark.recipe import Recipe


class Draw(NamedTuple):
    """One clip to draw: a training tracklet's row, the epoch, how often it came in its batch."""

    row: int
    epoch: int
    repeat: int


class IdentitySampler:
    """P identities × K clips a batch; an epoch passes each identity once.

    The last incomplete batch is dropped. Tracklets are drawn with replacement (STE-NVAN). A set
    with fewer identities than P uses what it has: ``ids_per_batch`` says how many.

    Args:
        pids: person of each training tracklet.
        ids_per_batch: P.
        clips_per_id: K.
        seed: seed of the run.

    Attributes:
        epoch: decides the draw; the trainer sets it.

    Raises:
        ValueError: there are fewer than two persons, so that nobody can be told apart.
    """

    def __init__(self, pids: Sequence[int], ids_per_batch: int, clips_per_id: int, seed: int):
        self.rows = _rows_by_person(pids)
        self.ids_per_batch = min(ids_per_batch, len(self.rows))
        self.clips_per_id, self.seed, self.epoch = clips_per_id, seed, 0

    def __len__(self) -> int:
        return len(self.rows) // self.ids_per_batch

    def __iter__(self) -> Iterator[list[Draw]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        persons = rng.permutation(sorted(self.rows)).tolist()
        for start in range(0, len(self) * self.ids_per_batch, self.ids_per_batch):
            yield _draws(
                [
                    row
                    for pid in persons[start : start + self.ids_per_batch]
                    for row in rng.choice(self.rows[pid], self.clips_per_id).tolist()
                ],
                self.epoch,
            )


class TrackletSampler(IdentitySampler):
    """P groups of K clips of one identity a batch; an epoch passes each tracklet about once.

    Each identity's tracklets are shuffled and cut into groups of K, the rest dropped; an identity
    with fewer gives one group with repetition. Two groups of one identity may meet in a batch
    (AP3D, TCLNet, BiCnet-TKS, SINet); where all of a small batch are one identity's, another's
    takes the place of the last.
    """

    def __len__(self) -> int:
        groups = sum(max(len(rows) // self.clips_per_id, 1) for rows in self.rows.values())
        return max(groups // self.ids_per_batch, 1)

    def __iter__(self) -> Iterator[list[Draw]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        groups: list[tuple[int, list[int]]] = []  # (person, rows)
        for pid in sorted(self.rows):
            rows, k = rng.permutation(self.rows[pid]), self.clips_per_id
            if len(rows) < k:
                groups.append((pid, rng.choice(rows, k).tolist()))
            cut = rows[: len(rows) // k * k].reshape(-1, k)
            groups += [(pid, group) for group in cut.tolist()]
        order = rng.permutation(len(groups)).tolist()
        for start in range(0, len(self) * self.ids_per_batch, self.ids_per_batch):
            chosen = [groups[i] for i in order[start : start + self.ids_per_batch]]
            if len({pid for pid, _ in chosen}) == 1:  # nobody to be told apart from
                others = [group for group in groups if group[0] != chosen[0][0]]
                chosen[-1] = others[rng.integers(len(others))]
            yield _draws([row for _, group in chosen for row in group], self.epoch)


SAMPLERS: dict[str, type[IdentitySampler]] = {
    "identities": IdentitySampler,
    "tracklets": TrackletSampler,
}


def _rows_by_person(pids: Sequence[int]) -> dict[int, list[int]]:
    rows: dict[int, list[int]] = {}
    for row, pid in enumerate(pids):
        rows.setdefault(pid, []).append(row)
    if len(rows) < 2:
        raise ValueError(f"training needs two persons or more, the data set has {len(rows)}")
    return rows


def _draws(rows: list[int], epoch: int) -> list[Draw]:
    return [Draw(row, epoch, rows[:i].count(row)) for i, row in enumerate(rows)]


class TrainingClips(Dataset):
    """Draws clips: ``[Draw]`` -> (uint8 clip [T, 3, H, W], class, flip), or the `ImageError`."""

    def __init__(self, dataset: Tracklets, recipe: "Recipe", seed: int):
        self.tracklets, self.recipe, self.seed = dataset.train, recipe, seed
        self.classes = {pid: i for i, pid in enumerate(dataset.train_pids)}

    def __getitem__(self, draw: Draw) -> tuple[Tensor, int, bool] | ImageError:
        recipe, rng = self.recipe, np.random.default_rng([self.seed, *draw])
        tracklet = self.tracklets[draw.row]
        sampling = SAMPLINGS[recipe.sampling]
        indices = sampling(len(tracklet), recipe.frames, recipe.stride, rng)
        size = {"height": recipe.height, "width": recipe.width}
        change = draw_augmentation(
            rng,
            flip=recipe.flip,
            random_crop=recipe.random_crop,
            erase=recipe.erase,
            flip_frames=recipe.frames if recipe.flip_frames else 0,
            **size,
        )
        try:
            clip = read_clip(tracklet, indices, *change.size_to_read(**size), recipe.resize)
        except ImageError as error:
            return error
        return change.apply(clip, **size), self.classes[tracklet.pid], change.flip


class EvaluationClips(Dataset):
    """Every clip of every tracklet under a frame rule: (uint8 clip, i), or the `ImageError`."""

    def __init__(
        self,
        tracklets: Sequence[Tracklet],
        rule: FrameRule,
        height: int,
        width: int,
        resize: str = "bilinear",
    ):
        self.tracklets, self.height, self.width, self.resize = tracklets, height, width, resize
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
            clip = read_clip(self.tracklets[row], indices, self.height, self.width, self.resize)
        except ImageError as error:
            return error
        return clip, i


def batches(dataset: Dataset, sampler: object, workers: int) -> "Batches":
    """A loader whose workers live as long as it does."""
    return Batches(
        DataLoader(
            dataset,
            batch_sampler=sampler,
            num_workers=workers,
            collate_fn=_collate,
            persistent_workers=workers > 0,
            worker_init_fn=leave_to_parent,
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
