"""One training loop for every method.

Interrupted at any moment, it goes on from its last checkpoint with the same result as if it had not
been interrupted: the checkpoint holds model, optimiser, epoch, step and random state, everything
else follows from (seed, epoch, place). Several processes may share it, see `benchmark.distributed`;
the first one alone reads and writes files.
"""

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn

from benchmark import distributed
from benchmark.cost.memory import PeakMemory
from benchmark.datasets.base import Dataset
from benchmark.epoch import Diverged, epoch
from benchmark.optimisers import OPTIMISERS, parameters_of
from benchmark.preparation import FILE, prepare
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Recipe
from benchmark.samplers import SAMPLERS, IdentitySampler, TrainingClips, batches
from benchmark.training_log import TrainingLog
from benchmark.training_state import TrainingState


@dataclass(frozen=True, kw_only=True)
class Training:
    """What training took; the ``training`` part of run.json.

    Attributes:
        epochs: passes over all identities.
        steps: optimiser steps.
        seconds: of training, interruptions and what comes before its first step left out.
        clips_per_s: training throughput.
        peak_memory_mb: of the process (CPU) or the device, in 10⁶ bytes.
        persons: training identities.
        tracklets: training tracklets.
        batch: clips a step.
        final: means of the last epoch.
        best_epoch: the epoch whose weights were kept, counted from 1, or None for the last one.
        processes: that shared it; more than one number where it went on with another.
        synchronised: whether BatchNorm saw the clips of all of them, as it does on GPUs.
        compiled: whether steps were compiled.
    """

    epochs: int
    steps: int
    seconds: float
    clips_per_s: float
    peak_memory_mb: float
    persons: int
    tracklets: int
    batch: int
    final: dict[str, float]
    best_epoch: int | None = None
    processes: tuple[int, ...] = (1,)
    synchronised: bool = False
    compiled: bool = False


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Scoring while training, on persons that are not trained on.

    Attributes:
        score: of the network, in evaluation: metrics in [0, 1] by name, ``mAP`` among them, the
            same on every process; a ValueError where its vectors cannot be ranked ends the training
            as `Diverged`.
        every: epochs between two scorings; the last epoch is always scored.
        keep_best: the weights of the epoch with the highest mAP are the result, not the last ones.
        after: told epoch, from 1, and mAP once the epoch is saved; what it raises ends training.
            Only the first process calls it.
    """

    score: Callable[[nn.Module], dict[str, float]]
    every: int = 1
    keep_best: bool = False
    after: Callable[[int, float], None] | None = None


def train(
    model: nn.Module,
    dataset: Dataset,
    recipe: Recipe,
    folder: Path,
    *,
    seed: int,
    accelerator: Accelerator,
    workers: int,
    compiled: bool = False,
    validation: Validation | None = None,
    progress: Progress = SILENT,
) -> Training:
    """Train the model in place, or what is left of its training.

    Args:
        model: built after ``torch.manual_seed(seed)``, so that its start is part of the run; of
            several processes the first one's counts.
        dataset: its ``train`` part is used, nothing of its test part.
        recipe: how.
        folder: receives ``checkpoint.pt``, ``log.jsonl`` and ``tensorboard/``, and until the end
            ``preparation.pt``, see `benchmark.preparation`.
        seed: of sampling and augmentation.
        accelerator: device and precision.
        workers: processes that load clips; their number changes nothing.
        compiled: by torch.compile.
        validation: scores the network between epochs.
        progress: told the steps done, of all.

    Raises:
        Diverged, OutOfMemory, BrokenContract, ImageError: see `benchmark.epoch.epoch`.
        ValueError: the processes cannot share a batch equally.
    """
    pids = [t.pid for t in dataset.train]
    sampler = SAMPLERS[recipe.sampler](pids, recipe.ids_per_batch, recipe.clips_per_id, seed)
    distributed.check_share(sampler.ids_per_batch, distributed.size())
    clips = TrainingClips(dataset, recipe, seed)
    loader = batches(clips, distributed.Share(sampler), workers)
    state = _state(model, recipe, accelerator, Path(folder), compiled, progress)
    memory = PeakMemory(accelerator.device)
    plain = accelerator.unwrap_model(state.model)
    device = accelerator.device
    distributed.on_first(lambda: prepare(plain, dataset, recipe, folder, device, workers, progress))
    distributed.spread(plain)
    with _log(Path(folder), state.epoch) as log:
        while state.epoch < recipe.epochs:
            sampler.epoch = state.epoch
            distributed.seed_epoch(seed, state.epoch)
            started = time.perf_counter()
            state.means = epoch(state, loader, recipe, len(dataset.train_pids), progress)
            state.seconds += time.perf_counter() - started
            state.epoch += 1
            distributed.spread(plain)  # what is scored is what is saved
            scores = _validate(state, recipe, validation, progress)
            distributed.on_first(partial(_save, state, recipe, log, scores, validation))
    if validation is not None and validation.keep_best:
        state.restore_best()
    if distributed.is_first():
        (Path(folder) / FILE).unlink(missing_ok=True)
    return _summary(state, sampler, memory, validation)


def _state(
    model: nn.Module,
    recipe: Recipe,
    accelerator: Accelerator,
    folder: Path,
    compiled: bool,
    progress: Progress,
) -> TrainingState:
    """Model and optimiser on the device, with what the checkpoint holds."""
    model = distributed.synchronise_batch_norm(model.to(accelerator.device), accelerator.device)
    optimiser = OPTIMISERS[recipe.optimiser](parameters_of(model, recipe), recipe)
    # gradients are summed by `benchmark.distributed`, not wrapped in DistributedDataParallel
    model = accelerator.prepare_model(model, evaluation_mode=True)
    optimiser = accelerator.prepare_optimizer(optimiser)
    path = folder / "checkpoint.pt"
    return TrainingState(model, optimiser, accelerator, path, compiled=compiled, progress=progress)


def _log(folder: Path, epoch: int) -> AbstractContextManager[TrainingLog | None]:
    return TrainingLog(folder, epoch) if distributed.is_first() else nullcontext()


def _save(
    state: TrainingState,
    recipe: Recipe,
    log: TrainingLog,
    scores: dict[str, float],
    validation: Validation | None,
) -> None:
    """Write the epoch's line and the checkpoint, and tell who waits for the scores."""
    entry = {"epoch": state.epoch, "step": state.step, **state.means, **scores}
    log.write(entry, state.seconds)
    state.save(final=state.epoch == recipe.epochs)
    if scores and validation is not None and validation.after is not None:
        validation.after(state.epoch, scores["validation_mAP"])


