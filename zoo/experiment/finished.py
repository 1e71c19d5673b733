"""A run that has come to its end, as its folder tells it: what `zoo publish` starts from."""

import json
from dataclasses import dataclass
from pathlib import Path

from benchmark import files, record
from benchmark.datasets.catalogue import SELF_MADE
from benchmark.record import Record
from benchmark.variants import Variant, parse
from zoo.checkpoints.table import split_name
from zoo.experiment.spec import RunSpec


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A finished run.

    Attributes:
        folder: of the run.
        spec: the run.
        summary: its ``run.json``.
        records: on the data that it was trained on.
    """

    folder: Path
    spec: RunSpec
    summary: dict
    records: tuple[Record, ...]

    @property
    def weights(self) -> Path:
        """The trained weights, in float32."""
        return self.folder / "weights.safetensors"


def find_run(folder: Path, name: str) -> Path:
    """The run's folder itself, or the one run of the name's method in a result folder.

    Raises:
        ValueError: the result folder holds several, or none.
    """
    if not (folder / "runs").is_dir():
        return folder
    method, _, _ = split_name(name)
    found = [
        path.parent
        for path in sorted(folder.glob("runs/*/spec.json"))
        if parse(json.loads(path.read_text(encoding="utf-8"))["method"]).name == method
    ]
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ValueError(f"{folder} must hold one run of {method}, there are: {names}; name it")
    return found[0]


def finished(folder: Path) -> Finished:
    """Read a run's folder.

    Raises:
        FileNotFoundError: the run is not finished.
        ValueError: its weights are not those of its records, or are not its own.
    """
    folder = Path(folder)
    paths = sorted((folder / "records").glob("*.json"))
    if not (folder / "run.json").is_file() or not paths:
        raise FileNotFoundError(f"{folder} is no finished run: `zoo bench` writes runs/<run>")
    summary = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    spec = RunSpec(**json.loads((folder / "spec.json").read_text(encoding="utf-8")))
    if spec.checkpoint:
        raise ValueError(f"{folder} took its weights from {spec.checkpoint}: there is nothing new")
    entries = [record.load(path) for path in paths]
    own = tuple(entry for entry in entries if entry.fingerprint == spec.fingerprint)
    found = Finished(folder=folder, spec=spec, summary=summary, records=own)
    if {entry.checkpoint for entry in own} != {files.sha256(found.weights)}:
        raise ValueError(f"{found.weights} has other weights than the run's records are of")
    return found


def data_of(spec: RunSpec) -> str:
    """How to open the data set, and the split of it, that a run is of."""
    asked = parse(spec.dataset.partition(":")[0])
    split = {"split": spec.split} if spec.split else {}
    return str(Variant(asked.name, {**asked.arguments, **split}))


def check_name(name: str, spec: RunSpec) -> None:
    """Refuse a name that does not tell the run's method and data set.

    Raises:
        ValueError: it does not, or the run was limited to some persons.
    """
    method, dataset, _ = split_name(name)
    expected = parse(spec.method).name, parse(spec.dataset.partition(":")[0]).name
    if (method, dataset) != expected:
        raise ValueError(
            f"{name!r} does not fit {spec.method} on {spec.dataset}: expected "
            f"{'.'.join(expected)} or {'.'.join(expected)}-tag"
        )
    if ":" in spec.dataset:
        raise ValueError(f"the run was limited ({spec.dataset}): such numbers are not to be quoted")


def licence_of(spec: RunSpec, licence: str | None) -> str:
    """What the user says; weights trained on data that we make ourselves are ours to license.

    Raises:
        ValueError: nobody says.
    """
    if licence is None and parse(spec.dataset).name not in SELF_MADE:
        raise ValueError(f"--licence is missing: weights trained on {spec.dataset} need one")
    return licence or "Apache-2.0"
