"""A run that has come to its end, as its folder tells it."""

import json
from dataclasses import dataclass
from pathlib import Path

from benchmark import files
from benchmark.datasets.catalogue import split_name
from benchmark.record import Record
from benchmark.variants import parse
from zoo.checkpoints.checkpoint import split_checkpoint_name
from zoo.experiment.folder import RunFolder
from zoo.experiment.spec import RunSpec


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """A finished run.

    Attributes:
        folder: of the run.
        spec: the run.
        summary: its ``run.json``.
        records: on the data that it was trained on.
    """

    folder: RunFolder
    spec: RunSpec
    summary: dict
    records: tuple[Record, ...]


def find_run(folder: Path, name: str) -> Path:
    """The run's folder itself, or the one run of the name's method in a result folder.

    Raises:
        ValueError: the result folder holds several, or none.
    """
    if not (folder / "runs").is_dir():
        return folder
    method = split_checkpoint_name(name)[0]
    found = [
        path.parent
        for path in sorted(folder.glob("runs/*/spec.json"))
        if parse(json.loads(path.read_text(encoding="utf-8"))["method"]).name == method
    ]
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ValueError(f"{folder} must hold one run of {method}, there are: {names}; name it")
    return found[0]


def read_finished(path: Path) -> FinishedRun:
    """Read a finished run's folder.

    Raises:
        FileNotFoundError: the run is not finished.
        ValueError: its weights are not those of its records, or are not its own.
    """
    folder = RunFolder(path)
    summary = folder.summary()
    if summary is None or not any(folder.records.glob("*.json")):
        raise FileNotFoundError(f"{path} is no finished run: `zoo bench` writes runs/<run>")
    spec = folder.spec()
    if spec.checkpoint:
        raise ValueError(f"{path} took its weights from {spec.checkpoint}: there is nothing new")
    own = tuple(one for one in folder.read_records() if one.fingerprint == spec.fingerprint)
    if {entry.checkpoint for entry in own} != {files.sha256(folder.weights)}:
        raise ValueError(f"{folder.weights} has other weights than the run's records are of")
    return FinishedRun(folder=folder, spec=spec, summary=summary, records=own)


def data_of(spec: RunSpec) -> str:
    """How to open the data set, and the split of it, that a run is of."""
    return split_name(spec.dataset, spec.split)
