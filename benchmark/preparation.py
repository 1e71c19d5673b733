"""What a method does once with all training tracklets, before the first step.

A network that has anything to do has a method ``preparation``: told the class of each training
tracklet, it gives a `Preparation`, or None where there is nothing to do, or where it is done
already, as after loading weights. Interrupted, the pass goes on from its last saved state and ends
with the same bits: its clips come in order, in batches that are always cut at the same places.
"""

import time
from functools import partial
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from benchmark import training_state
from benchmark.clips import frame_rule
from benchmark.datasets.base import Dataset
from benchmark.embed import chunks
from benchmark.files import set_aside, write_whole
from benchmark.pixels import normalise
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Recipe
from benchmark.samplers import EvaluationClips, batches

FILE = "preparation.pt"


class Preparation(Protocol):
    """One pass over the training tracklets.

    Attributes:
        frames_rule: which clips of a tracklet are wanted, a name in `benchmark.clips`; they have
            the length of the recipe's.
        done: clips that have been added.
    """

    frames_rule: str
    done: int

    def add(self, clips: Tensor, tracklets: Tensor) -> None:
        """The next clips [B, T, 3, H, W], on the network's device, of these tracklets [B]."""

    def state_dict(self) -> dict[str, Tensor]:
        """What an interrupted pass goes on from."""

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from a saved state."""

    def finish(self) -> None:
        """All clips have been added: change the network."""


def prepare(
    model: nn.Module,
    dataset: Dataset,
    recipe: Recipe,
    folder: Path,
    device: torch.device,
    workers: int,
    progress: Progress = SILENT,
) -> None:
    """Carry out what a network wants to be done before its training, or what is left of it.

    The network sees float32 and evaluates; random numbers that it draws are not training's.

    Args:
        model: on ``device``, with its training state loaded; one without ``preparation`` stays as
            it is.
        dataset: its ``train`` part is shown, without augmentation.
        recipe: length and size of the clips.
        folder: of the run; receives ``preparation.pt``.
        device: of the model.
        workers: processes that load clips; their number changes nothing.
        progress: told the clips done, of all.

    Raises:
        ImageError: an image cannot be read.
    """
    if not hasattr(model, "preparation"):
        return
    classes = {pid: i for i, pid in enumerate(dataset.train_pids)}
    tracklets = torch.tensor([classes[t.pid] for t in dataset.train])
    work = model.preparation(tracklets)
    if work is None:
        return
    path = Path(folder) / FILE
    if path.is_file():
        work = _gone_on(model, work, tracklets, path, progress)
    rule = frame_rule(work.frames_rule, recipe.frames)
    clips = EvaluationClips(dataset.train, rule, recipe.height, recipe.width, recipe.resize)
    was, gpus = model.training, [device] if device.type == "cuda" else []
    model.eval()
    with torch.random.fork_rng(gpus):
        _pass(work, clips, path, device, workers, progress)
        work.finish()
    model.train(was)


def _gone_on(
    model: nn.Module, work: Preparation, tracklets: Tensor, path: Path, progress: Progress
) -> Preparation:
    """The work with its saved state; a new one where the file is damaged, which is set aside."""
    try:
        work.load_state_dict(training_state.load_whole(path))
        return work
    except OSError:
        raise
    except Exception as error:  # torch raises whatever it meets
        progress.note(f"  {set_aside(path, error)}; the pass starts anew")
        return model.preparation(tracklets)


def _pass(
    work: Preparation,
    clips: EvaluationClips,
    path: Path,
    device: torch.device,
    workers: int,
    progress: Progress,
) -> None:
    """Show the clips that are left, and save the state every now and then and at the end."""
    rows = torch.tensor([row for row, _ in clips.clips])  # [C]
    left = [chunk for chunk in chunks(clips) if chunk[0] >= work.done]
    saved = time.monotonic()
    for pixels, places in batches(clips, left, workers):
        work.add(normalise(pixels.to(device, non_blocking=True)), rows[places])
        if work.done == len(clips) or time.monotonic() - saved >= training_state.SAVE_EVERY:
            write_whole(path, partial(torch.save, work.state_dict()))
            saved = time.monotonic()
        progress.advance("prepare", work.done, len(clips))
