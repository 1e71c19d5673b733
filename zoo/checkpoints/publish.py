"""``zoo publish``: from a finished run to a checkpoint for others.

The weights are stored in float16, the statistics of BatchNorm in float32. The scores must be those
of the stored file, so it takes three steps:

    draft = write_draft(run, name, folder)      # the file, in a folder of its own
    records = ...                               # the caller scores the network loaded from it
    published = publish(run, name, draft, records, folder, table, licence="MIT")
"""

import dataclasses
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file

from benchmark import files, record
from benchmark.label import Label
from benchmark.pixels import MEAN, STD
from benchmark.record import Record
from zoo.checkpoints import hub, model_card
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.load import fitting, golden_embedding, network
from zoo.checkpoints.table import read_table, write_table
from zoo.half_precision import to_half
from zoo.weights import read_weights

TABLE = "checkpoints.toml"
ORIGIN = "trained by video-reid-zoo"


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """What publishing needs to know of a run.

    Attributes:
        id: of the run.
        method: canonical variant; ``recipe`` likewise.
        backbone: canonical variant of the timm network, or ``own``.
        frames: frame rule in test, e.g. ``chunk-first8``.
        height: of the images, in pixels; ``width`` likewise; ``resize``: how they are scaled.
        distance: that its recipe scores with, e.g. ``cos-bn``.
        neck: of the recipe: ``own``, ``bn`` or ``none``.
        dataset: canonical variant of the data set that it was trained on.
        fingerprint: of that data set; ``split``: of it, from 0; ``seed``: of the run.
        weights: file of the trained weights, in float32.
        summary: the run's ``run.json``.
        records: on the data that it was trained on.
    """

    id: str
    method: str
    backbone: str
    recipe: str
    frames: str
    height: int
    width: int
    resize: str
    distance: str
    neck: str
    dataset: str
    fingerprint: str
    split: int
    seed: int
    weights: Path
    summary: dict
    records: tuple[Record, ...]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The file to be published, and what rounding did to it, as lines for people."""

    weights: Path
    sha256: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Published:
    """The checkpoint, the files beside it, and what happened to the numbers, as lines."""

    checkpoint: Checkpoint
    table: Path
    files: tuple[Path, ...]
    lines: tuple[str, ...]


def write_draft(run: FinishedRun, name: str, folder: Path) -> Draft:
    """Write the weights as they will be published; the same run gives the same bytes.

    Args:
        run: whose weights.
        name: ``method.dataset`` or ``method.dataset-tag``.
        folder: for the file; not the one to publish in.
    """
    state, dropped, kept = to_half(read_weights(run.weights))
    about = json.dumps({"method": run.method, "backbone": run.backbone, "run": run.id})
    path = folder / f"{name}.safetensors"
    save_file(state, path, {"about": about})  # one key: safetensors writes several in any order
    return Draft(weights=path, sha256=files.sha256(path), lines=(*dropped, *kept))


def publish(
    run: FinishedRun,
    name: str,
    draft: Draft,
    records: Sequence[Record],
    folder: Path,
    table: Path,
    *,
    licence: str,
    notes: tuple[str, ...] = (),
) -> Published:
    """Put the checkpoint's files into a folder and its entry into a table; other entries stay.

    Args:
        run: the run.
        name: ``method.dataset`` or ``method.dataset-tag``.
        draft: from `write_draft`.
        records: of the network as loaded from the draft.
        folder: for the files; the table's folder or one below it.
        table: written last, so that it never names what is not there.
        licence: SPDX name, or words.
        notes: what a user must know.

    Raises:
        ValueError: a record is of other weights.
        OSError: a file cannot be written.
    """
    if {entry.checkpoint for entry in records} != {draft.sha256}:
        raise ValueError(f"the records are not all of {draft.weights.name}, {draft.sha256}")
    note = f"weights trained by run {run.id}"  # `zoo bench --pretrained` writes per-query files
    records = [dataclasses.replace(r, per_query=None, notes=[*r.notes, note]) for r in records]
    weights = folder / draft.weights.name
    files.write_whole(weights, lambda part: shutil.copyfile(draft.weights, part))
    prefix = folder.resolve().relative_to(table.resolve().parent).as_posix()
    prefix = "" if prefix == "." else f"{prefix}/"
    checkpoint = _checkpoint(run, name, weights, prefix, licence, notes, table, records)
    for entry, text in zip(records, checkpoint.records, strict=True):
        record.save(entry, checkpoint.beside(text))
    files.write_json(checkpoint.beside(checkpoint.training), run.summary)
    _write_golden(checkpoint, weights)
    _write_entry(table, checkpoint)
    texts = (*checkpoint.records, checkpoint.training, checkpoint.golden)
    written = (weights, *(checkpoint.beside(text) for text in texts))
    lines = (*draft.lines, *_changes(run.records, records))
    return Published(checkpoint=checkpoint, table=table, files=written, lines=lines)


def _checkpoint(
    run: FinishedRun,
    name: str,
    weights: Path,
    prefix: str,
    licence: str,
    notes: tuple[str, ...],
    table: Path,
    records: list[Record],
) -> Checkpoint:
    protocols = [Label.parse(entry.label).protocol for entry in records]
    return Checkpoint(
        name=name,
        method=run.method,
        backbone=run.backbone,
        dataset=run.dataset,
        recipe=run.recipe,
        frames=run.frames,
        height=run.height,
        width=run.width,
        resize=run.resize,
        mean=MEAN,
        std=STD,
        distance=run.distance,
        neck=run.neck,
        sources=(f"{prefix}{weights.name}",),
        licence=licence,
        origin=f"{ORIGIN}, run {run.id}",
        fingerprint=run.fingerprint,
        split=run.split,
        seed=run.seed,
        bytes=weights.stat().st_size,
        sha256=files.sha256(weights),
        records=tuple(f"{prefix}{name}.{protocol}.json" for protocol in protocols),
        training=f"{prefix}{name}.run.json",
        golden=f"{prefix}{name}.golden.safetensors",
        notes=notes,
        home=table.resolve().parent,
    )


def _write_golden(checkpoint: Checkpoint, weights: Path) -> None:
    model = network(checkpoint)
    model.load_state_dict(fitting(load_file(weights), model, checkpoint.name)[0])
    arrays = {"embedding": golden_embedding(model.eval(), checkpoint)}
    files.write_whole(checkpoint.beside(checkpoint.golden), lambda part: save_file(arrays, part))


def _write_entry(table: Path, checkpoint: Checkpoint) -> None:
    """Add or replace the entry; record files that only the old one named are deleted."""
    entries = read_table(table) if table.is_file() else {}
    old = entries.get(checkpoint.name)
    write_table(table, {**entries, checkpoint.name: checkpoint})
    for text in set(old.records if old else ()) - set(checkpoint.records):
        checkpoint.beside(text).unlink(missing_ok=True)


def _changes(before: Sequence[Record], after: Sequence[Record]) -> list[str]:
    """What float16 did to each score."""
    old = {entry.label: entry.metrics for entry in before}
    lines = []
    for entry in after:
        for metric in ("mAP", "R1"):
            line = f"{entry.label}: {metric} {100 * entry.metrics[metric]:.2f}"
            if entry.label in old:
                line += f", {100 * old[entry.label][metric]:.2f} in float32"
            lines.append(line)
    return lines


def write_card(published: Published) -> Path:
    """README.md in the format of the Hugging Face hub, beside the files."""
    path = published.table.parent / "README.md"
    files.write_text(path, model_card.text(published.checkpoint))
    return path


def upload(published: Published, repo: str, api: object | None = None) -> str:
    """Upload the checkpoint's files; the table then names the hub as its source.

    Args:
        published: from `publish`, with its card written.
        repo: ``owner/name``.
        api: a `huggingface_hub.HfApi`; None is one with the user's own token.

    Returns:
        The source, ``hf://owner/repo/file@commit``.

    Raises:
        OSError: the hub does not take them.
    """
    folder, checkpoint = published.table.parent, published.checkpoint
    names = [path.relative_to(folder).as_posix() for path in published.files]
    commit = hub.upload(folder, repo, [*names, "README.md", TABLE], api)
    source = f"hf://{repo}/{checkpoint.file}@{commit}"
    _write_entry(published.table, dataclasses.replace(checkpoint, sources=(source,)))
    return source
