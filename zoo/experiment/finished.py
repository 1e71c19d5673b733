"""A run that has come to its end, as its folder tells it: what `zoo publish` starts from."""

import dataclasses
import json
import tempfile
from pathlib import Path

from benchmark import files, record
from benchmark.clips import frame_rule
from benchmark.datasets.base import Dataset
from benchmark.datasets.catalogue import SELF_MADE
from benchmark.variants import Variant, parse
from zoo.checkpoints.checkpoint import split_name
from zoo.checkpoints.publish import FinishedRun, Published, publish, write_draft
from zoo.experiment.run import OnProgress, run
from zoo.experiment.spec import Conditions, RunSpec


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


def read_spec(folder: Path) -> RunSpec:
    """The specification of a run, from its folder."""
    return RunSpec(**json.loads((folder / "spec.json").read_text(encoding="utf-8")))


def finished(folder: Path) -> FinishedRun:
    """Read a run's folder.

    Raises:
        FileNotFoundError: the run is not finished.
        ValueError: its weights are not those of its records, or are not its own.
    """
    folder = Path(folder)
    paths = sorted((folder / "records").glob("*.json"))
    if not (folder / "run.json").is_file() or not paths:
        raise FileNotFoundError(f"{folder} is no finished run: `zoo bench` writes runs/<run>")
    spec, weights = read_spec(folder), folder / "weights.safetensors"
    if spec.checkpoint:
        raise ValueError(f"{folder} took its weights from {spec.checkpoint}: there is nothing new")
    entries = [record.load(path) for path in paths]
    own = tuple(entry for entry in entries if entry.fingerprint == spec.fingerprint)
    if {entry.checkpoint for entry in own} != {files.sha256(weights)}:
        raise ValueError(f"{weights} has other weights than the run's records are of")
    stored = spec.settings
    return FinishedRun(
        id=spec.id,
        method=spec.method,
        backbone=spec.backbone,
        recipe=spec.recipe,
        frames=str(frame_rule(stored["test_frames"], stored["frames"])),
        height=stored["height"],
        width=stored["width"],
        distance=stored["distance"],
        dataset=spec.dataset,
        fingerprint=spec.fingerprint,
        split=spec.split,
        seed=spec.seed,
        weights=weights,
        summary=json.loads((folder / "run.json").read_text(encoding="utf-8")),
        records=own,
    )


def publish_run(
    folder: Path,
    name: str,
    into: Path,
    table: Path,
    *,
    dataset: Dataset,
    licence: str,
    notes: tuple[str, ...],
    conditions: Conditions,
    on_progress: OnProgress,
) -> Published:
    """Publish a finished run, with the scores of the half-precision file as loaded from disk.

    Args:
        folder: of the run.
        name: ``method.dataset`` or ``method.dataset-tag``.
        into: folder for the files.
        table: the table's folder or one above the files'.
        dataset: the run's own.
        licence: SPDX name, or words.
        notes: what a user must know.
        conditions: device, workers and protocols.
        on_progress: told ``(stage, done, total)``.

    Raises:
        FileNotFoundError, ValueError: as `finished`.
        OSError: an image cannot be read or a file cannot be written.
    """
    source = finished(folder)
    with tempfile.TemporaryDirectory(prefix="zoo-publish-") as work:
        draft = write_draft(source, name, Path(work))
        spec = dataclasses.replace(read_spec(folder), checkpoint=f"{name}@{draft.sha256}")
        records = run(
            spec,
            Path(work) / "run",
            dataset=dataset,
            conditions=conditions,
            on_progress=on_progress,
            checkpoint=draft.weights,
        )
        return publish(source, name, draft, records, into, table, licence=licence, notes=notes)


def data_of(source: FinishedRun) -> str:
    """How to open the data set, and the split of it, that a run is of."""
    asked = parse(source.dataset.partition(":")[0])
    split = {"split": source.split} if source.split else {}
    return str(Variant(asked.name, {**asked.arguments, **split}))


def check_name(name: str, source: FinishedRun) -> None:
    """Refuse a name that does not tell the run's method and data set.

    Raises:
        ValueError: it does not, or the run was limited to some identities.
    """
    method, dataset, _ = split_name(name)
    expected = parse(source.method).name, parse(source.dataset.partition(":")[0]).name
    if (method, dataset) != expected:
        raise ValueError(
            f"{name!r} does not fit {source.method} on {source.dataset}: expected "
            f"{'.'.join(expected)} or {'.'.join(expected)}-tag"
        )
    if ":" in source.dataset:
        raise ValueError(
            f"the run was limited ({source.dataset}): such numbers are not to be quoted"
        )


def licence_of(source: FinishedRun, licence: str | None) -> str:
    """What the user says; weights trained on data that we make ourselves are ours to license.

    Raises:
        ValueError: nobody says.
    """
    if licence is None and parse(source.dataset).name not in SELF_MADE:
        raise ValueError(f"--licence is missing: weights trained on {source.dataset} need one")
    return licence or "Apache-2.0"
