"""One training loop for every method.

Interrupted at any moment, it goes on from its last checkpoint with the same result as if it had not
been interrupted: the checkpoint holds model, optimiser, epoch, step and random state, everything
else follows from (seed, epoch, place).
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from benchmark.cost.memory import PeakMemory
from benchmark.datasets.base import Dataset
from benchmark.files import write_whole
from benchmark.losses import losses
from benchmark.pixels import normalise
from benchmark.recipes import Recipe
from benchmark.samplers import IdentitySampler, TrainingClips, batches

OnProgress = Callable[[str, int, int], None]
SAVE_EVERY = 20.0  # seconds between checkpoints, at the end of an epoch


@dataclass(frozen=True, kw_only=True)
class Training:
    """What training took; the ``training`` part of run.json.

    Attributes:
        epochs: passes over all identities.
        steps: optimiser steps.
        seconds: of training, interruptions left out.
        clips_per_s: training throughput.
        peak_memory_mb: of the process (CPU) or the device, in 10⁶ bytes.
        persons: training identities.
        tracklets: training tracklets.
        batch: clips a step.
        final: means of the last epoch.
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


class Diverged(RuntimeError):
    """The loss is no longer a number."""


def train(
    model: nn.Module,
    dataset: Dataset,
    recipe: Recipe,
    folder: Path,
    *,
    seed: int,
    accelerator: Accelerator,
    workers: int,
    on_progress: OnProgress,
) -> Training:
    """Train the model in place, or what is left of its training.

    Args:
        model: built after ``torch.manual_seed(seed)``, so that its start is part of the run.
        dataset: its ``train`` part is used, nothing of its test part.
        recipe: how.
        folder: receives ``checkpoint.pt``, ``log.jsonl`` and ``tensorboard/``.
        seed: of sampling and augmentation.
        accelerator: device and precision.
        workers: processes that load clips; their number changes nothing.
        on_progress: told ``(what, steps done, steps in all)``.

    Raises:
        Diverged: the loss became NaN; the message names the step and the last good checkpoint.
        ImageError: an image cannot be read.
    """
    pids = [t.pid for t in dataset.train]
    sampler = IdentitySampler(pids, recipe.identities, recipe.tracklets, seed)
    loader = batches(TrainingClips(dataset, recipe, seed), sampler, workers)
    wanted = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(wanted, lr=recipe.lr, weight_decay=recipe.weight_decay)
    model, optimiser = accelerator.prepare(model, optimiser)
    state = _State(model, optimiser, accelerator, Path(folder) / "checkpoint.pt")
    memory = PeakMemory(accelerator.device)
    with _Log(Path(folder), state) as log:
        while state.epoch < recipe.epochs:
            sampler.epoch = state.epoch
            started = time.perf_counter()
            means = _epoch(state, loader, recipe, on_progress)
            state.seconds += time.perf_counter() - started
            state.epoch += 1
            log.write({"epoch": state.epoch, "step": state.step, **means}, state.seconds)
            state.save(final=state.epoch == recipe.epochs)
    batch = sampler.identities * sampler.tracklets
    return Training(
        epochs=state.epoch,
        steps=state.step,
        seconds=round(state.seconds, 3),
        clips_per_s=round(state.step * batch / state.seconds, 2) if state.seconds else 0.0,
        peak_memory_mb=round(memory.peak_mb(), 1),
        persons=len(sampler.rows),
        tracklets=len(pids),
        batch=batch,
        final=state.means,
    )


