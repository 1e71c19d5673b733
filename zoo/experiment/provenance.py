"""What a record says beside its numbers: where they come from, and what a reader must know."""

import platform
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from benchmark.datasets.base import Dataset
from benchmark.device import commit, environment
from benchmark.protocols import Scores
from benchmark.record import Record
from zoo import registry
from zoo.experiment.decisions import decided_in
from zoo.experiment.fine_tuning import in_words
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.spec import UNKNOWN, RunSpec, start_of
from zoo.experiment.validate import ValidationPlan


def common_record(
    spec: RunSpec,
    dataset: Dataset,
    options: ExecutionOptions,
    *,
    cost: dict,
    checkpoint: str,
    selection: str,
    training: Mapping[str, Any],
) -> Record:
    """What all records of one scoring share; label and numbers are still empty.

    Args:
        spec: the run.
        dataset: whose test part is scored.
        options: device and command.
        cost: of one clip.
        checkpoint: sha256 of the weights.
        selection: how the epoch was chosen.
        training: what it took, as `benchmark.train.Training` has it, or of what is no training.
    """
    notes = [*dataset.notes, *notes_of(spec), *training_notes(spec, training)]
    if dataset.fingerprint != spec.fingerprint:
        bits = f"fingerprint {UNKNOWN}" if spec.fingerprint == UNKNOWN else spec.fingerprint
        notes.append(f"trained on {spec.dataset} ({bits}), scored on {dataset.name}")
    return Record(
        run=spec.id,
        method=spec.method,
        arguments={"backbone": spec.backbone, "neck": spec.settings.get("neck", "own")},
        recipe=spec.recipe,
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        split=dataset.split,
        seed=spec.seed,
        label="",
        gallery=0,
        queries=0,
        dropped=0,
        metrics={},
        checkpoint=checkpoint,
        cost=cost,
        environment=where(options, spec.precision),
        commit=commit(),
        command=options.command,
        selection=selection,
        processes=_processes(training)[-1],
        compiled=bool(training.get("compiled", False)),
        notes=notes,
    )


def where(options: ExecutionOptions, precision: str) -> dict[str, str | int | None]:
    """The machine, its name among its peers, and what carried the work out on it."""
    found = environment(torch.device(options.device), precision)
    return found | {"node": platform.node(), "engine": options.engine}


def _processes(training: Mapping[str, Any]) -> Sequence[int]:
    return training.get("processes") or (1,)  # a summary of before it was counted has none


def training_notes(spec: RunSpec, training: Mapping[str, Any]) -> list[str]:
    """What batches were made of, where BatchNorm did not see the whole of them."""
    notes, counts = [], _processes(training)
    if max(counts) > 1:
        kind = "synchronised" if training.get("synchronised") else "of each process apart"
        notes.append(f"trained by {' then '.join(map(str, counts))} processes, BatchNorm {kind}")
    if chunk := spec.settings.get("chunk", 0):
        notes.append(f"features were computed {chunk} clips at a time, and BatchNorm saw no more")
    return notes


def measured_fields(found: Scores) -> dict:
    """The fields of a record that scoring fills."""
    return {
        "gallery": found.gallery,
        "queries": found.queries,
        "dropped": found.dropped,
        "metrics": found.values,
        "cmc": found.cmc.tolist(),
    }


def notes_of(spec: RunSpec) -> list[str]:
    """What a reader must know of a method under its recipe, because its name says otherwise."""
    name, notes = registry.variants.parse(spec.method).name, []
    if name.startswith("seresnet50") and "seresnet" not in spec.backbone:
        notes.append(f"{name} is named for SE-ResNet-50 and built on {spec.backbone}, without SE")
    if name == "sta_baseline" and spec.settings["frames"] > 1:
        notes.append("sta_baseline equals sta_avg here: the paper trains it on single frames")
    if spec.starts_at_random and spec.checkpoint is None:
        notes.append(random_start(spec))
    if start_of(spec.settings["init"]):
        notes.append(in_words(spec.settings["init"]))
    elif spec.backbone == registry.OWN and spec.settings["init"] != "none":
        notes.append(f"{name} brings its own network: init={spec.settings['init']} was not for it")
    if decided := decided_in(spec):
        notes.append(f"decided here, not the paper's word: {', '.join(decided)}")
    if spec.validation is not None:
        plan = ValidationPlan(**spec.validation)
        notes.append(f"1 of {plan.folds} parts of the training persons was held out to validate")
    return notes


def random_start(spec: RunSpec) -> str:
    """What is said of a run whose recipe starts from weights that its backbone has none of."""
    return f"starts from random weights: there is no packaged start for {spec.backbone}"
