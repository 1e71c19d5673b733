"""One training loop for every method.

Interrupted at any moment, it goes on from its last checkpoint with the same result as if it had not
been interrupted: the checkpoint holds model, optimiser, epoch, step and random state, everything
else follows from (seed, epoch, place).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from benchmark.contract import check_output
from benchmark.cost.memory import PeakMemory
from benchmark.datasets.base import Dataset
from benchmark.losses import losses
from benchmark.optimisers import OPTIMISERS, parameters_of
from benchmark.pixels import normalise
from benchmark.preparation import FILE, prepare
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Recipe
from benchmark.samplers import SAMPLERS, IdentitySampler, TrainingClips, batches
from benchmark.training_state import TrainingLog, TrainingState

CHECK_EVERY = 50  # steps between two looks at whether the loss is still a number


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


class Diverged(RuntimeError):
    """The loss is no longer a number; ``steps`` is how many had been made when it was seen."""

    def __init__(self, message: str, steps: int = 0):
        super().__init__(message)
        self.steps = steps


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Scoring while training, on persons that are not trained on.

    Attributes:
        score: of the network, in evaluation: metrics in [0, 1] by name, ``mAP`` among them; a
            ValueError where its vectors cannot be ranked ends the training as `Diverged`.
        every: epochs between two scorings; the last epoch is always scored.
        keep_best: the weights of the epoch with the highest mAP are the result, not the last ones.
        after: told epoch, from 1, and mAP once the epoch is saved; what it raises ends training.
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
    validation: Validation | None = None,
    progress: Progress = SILENT,
) -> Training:
    """Train the model in place, or what is left of its training.

    Args:
        model: built after ``torch.manual_seed(seed)``, so that its start is part of the run.
        dataset: its ``train`` part is used, nothing of its test part.
        recipe: how.
        folder: receives ``checkpoint.pt``, ``log.jsonl`` and ``tensorboard/``, and until the end
            ``preparation.pt``, see `benchmark.preparation`.
        seed: of sampling and augmentation.
        accelerator: device and precision.
        workers: processes that load clips; their number changes nothing.
        validation: scores the network between epochs.
        progress: told the steps done, of all.

    Raises:
        Diverged: the loss became NaN; the message names the step and the last good checkpoint.
        BrokenContract: the first batch shows that the network gives something else than it must.
        ImageError: an image cannot be read.
    """
    pids = [t.pid for t in dataset.train]
    sampler = SAMPLERS[recipe.sampler](pids, recipe.ids_per_batch, recipe.clips_per_id, seed)
    loader = batches(TrainingClips(dataset, recipe, seed), sampler, workers)
    optimiser = OPTIMISERS[recipe.optimiser](parameters_of(model, recipe), recipe)
    model, optimiser = accelerator.prepare(model, optimiser)
    state = TrainingState(model, optimiser, accelerator, Path(folder) / "checkpoint.pt", progress)
    memory = PeakMemory(accelerator.device)
    plain = accelerator.unwrap_model(model)
    prepare(plain, dataset, recipe, folder, accelerator.device, workers, progress)
    persons = len(dataset.train_pids)
    with TrainingLog(Path(folder), state.epoch) as log:
        while state.epoch < recipe.epochs:
            sampler.epoch = state.epoch
            started = time.perf_counter()
            state.means = _epoch(state, loader, recipe, persons, progress)
            state.seconds += time.perf_counter() - started
            state.epoch += 1
            scores = _validate(state, recipe, validation, progress)
            entry = {"epoch": state.epoch, "step": state.step, **state.means, **scores}
            log.write(entry, state.seconds)
            state.save(final=state.epoch == recipe.epochs)
            if scores and validation.after is not None:
                validation.after(state.epoch, scores["validation_mAP"])
    if validation is not None and validation.keep_best:
        state.restore_best()
    (Path(folder) / FILE).unlink(missing_ok=True)
    return _summary(state, sampler, memory, validation)


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
    )


def _epoch(
    state: TrainingState, loader, recipe: Recipe, persons: int, progress: Progress
) -> dict[str, float]:
    """One pass of the sampler; means over its steps. Nothing here waits for the device."""
    model, device = state.model.train(), state.accelerator.device
    sums: dict[str, Tensor] = {}
    first = True
    odd = torch.full((), -1, device=device)  # steps before the first whose loss is no number
    for clips, classes, flip in loader:
        lr = recipe.lr_at(state.epoch + (state.step % len(loader)) / len(loader))
        for group in state.optimiser.param_groups:
            group["lr"] = lr * group.get("share", 1.0)
        clips, classes, flip = (t.to(device, non_blocking=True) for t in (clips, classes, flip))
        output = model(normalise(clips, flip))
        if first:
            check_output(model, output, len(clips), persons)
            first = False
        parts = losses(output, classes, recipe)
        loss = sum(parts.values())
        state.optimiser.zero_grad(set_to_none=True)
        state.accelerator.backward(loss)
        state.optimiser.step()
        with torch.no_grad():
            accuracy = (output.logits.argmax(1) == classes).float().mean()
            for name, part in {"loss": loss, **parts, "accuracy": accuracy}.items():
                sums[name] = sums.get(name, 0.0) + _exact(part.detach())
            odd = torch.where((odd < 0) & ~loss.isfinite(), state.step, odd)
        state.step += 1
        if state.step % CHECK_EVERY == 0:
            _refuse_odd(odd, state, recipe)
        progress.advance("train", state.step, recipe.epochs * len(loader))
    _refuse_odd(odd, state, recipe)
    return {name: total.item() / len(loader) for name, total in sums.items()} | {"lr": lr}


def _exact(value: Tensor) -> Tensor:
    """In float64 where the device has it."""
    return value.float() if value.device.type == "mps" else value.double()


def _refuse_odd(odd: Tensor, state: TrainingState, recipe: Recipe) -> None:
    step = int(odd) + 1
    if step > 0:
        raise Diverged(
            f"the loss is no finite number at step {step} (epoch {state.epoch + 1}); the last good "
            f"checkpoint, {state.saved}, stands: lower the rate, e.g. --set lr={recipe.lr / 3:.2g}",
            state.step,
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
