"""The log of a training, an entry an epoch."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from benchmark.files import write_whole


class TrainingLog:
    """``log.jsonl`` and TensorBoard, cut back to the epoch that training goes on from.

    Args:
        folder: of the run.
        epoch: how many are done.
    """

    def __init__(self, folder: Path, epoch: int):
        self.path = folder / "log.jsonl"
        kept = [line for line in _whole_lines(self.path) if _epoch_of(line) <= epoch]
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
            line
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
            if line.endswith("}\n")
        )


def _epoch_of(line: str) -> float:
    """The epoch that a line of the log tells of; infinity if it tells of none."""
    try:
        epoch = json.loads(line)["epoch"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return math.inf
    return epoch if isinstance(epoch, int) else math.inf
