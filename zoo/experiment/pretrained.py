"""``zoo bench --pretrained``: runs whose weights come from checkpoints instead of training."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets.base import OUTLINE, Dataset
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Evaluation, Recipe
from benchmark.recipes import from_settings
from benchmark.variants import parse
from zoo.checkpoints.cache import ensure_local
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.config import Settings, read_settings
from zoo.checkpoints.table import Table, find
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.spec import RunSpec, specify

MOST_NAMED = 5  # methods without a checkpoint that a message names


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which checkpoints serve, and in words, which methods have none and which do not fit."""

    checkpoints: tuple[Checkpoint, ...]
    lines: tuple[str, ...]


def choose(names: Sequence[str], dataset: Dataset, known: Table, settings: Settings) -> Choice:
    """One checkpoint for each method that has one on this data.

    Args:
        names: canonical methods; a plain name also means the method's variants.
        dataset: not limited, since the fingerprint tells whether it is the same data.
        known: the table.
        settings: what the user has set.

    Raises:
        ValueError: no method has one.
    """
    lines, found, fitting = [], {}, []
    for checkpoint in sorted(known.values(), key=lambda one: ("-" in one.name, one.name)):
        if checkpoint.dataset != dataset.name:
            continue
        reason = _misfit(checkpoint, dataset, settings)
        if reason:
            lines.append(f"not taken: {checkpoint.name}: {reason}")
        else:
            fitting.append(checkpoint)
    for name in names:
        first, *others = [one for one in fitting if _is(one, name)] or [None]
        if first is not None:
            found[first.name] = first
        lines += [f"not taken: {one.name}: {first.name} is" for one in others]
    if not found:
        shown = ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")
        more = "".join(f"; {line}" for line in lines)
        raise ValueError(
            f"no checkpoint of {shown} on {dataset.name}: `zoo list checkpoints` shows all{more}"
        )
    without = [name for name in names if not any(_is(one, name) for one in found.values())]
    if without:
        lines.append(f"without a checkpoint on {dataset.name}: {', '.join(without)}")
    return Choice(checkpoints=tuple(found.values()), lines=tuple(dict.fromkeys(lines)))


def _is(checkpoint: Checkpoint, name: str) -> bool:
    return name in (checkpoint.method, parse(checkpoint.method).name)


def _misfit(checkpoint: Checkpoint, dataset: Dataset, settings: Settings) -> str:
    """Why a checkpoint on data of this name cannot serve; empty if it can."""
    theirs, ours = checkpoint.fingerprint, dataset.fingerprint
    if theirs is not None and theirs != ours and OUTLINE not in dataset.notes:
        return f"trained on data with fingerprint {theirs}, here {ours}"
    if checkpoint.manual:
        try:
            ensure_local(checkpoint, settings)
        except OSError as error:
            return str(error)
    return ""


def runs(
    choice: Choice, splits: Iterable[Dataset], precision: str, settings: Settings
) -> list[tuple[RunSpec, Recipe, Dataset]]:
    """A run for each checkpoint, on the split that it was trained on, with its recipe."""
    planned = []
    for dataset in splits:
        for checkpoint in choice.checkpoints:
            if checkpoint.split != dataset.split:
                continue
            digest = checkpoint.sha256
            if checkpoint.manual:
                digest = ensure_local(checkpoint, settings).sha256
            spec = specification(checkpoint, digest, dataset, precision)
            note = f"weights of checkpoint {checkpoint.name}, {checkpoint.origin}"
            noted = dataclasses.replace(dataset, notes=(*dataset.notes, note))
            planned.append((spec, spec.trained_by(evaluation_of(checkpoint)), noted))
    return planned


def specification(
    checkpoint: Checkpoint, sha256: str, dataset: Dataset, precision: str = "no"
) -> RunSpec:
    """The run that scores a checkpoint; its id covers the weights by their hash."""
    chosen = trained_by(checkpoint)
    spec = specify(checkpoint.method, chosen, dataset, seed=checkpoint.seed, precision=precision)
    return dataclasses.replace(
        spec,
        method=checkpoint.method,
        backbone=checkpoint.backbone,
        recipe=checkpoint.recipe,
        checkpoint=f"{checkpoint.name}@{sha256}",
    )


def trained_by(checkpoint: Checkpoint) -> Recipe:
    """The recipe that it was trained with: as its run stored it, where the run is known.

    Where it is not, today's recipe of that name with the clips of the table.
    """
    stored = checkpoint.trained().get("spec", {}).get("settings")
    if stored:
        return from_settings(checkpoint.recipe, stored, evaluation_of(checkpoint))
    size: dict[str, object] = {"height": checkpoint.height, "width": checkpoint.width}
    size |= {"neck": checkpoint.neck, "resize": checkpoint.resize}
    told = {"test_frames": checkpoint.frames, "distance": checkpoint.distance}
    return recipe(checkpoint.recipe, size | told)


def evaluation_of(checkpoint: Checkpoint) -> Evaluation:
    """How its scores in the table were made."""
    return Evaluation(frames=checkpoint.frames, distance=checkpoint.distance)


def fetch(spec: RunSpec, progress: Progress = SILENT) -> Path:
    """The file of a run's weights.

    Raises:
        RuntimeError: it cannot be had; the other runs may still fare better.
    """
    try:
        name = spec.checkpoint.rpartition("@")[0]
        return ensure_local(find(name), read_settings(), progress).path
    except OSError as error:
        raise RuntimeError(str(error)) from None