def _summary(
    state: TrainingState,
    sampler: IdentitySampler,
    memory: PeakMemory,
    validation: Validation | None,
) -> Training:
    batch = sampler.ids_per_batch * sampler.clips_per_id
    kept_best = validation is not None and validation.keep_best
    return Training(
        epochs=state.epoch,
        steps=state.step,
        seconds=round(state.seconds, 3),
        clips_per_s=round(state.step * batch / state.seconds, 2) if state.seconds else 0.0,
        peak_memory_mb=round(memory.peak_mb(), 1),
        persons=len(sampler.rows),
        tracklets=sum(map(len, sampler.rows.values())),
        batch=batch,
        final=state.means,
        best_epoch=state.best_epoch if kept_best else None,
        processes=tuple(state.processes),
        synchronised=max(state.processes) > 1 and state.accelerator.device.type == "cuda",
        compiled=state.forward is not state.model,
    )


def _validate(
    state: TrainingState, recipe: Recipe, validation: Validation | None, progress: Progress
) -> dict[str, float]:
    """Scores of this epoch by name, ``validation_mAP`` among them; empty if it is not its turn."""
    if validation is None:
        return {}
    if state.epoch % validation.every and state.epoch != recipe.epochs:
        return {}
    progress.advance("validate", state.epoch, recipe.epochs)
    model, device = state.accelerator.unwrap_model(state.model).eval(), state.accelerator.device
    gpus = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(gpus):  # whatever the scoring draws, training goes on the same
            scores = validation.score(model)
    except ValueError as error:  # vectors that are no numbers, or beyond what float32 can rank
        told = f"epoch {state.epoch} cannot be scored: {error}"
        raise Diverged(told, state.step) from None
    if not math.isfinite(scores["mAP"]):
        told = f"validation mAP is {scores['mAP']} after epoch {state.epoch}"
        raise Diverged(told, state.step)
    if validation.keep_best:
        state.keep_if_best(scores["mAP"])
    return {f"validation_{name}": value for name, value in scores.items()}
