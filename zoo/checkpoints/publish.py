"""``zoo publish``: from a finished run to a checkpoint that others can have.

The weights are kept in float16, the statistics of BatchNorm in float32. What is published is then
scored as loaded from the file, so that its record is of these very bytes.
"""

import dataclasses
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from benchmark import files, record
from benchmark.datasets.base import Dataset
from benchmark.pixels import MEAN, STD
from benchmark.recipes import recipe
from benchmark.record import Record
from zoo.checkpoints import hub
from zoo.checkpoints import model_card as card
from zoo.checkpoints.load import fitting, golden_embedding, network
from zoo.checkpoints.table import Checkpoint, read_table, write_table
from zoo.experiment.finished import Finished
from zoo.experiment.run import OnProgress, run
from zoo.experiment.spec import Conditions
from zoo.half_precision import halved

TABLE = "checkpoints.toml"
OURS = "trained by video-reid-zoo"


@dataclass(frozen=True, kw_only=True)
class Published:
    """What was made: the row, the files beside it, and what happened to the numbers, in words."""

    row: Checkpoint
    table: Path
    files: tuple[Path, ...]
    lines: tuple[str, ...]


def publish(
    source: Finished,
    name: str,
    folder: Path,
    table: Path,
    *,
    dataset: Dataset,
    licence: str,
    notes: tuple[str, ...],
    conditions: Conditions,
    on_progress: OnProgress,
) -> Published:
    """Write the checkpoint's files into a folder and its row into a table; others' rows stay.

    Args:
        source: the run.
        name: ``method.dataset`` or ``method.dataset-tag``.
        folder: for the files; the table's folder or one below it.
        table: written last, so that it never names what is not there.
        dataset: the run's own, which the file is scored on.
        licence: SPDX name, or words.
        notes: what a user must know.
        conditions: device, workers and protocols.
        on_progress: told ``(stage, done, total)``.

    Raises:
        ValueError: something does not fit.
        OSError: an image cannot be read or a file cannot be written.
    """
    state, dropped, kept = halved(load_file(source.weights))
    weights = folder / f"{name}.safetensors"
    records = _score(source, state, name, weights, dataset, conditions, on_progress)
    prefix = folder.resolve().relative_to(table.resolve().parent).as_posix()
    prefix = "" if prefix == "." else f"{prefix}/"
    row = _row(source, name, weights, prefix, licence, notes, table, records)
    for entry, text in zip(records, row.records, strict=True):
        record.save(entry, row.beside(text))
    files.write_json(row.beside(row.training), source.summary)
    _write_golden(row, state)
    _write_row(table, row)
    written = [weights, *(row.beside(t) for t in (*row.records, row.training, row.golden))]
    lines = (*dropped, *kept, *_moved(source.records, records))
    return Published(row=row, table=table, files=tuple(written), lines=lines)


def _score(
    source: Finished,
    state: dict[str, Tensor],
    name: str,
    weights: Path,
    dataset: Dataset,
    conditions: Conditions,
    on_progress: OnProgress,
) -> list[Record]:
    """Write the weights, once they have been scored as loaded from the file; their records."""
    about = {"method": source.spec.method, "backbone": source.spec.backbone}
    metadata = {
        "about": json.dumps({**about, "run": source.spec.id})
    }  # one key: see zoo.experiment.run
    with tempfile.TemporaryDirectory(prefix="zoo-publish-") as work:
        draft = Path(work) / weights.name
        save_file(state, draft, metadata)
        digest = files.sha256(draft)
        records = run(
            dataclasses.replace(source.spec, checkpoint=f"{name}@{digest}"),
            Path(work) / "run",
            dataset=dataset,
            conditions=conditions,
            on_progress=on_progress,
            checkpoint=draft,
        )
        files.write_whole(weights, lambda part: shutil.copyfile(draft, part))
    note = f"weights trained by run {source.spec.id}"
    return [  # per query, `zoo bench --pretrained` makes it again
        dataclasses.replace(entry, per_query=None, notes=[*entry.notes, note]) for entry in records
    ]


def _row(
    source: Finished,
    name: str,
    weights: Path,
    prefix: str,
    licence: str,
    notes: tuple[str, ...],
    table: Path,
    records: list[Record],
) -> Checkpoint:
    spec, chosen = source.spec, recipe(source.spec.recipe)
    protocols = [entry.label.partition("@")[0] for entry in records]
    return Checkpoint(
        name=name,
        method=spec.method,
        backbone=spec.backbone,
        dataset=spec.dataset,
        recipe=spec.recipe,
        frames=str(chosen.rule),
        height=chosen.height,
        width=chosen.width,
        mean=MEAN,
        std=STD,
        distance=chosen.distance,
        sources=(f"{prefix}{weights.name}",),
        licence=licence,
        origin=f"{OURS}, run {spec.id}",
        fingerprint=spec.fingerprint,
        split=spec.split,
        seed=spec.seed,
        bytes=weights.stat().st_size,
        sha256=files.sha256(weights),
        records=tuple(f"{prefix}{name}.{protocol}.json" for protocol in protocols),
        training=f"{prefix}{name}.run.json",
        golden=f"{prefix}{name}.golden.safetensors",
        notes=notes,
        home=table.resolve().parent,
    )


def _write_golden(row: Checkpoint, state: dict[str, Tensor]) -> None:
    model = network(row)
    model.load_state_dict(fitting(state, model, row.name)[0])
    arrays = {"embedding": golden_embedding(model.eval(), row)}
    files.write_whole(row.beside(row.golden), lambda part: save_file(arrays, part))


def _write_row(table: Path, row: Checkpoint) -> None:
    """Add or replace the row; record files that only the old row named go."""
    rows = read_table(table) if table.is_file() else {}
    old = rows.get(row.name)
    write_table(table, {**rows, row.name: row})
    for text in set(old.records if old else ()) - set(row.records):
        row.beside(text).unlink(missing_ok=True)


def _moved(before: tuple[Record, ...], after: list[Record]) -> list[str]:
    """What float16 did to each score."""
    old = {entry.label: entry.metrics for entry in before}
    lines = []
    for entry in after:
        for metric in ("mAP", "R1"):
            value = f"{entry.label}: {metric} {100 * entry.metrics[metric]:.2f}"
            was = old.get(entry.label)
            lines.append(value + (f", {100 * was[metric]:.2f} in float32" if was else ""))
    return lines


def write_card(made: Published) -> Path:
    """README.md in the format of the Hugging Face hub, beside the files."""
    path = made.table.parent / "README.md"
    files.write_text(path, card.text(made.row))
    return path


def upload(made: Published, repo: str, api: object | None = None) -> str:
    """Upload a folder's files; the row then names the hub as its source.

    Returns:
        The source, ``hf://owner/repo/file@commit``.

    Raises:
        OSError: the hub does not take them.
    """
    folder = made.table.parent
    names = [path.relative_to(folder).as_posix() for path in made.files]
    commit = hub.upload(folder, repo, [*names, "README.md", TABLE], api)
    source = f"hf://{repo}/{made.row.file}@{commit}"
    _write_row(made.table, dataclasses.replace(made.row, sources=(source,)))
    return source
