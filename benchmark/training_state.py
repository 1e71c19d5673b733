"""What an interrupted training goes on from, and its log."""

import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from benchmark import distributed
from benchmark.files import write_whole

SAVE_EVERY = 20.0  # seconds between checkpoints, at the end of an epoch


class TrainingState:
    """What a checkpoint holds, and where it lies.

    Args:
        model: as the accelerator prepared it.
        optimiser: likewise.
        accelerator: device and precision.
        path: of the checkpoint; what it holds is loaded, if it is there. The first process reads it
            for all.
        compiled: whether ``forward`` is the model compiled.

    Attributes:
        forward: what a step calls; its weights are the model's.
        processes: how many shared the training, a number each time that it changed.
    """

    def __init__(
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        accelerator: Accelerator,
        path: Path,
        *,
        compiled: bool = False,
    ):
        self.forward = torch.compile(model) if compiled else model
        self.processes: list[int] = []
        self.model, self.optimiser = model, optimiser
        self.accelerator, self.path = accelerator, path
        self.epoch = self.step = 0
        self.seconds = 0.0
        self.means: dict[str, float] = {}
        self.best_mAP, self.best_epoch = -1.0, 0
        self.best: dict[str, Tensor] | None = None
        self.saved = "none yet"
        self.clock = time.monotonic()
        data = distributed.on_first(self._read)
        if data is not None:
            self._take(data)
        if self.processes[-1:] != [distributed.size()]:
            self.processes.append(distributed.size())

    def _read(self) -> dict | None:
        if not self.path.is_file():
            return None
        return torch.load(self.path, map_location="cpu", weights_only=True)

    def _take(self, data: dict) -> None:
        self.accelerator.unwrap_model(self.model).load_state_dict(data["model"])
        self.optimiser.load_state_dict(data["optimiser"])
        if self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(data["scaler"])
        self.epoch, self.step = data["epoch"], data["step"]
        self.seconds, self.means = data["seconds"], data["means"]
        self.best_mAP, self.best_epoch = data["best_mAP"], data["best_epoch"]
        self.best = data["best"]
        self.processes = data.get("processes", [1])  # one of before this was counted has none
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
            "best_mAP": self.best_mAP,
            "best_epoch": self.best_epoch,
            "best": self.best,
            "processes": self.processes,
            "rng": torch.get_rng_state(),
            "cuda_rng": cuda,
        }
        write_whole(self.path, lambda part: torch.save(data, part))
        self.saved = f"{self.path} of epoch {self.epoch}"
        self.clock = time.monotonic()

    def keep_if_best(self, mAP: float) -> None:
        """Remember this epoch's weights if no epoch scored higher; the earlier one wins a tie."""
        if mAP > self.best_mAP:
            self.best_mAP, self.best_epoch = mAP, self.epoch
            self.best = copy.deepcopy(self.accelerator.unwrap_model(self.model).state_dict())

    def restore_best(self) -> None:
        """Give the model the weights of its best epoch, if there is one."""
        if self.best is not None:
            self.accelerator.unwrap_model(self.model).load_state_dict(self.best)


class TrainingLog:
    """``log.jsonl`` and TensorBoard, cut back to the epoch that training goes on from.

    Args:
        folder: of the run.
        epoch: how many are done.
    """

    def __init__(self, folder: Path, epoch: int):
        self.path = folder / "log.jsonl"
        kept = [line for line in _whole_lines(self.path) if json.loads(line)["epoch"] <= epoch]
        write_whole(self.path, lambda part: part.write_text("".join(kept)))
        self.file = self.path.open("a", encoding="utf-8")
        self.board = SummaryWriter(folder / "tensorboard", purge_step=epoch + 1)

    def __enter__(self) -> "TrainingLog":
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
            if name in ("epoch", "step"):
                continue
            part, metric = ("validation", name[11:]) if "validation_" in name else ("train", name)
            self.board.add_scalar(f"{part}/{metric}", value, entry["epoch"])


def _whole_lines(path: Path) -> Iterator[str]:
    """The whole lines of a log; one that was cut off by a kill does not count."""
    if path.is_file():
        yield from (
            line for line in path.read_text().splitlines(keepends=True) if line.endswith("}\n")
        )