def _epoch(state: "_State", loader, recipe: Recipe, on_progress: OnProgress) -> dict[str, float]:
    """One pass over all identities; returns the means of the losses and the accuracy."""
    accelerator, model = state.accelerator, state.model
    model.train()
    sums: dict[str, float] = {}
    for clips, classes, flip in loader:
        lr = recipe.lr_at(state.epoch + (state.step % len(loader)) / len(loader))
        for group in state.optimiser.param_groups:
            group["lr"] = lr
        clips, classes, flip = (
            t.to(accelerator.device, non_blocking=True) for t in (clips, classes, flip)
        )
        output = model(normalise(clips, flip))
        parts = losses(output, classes, triplet=recipe.triplet, smoothing=recipe.smoothing)
        loss = sum(parts.values())
        if not math.isfinite(value := loss.item()):
            raise Diverged(
                f"the loss is {value} at step {state.step} (epoch {state.epoch}); the last good "
                f"checkpoint, "
                f"{state.saved}, stands: lower the rate, e.g. --set lr={recipe.lr / 3:.2g}"
            )
        state.optimiser.zero_grad(set_to_none=True)
        accelerator.backward(loss)
        state.optimiser.step()
        state.step += 1
        accuracy = (output.logits.argmax(1) == classes).float().mean()
        step = {
            "loss": value,
            **{k: v.item() for k, v in parts.items()},
            "accuracy": accuracy.item(),
        }
        sums = {name: sums.get(name, 0.0) + part for name, part in step.items()}
        on_progress("train", state.step, recipe.epochs * len(loader))
    state.means = {name: total / len(loader) for name, total in sums.items()} | {"lr": lr}
    return state.means


class _State:
    """What a checkpoint holds, and where it lies."""

    def __init__(self, model, optimiser, accelerator: Accelerator, path: Path):
        self.model, self.optimiser, self.accelerator, self.path = (
            model,
            optimiser,
            accelerator,
            path,
        )
        self.epoch = self.step = 0
        self.seconds = 0.0
        self.means: dict[str, float] = {}
        self.saved = "none yet"
        self.clock = time.monotonic()
        if path.is_file():
            self._load()

    def _load(self) -> None:
        data = torch.load(self.path, map_location="cpu", weights_only=True)
        self.accelerator.unwrap_model(self.model).load_state_dict(data["model"])
        self.optimiser.load_state_dict(data["optimiser"])
        if self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(data["scaler"])
        self.epoch, self.step = data["epoch"], data["step"]
        self.seconds, self.means = data["seconds"], data["means"]
        torch.set_rng_state(data["rng"])
        if data["cuda_rng"] is not None and torch.cuda.is_available():
            torch.cuda.set_rng_state(data["cuda_rng"])
        self.saved = f"{self.path} of epoch {self.epoch}"

    def save(self, *, final: bool) -> None:
        """Write the checkpoint, if the last one is old enough or this is the end."""
        if not final and time.monotonic() - self.clock < SAVE_EVERY:
            return
        cuda = torch.cuda.get_rng_state() if self.accelerator.device.type == "cuda" else None
        scaler = self.accelerator.scaler
        data = {
            "model": self.accelerator.unwrap_model(self.model).state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": None if scaler is None else scaler.state_dict(),
            "epoch": self.epoch,
            "step": self.step,
            "seconds": self.seconds,
            "means": self.means,
            "rng": torch.get_rng_state(),
            "cuda_rng": cuda,
        }
        write_whole(self.path, lambda part: torch.save(data, part))
        self.saved = f"{self.path} of epoch {self.epoch}"
        self.clock = time.monotonic()


class _Log:
    """log.jsonl and TensorBoard, cut back to the checkpoint that training goes on from."""

    def __init__(self, folder: Path, state: _State):
        self.path = folder / "log.jsonl"
        kept = [line for line in _lines(self.path) if json.loads(line)["epoch"] <= state.epoch]
        write_whole(self.path, lambda part: part.write_text("".join(kept)))
        self.file = self.path.open("a", encoding="utf-8")
        self.board = SummaryWriter(folder / "tensorboard", purge_step=state.epoch + 1)

    def __enter__(self) -> "_Log":
        return self

    def __exit__(self, *_) -> None:
        self.file.close()
        self.board.close()

    def write(self, entry: dict[str, float], seconds: float) -> None:
        """One line for one epoch."""
        line = {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in entry.items()}
        self.file.write(json.dumps(line | {"seconds": round(seconds, 2)}) + "\n")
        self.file.flush()
        for name, value in entry.items():
            if name not in ("epoch", "step"):
                self.board.add_scalar(f"train/{name}", value, entry["epoch"])


def _lines(path: Path) -> Iterator[str]:
    """The whole lines of a log; one that was cut off by a kill does not count."""
    if path.is_file():
        yield from (
            line for line in path.read_text().splitlines(keepends=True) if line.endswith("}\n")
        )
