"""One pass of the sampler. Nothing in a step waits for the device but where the log asks."""

import torch
from torch import Tensor

from benchmark import distributed
from benchmark.cached_gradients import ChunkedForward
from benchmark.contract import check_output
from benchmark.losses import losses
from benchmark.pixels import normalise
from benchmark.prefetch import to_device
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Recipe
from benchmark.samplers import Batches
from benchmark.training_state import TrainingState

CHECK_EVERY = 50  # steps between two looks at whether the loss is still a number


class Diverged(RuntimeError):
    """The loss is no longer a number; ``steps`` is how many had been made when it was seen."""

    def __init__(self, message: str, steps: int = 0):
        super().__init__(message)
        self.steps = steps


class OutOfMemory(RuntimeError):
    """The batch does not fit into the device's memory."""


def epoch(
    state: TrainingState,
    loader: Batches,
    recipe: Recipe,
    persons: int | None = None,
    progress: Progress = SILENT,
) -> dict[str, float]:
    """Train one epoch; means over its steps, and the last rate.

    Args:
        state: model and optimiser.
        loader: batches of this process.
        recipe: losses and rate.
        persons: of the classifier: what the network gives for the first batch is compared with what
            every method must give; None compares nothing.
        progress: told the steps done, of all.

    Raises:
        BrokenContract: the first batch shows that the network gives something else.
        Diverged: the loss became NaN; the message names the step and the last good checkpoint.
        OutOfMemory: the message says what needs less.
        ImageError: an image cannot be read.
    """
    state.model.train()
    device = state.accelerator.device
    sums: dict[str, Tensor] = {}
    odd = torch.full((), -1, device=device)  # steps before the first whose loss is no number
    for clips, classes, flips in to_device(loader, device):
        lr = recipe.lr_at(state.epoch + (state.step % len(loader)) / len(loader))
        for group in state.optimiser.param_groups:
            group["lr"] = lr * group.get("share", 1.0)
        try:
            parts = step(state, clips, classes, flips, recipe, persons)
        except torch.OutOfMemoryError:
            raise _out_of_memory(device, clips, recipe) from None
        persons = None
        with torch.no_grad():
            for name, part in parts.items():
                sums[name] = sums.get(name, 0.0) + _exact(part.detach())
            odd = torch.where((odd < 0) & ~parts["loss"].isfinite(), state.step, odd)
        state.step += 1
        if state.step % CHECK_EVERY == 0:
            _refuse_odd(odd, state, recipe)
        progress.advance("train", state.step, recipe.epochs * len(loader))
    _refuse_odd(odd, state, recipe)
    return {name: total.item() / len(loader) for name, total in sums.items()} | {"lr": lr}


def step(
    state: TrainingState,
    clips: Tensor,
    classes: Tensor,
    flips: Tensor,
    recipe: Recipe,
    persons: int | None = None,
) -> dict[str, Tensor]:
    """One optimiser step; the loss, its parts and the share of clips that are told right.

    Args:
        state: model and optimiser.
        clips: uint8 [b, T, 3, H, W] of this process.
        classes: [b].
        flips: [b], which are mirrored.
        recipe: its losses and their settings, and ``chunk``.
        persons: of the classifier, where the network's output is to be checked; waits for it.
    """
    chunked = None
    if 0 < recipe.chunk < len(clips):
        chunked = ChunkedForward(state.forward, clips, flips, recipe.chunk)
    own = state.forward(normalise(clips, flips)) if chunked is None else chunked.output
    if persons is not None:
        check_output(state.model, own, len(clips), persons)
    output, classes = distributed.gather(own, classes)
    parts = losses(output, classes, recipe)
    loss = sum(parts.values())
    state.optimiser.zero_grad(set_to_none=True)
    state.accelerator.backward(loss)
    if chunked is not None:
        chunked.backward()
    distributed.sum_gradients(state.model)
    state.optimiser.step()
    with torch.no_grad():
        accuracy = (output.logits.argmax(1) == classes).float().mean()
    return {"loss": loss, **parts, "accuracy": accuracy}


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


def _out_of_memory(device: torch.device, clips: Tensor, recipe: Recipe) -> OutOfMemory:
    now = min(recipe.chunk or len(clips), len(clips))
    return OutOfMemory(
        f"{device} has no memory left for {now} clips of {clips.shape[1]} frames at a time: --set "
        f"chunk={max(now // 2, 1)} computes features in parts and keeps the batch; --precision "
        "bf16 takes half of it"
    )
