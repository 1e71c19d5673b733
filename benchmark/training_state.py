"""What an interrupted training goes on from."""

import copy
import math
import time
import zipfile
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from benchmark import distributed
from benchmark.files import set_aside, write_whole
from benchmark.progress import SILENT, Progress

SAVE_EVERY = 20.0  # seconds between checkpoints, at the end of an epoch


class TrainingState:
    """What a checkpoint holds, and where it lies.

    Args:
        model: as the accelerator prepared it.
        optimiser: likewise.
        accelerator: device and precision.
        path: of the checkpoint; what it holds is loaded, if it is there. The first process reads it
            for all. A damaged one is set aside, and training starts anew.
        compiled: whether ``forward`` is the model compiled.
        progress: told of a damaged one.

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
        progress: Progress = SILENT,
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
        data = distributed.on_first(lambda: self._read(progress))
        if data is not None:
            self._load_if_it_fits(data, progress)
        if self.processes[-1:] != [distributed.size()]:
            self.processes.append(distributed.size())

    def _read(self, progress: Progress) -> dict | None:
        """What the checkpoint holds; None if there is none that is whole."""
        if not self.path.is_file():
            return None
        try:
            return _checked(load_whole(self.path))
        except OSError:
            raise
        except Exception as error:  # torch raises whatever it meets
            self._set_aside(error, progress)
            return None

    def _set_aside(self, error: Exception, progress: Progress) -> None:
        progress.note(f"  {set_aside(self.path, error)}; training starts anew")

    def _load_if_it_fits(self, data: dict, progress: Progress) -> None:
        """Load the checkpoint; one of another network leaves everything as it was."""
        plain, random = self.accelerator.unwrap_model(self.model), torch.get_rng_state()
        weights = copy.deepcopy(plain.state_dict())
        rates = copy.deepcopy(self.optimiser.state_dict())
        try:
            self._load(data)
        except Exception as error:  # torch raises whatever it meets
            plain.load_state_dict(weights)
            self.optimiser.load_state_dict(rates)
            torch.set_rng_state(random)
            if distributed.is_first():
                self._set_aside(error, progress)

    def _load(self, data: dict) -> None:
        plain = self.accelerator.unwrap_model(self.model)
        plain.load_state_dict(data["best"] or {}, strict=data["best"] is not None)  # does it fit?
        plain.load_state_dict(data["model"])
        self.optimiser.load_state_dict(data["optimiser"])
        _check_shapes(self.optimiser)
        if self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(data["scaler"])
        torch.set_rng_state(data["rng"])
        if data["cuda_rng"] is not None and torch.cuda.is_available():
            torch.cuda.set_rng_state(data["cuda_rng"])
        self.epoch, self.step = data["epoch"], data["step"]
        self.seconds, self.means = data["seconds"], data["means"]
        self.best_mAP, self.best_epoch = data["best_mAP"], data["best_epoch"]
        self.best, self.processes = data["best"], list(data["processes"])
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


def load_whole(path: Path) -> object:
    """What `torch.save` wrote, with its checksums compared, which torch does not do; no pickles.

    Raises:
        OSError: the file cannot be read.
        Exception: it is damaged; torch raises a dozen kinds.
    """
    with zipfile.ZipFile(path) as file:
        if damaged := file.testzip():
            raise ValueError(f"the checksum of {damaged} is wrong")
    return torch.load(path, map_location="cpu", weights_only=True)


_TYPES = {
    "model": dict,
    "optimiser": dict,
    "scaler": dict | None,
    "epoch": int,
    "step": int,
    "seconds": float | int,
    "means": dict,
    "best_mAP": float | int,
    "best_epoch": int,
    "best": dict | None,
    "processes": list,
    "rng": Tensor,
    "cuda_rng": Tensor | None,
}


def _checked(data: object) -> dict:
    """The content of a checkpoint, each part of its type.

    Raises:
        ValueError: it is not.
    """
    if isinstance(data, dict):
        data = {"processes": [1], **data}  # one of before this was counted has none
    if not isinstance(data, dict) or set(data) != set(_TYPES):
        raise ValueError(f"it does not hold {', '.join(_TYPES)}")
    for name, kind in _TYPES.items():
        if not isinstance(data[name], kind) or isinstance(data[name], bool):
            raise ValueError(f"its {name} is a {type(data[name]).__name__}")
    numbers = data["epoch"], data["step"], data["seconds"], data["best_epoch"]
    if min(numbers) < 0 or not math.isfinite(data["seconds"]):
        raise ValueError("epoch, step, seconds or best_epoch is below 0")
    if not all(isinstance(mean, int | float) for mean in data["means"].values()):
        raise ValueError("a mean is no number")
    return data


def _check_shapes(optimiser: torch.optim.Optimizer) -> None:
    """Refuse what an optimiser remembers of parameters of another shape; torch loads it.

    Raises:
        ValueError: names the first one.
    """
    for parameter, memory in optimiser.state.items():
        for name, value in memory.items():
            if isinstance(value, Tensor) and value.ndim and value.shape != parameter.shape:
                found, expected = list(value.shape), list(parameter.shape)
                raise ValueError(f"the optimiser's {name} is {found}, expected {expected}")
