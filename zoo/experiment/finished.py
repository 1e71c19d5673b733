"""A run that has come to its end, as its folder tells it, and publishing it."""

import dataclasses
import json
import tempfile
from pathlib import Path

from benchmark import files
from benchmark.datasets.base import Dataset
from benchmark.datasets.catalogue import is_self_made, parse_name
from benchmark.label import Label
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Evaluation
from benchmark.record import Record
from benchmark.variants import parse
from zoo.checkpoints.checkpoint import split_name
from zoo.checkpoints.publish import FinishedRun, Published, publish, write_draft
from zoo.experiment.folder import RunFolder
from zoo.experiment.options import ExecutionOptions, Scoring
from zoo.experiment.paper_recipes import known_recipes
from zoo.experiment.run import Run
from zoo.experiment.spec import RunSpec


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


def finished(path: Path) -> FinishedRun:
    """Read a run's folder.

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
    evaluation = evaluation_of(spec, own)
    recipe = spec.trained_by(evaluation)
    return FinishedRun(
        id=spec.id,
        method=spec.method,
        backbone=spec.backbone,
        recipe=spec.recipe,
        frames=str(recipe.rule),
        height=recipe.height,
        width=recipe.width,
        resize=recipe.resize,
        distance=evaluation.distance,
        neck=recipe.neck,
        dataset=spec.dataset,
        fingerprint=spec.fingerprint,
        split=spec.split,
        seed=spec.seed,
        weights=folder.weights,
        summary=summary,
        records=own,
    )


def evaluation_of(spec: RunSpec, records: tuple[Record, ...]) -> Evaluation:
    """What a run is scored under: its recipe's evaluation, if a record has it, else the first's.

    A run without records is scored as its recipe is today.
    """
    labels = [Label.parse(entry.label) for entry in records]
    made = [Evaluation(frames=label.frames, distance=label.distance) for label in labels]
    known = known_recipes().get(parse(spec.recipe).name)
    usual = Evaluation() if known is None else known.evaluation
    rule = str(spec.trained_by().rule_of(usual))
    wanted = Evaluation(frames=rule, distance=usual.distance)
    return wanted if wanted in made or not made else made[0]


def publish_run(
    folder: Path,
    name: str,
    into: Path,
    table: Path,
    *,
    dataset: Dataset,
    licence: str,
    notes: tuple[str, ...],
    options: ExecutionOptions,
    protocols: tuple[str, ...],
    progress: Progress = SILENT,
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
        options: device and workers.
        protocols: to score under.
        progress: told the stages.

    Raises:
        FileNotFoundError, ValueError: as `finished`.
        OSError: an image cannot be read or a file cannot be written.
    """
    source, spec = finished(folder), RunFolder(folder).spec()
    scoring = Scoring(
        evaluation=Evaluation(frames=source.frames, distance=source.distance), protocols=protocols
    )
    with tempfile.TemporaryDirectory(prefix="zoo-publish-") as work:
        draft = write_draft(source, name, Path(work))
        run = Run(
            dataclasses.replace(spec, checkpoint=f"{name}@{draft.sha256}"),
            dataset,
            options,
            RunFolder(Path(work) / "run"),
            progress,
            fetch=lambda: draft.weights,
        )
        records = run.score(scoring)
        return publish(source, name, draft, records, into, table, licence=licence, notes=notes)


def check_name(name: str, source: FinishedRun) -> None:
    """Refuse a name that does not tell the run's method and data set.

    Raises:
        ValueError: it does not, or the run was limited to some identities.
    """
    method, dataset, _ = split_name(name)
    expected = parse(source.method).name, parse_name(source.dataset).variants[0].name
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
    if licence is None and not is_self_made(source.dataset):
        raise ValueError(f"--licence is missing: weights trained on {source.dataset} need one")
    return licence or "Apache-2.0"
