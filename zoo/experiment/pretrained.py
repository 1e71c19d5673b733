"""``zoo bench --pretrained``: runs whose weights come from checkpoints instead of training."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.progress import Progress
from benchmark.recipes import Recipe, recipe
from benchmark.variants import parse
from zoo.checkpoints.cache import ensure_local
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.config import Settings, read_settings
from zoo.checkpoints.table import Table, find
from zoo.experiment.spec import RunSpec, specify


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which checkpoints serve, and in words, which methods have none and which rows do not fit."""

    rows: tuple[Checkpoint, ...]
    lines: tuple[str, ...]


def choose(names: Sequence[str], dataset: Dataset, rows: Table, settings: Settings) -> Choice:
    """One checkpoint for each method that has one on this data.

    Args:
        names: canonical methods; a plain name also means the method's variants.
        dataset: not limited, since the fingerprint tells whether it is the same data.
        rows: the table.
        settings: what the user has set.

    Raises:
        ValueError: no method has one.
    """
    lines, found = [], {}
    fitting = []
    for row in sorted(rows.values(), key=lambda row: ("-" in row.name, row.name)):
        if row.dataset == dataset.name:
            reason = _misfit(row, dataset, settings)
            lines += [f"not taken: {row.name}: {reason}"] * bool(reason)
            fitting += [row] * (not reason)
    for name in names:
        of_method = [row for row in fitting if _is(row, name)]
        for row in of_method[:1]:
            found[row.name] = row
        lines += [f"not taken: {r.name}: {of_method[0].name} is" for r in of_method[1:]]
    without = [name for name in names if not any(_is(row, name) for row in found.values())]
    if not found:
        more = "".join(f"; {line}" for line in lines)
        raise ValueError(
            f"no checkpoint of {', '.join(names[:5])}{', …' * (len(names) > 5)} on {dataset.name}: "
            f"`zoo list checkpoints` shows all{more}"
        )
    if without:
        lines.append(f"without a checkpoint on {dataset.name}: {', '.join(without)}")
    return Choice(rows=tuple(found.values()), lines=tuple(dict.fromkeys(lines)))


def _is(row: Checkpoint, name: str) -> bool:
    return name in (row.method, parse(row.method).name)


def _misfit(row: Checkpoint, dataset: Dataset, settings: Settings) -> str:
    """Why a row on data of this name cannot serve; empty if it can."""
    if row.fingerprint is not None and row.fingerprint != dataset.fingerprint:
        return f"trained on data with fingerprint {row.fingerprint}, here {dataset.fingerprint}"
    if row.manual:
        try:
            ensure_local(row, settings)
        except OSError as error:
            return str(error)
    return ""


def runs(
    choice: Choice, splits: Iterable[Dataset], precision: str, settings: Settings
) -> list[tuple[RunSpec, Dataset]]:
    """A run for each checkpoint, on the split that it was trained on."""
    planned = []
    for dataset in splits:
        for row in choice.rows:
            if row.split == dataset.split:
                digest = ensure_local(row, settings).sha256 if row.manual else row.sha256
                spec = specification(row, digest, dataset, precision)
                notes = (*dataset.notes, f"weights of checkpoint {row.name}, {row.origin}")
                planned.append((spec, dataclasses.replace(dataset, notes=notes)))
    return planned


def specification(row: Checkpoint, sha256: str, dataset: Dataset, precision: str = "no") -> RunSpec:
    """The run that scores a checkpoint; its id covers the weights by their hash."""
    spec = specify(row.method, geometry(row), dataset, seed=row.seed, precision=precision)
    return dataclasses.replace(
        spec, method=row.method, backbone=row.backbone, checkpoint=f"{row.name}@{sha256}"
    )


def geometry(row: Checkpoint) -> Recipe:
    """The recipe that it was trained with, with the row's clips whatever the recipe says today."""
    told = {"height": row.height, "width": row.width, "distance": row.distance}
    if str(recipe(row.recipe).rule) != row.frames:
        told["test_frames"] = row.frames
    return recipe(row.recipe, told)


def fetch(spec: RunSpec, progress: Progress) -> Path:
    """The file of a run's weights.

    Raises:
        RuntimeError: it cannot be had; the other runs may still fare better.
    """
    try:
        file = ensure_local(find(spec.checkpoint.rpartition("@")[0]), read_settings(), progress)
    except OSError as error:
        raise RuntimeError(str(error)) from None
    return file.path
