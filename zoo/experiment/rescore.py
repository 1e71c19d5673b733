"""Scoring a finished run again, under other frames, distances, protocols or re-ranking."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from benchmark import embed
from benchmark import rerank as reranking
from benchmark.datasets.base import Dataset
from benchmark.datasets.catalogue import open_dataset
from benchmark.device import commit, environment
from benchmark.label import Label
from benchmark.progress import SILENT, Progress
from benchmark.recipe import DISTANCES, Evaluation
from benchmark.record import Record
from benchmark.variants import choose
from zoo import plugins
from zoo.experiment.finished import data_of, evaluation_of
from zoo.experiment.folder import RunFolder
from zoo.experiment.options import ExecutionOptions, Scoring
from zoo.experiment.resolve import choose_protocols
from zoo.experiment.run import Run
from zoo.experiment.scores import clip_cost, write_records
from zoo.experiment.spec import RunSpec


def open_run_folder(
    path: Path,
    data_root: Path | None = None,
    options: ExecutionOptions | None = None,
    progress: Progress = SILENT,
) -> Run:
    """A run from its folder, with the data that it was trained on.

    Raises:
        FileNotFoundError: the folder is no run, or data are missing.
        ValueError: the data here are other ones.
    """
    folder = RunFolder(path)
    spec = folder.spec()
    dataset = open_data_of(spec, data_root, progress)
    return Run(spec, dataset, options or ExecutionOptions(), folder, progress)


def open_data_of(
    spec: RunSpec, data_root: Path | None = None, progress: Progress = SILENT
) -> Dataset:
    """The data set, split and limit of a run.

    Raises:
        FileNotFoundError: data are missing.
        ValueError: the data here have another fingerprint.
    """
    extra = plugins.plugin_functions("DATASETS", "zoo.datasets")
    dataset = open_dataset(data_of(spec), data_root, progress=progress, extra=extra)
    if dataset.fingerprint != spec.fingerprint:
        raise ValueError(
            f"{spec.dataset} here has fingerprint {dataset.fingerprint}, the run was made on "
            f"{spec.fingerprint}: look at it where that copy lies, or run it again"
        )
    return dataset


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a finished run is scored under; None is as it was scored before.

    Attributes:
        frames: frame rule.
        distance: as of a recipe's evaluation.
        protocols: names separated by commas, or ``all``.
        rerank: score again after this re-ranking.
    """

    frames: str | None = None
    distance: str | None = None
    protocols: str | None = None
    rerank: str | None = None

    def scoring(self, spec: RunSpec, before: Sequence[Record]) -> Scoring:
        """These rules for a run with such records.

        Raises:
            LookupError: no such protocol or distance.
            ValueError: no such frame rule or re-ranking.
        """
        if self.distance is not None:
            choose(self.distance, DISTANCES, "distance")
        usual = evaluation_of(spec, tuple(before))
        evaluation = Evaluation(
            frames=self.frames or usual.frames, distance=self.distance or usual.distance
        )
        spec.trained_by(evaluation)  # an unknown frame rule is an error now
        labels = [Label.parse(entry.label) for entry in before]
        if self.protocols is None:
            protocols = tuple(dict.fromkeys(label.protocol for label in labels))
        else:
            protocols = choose_protocols(self.protocols, labels[0].protocol)
        rerank = None if self.rerank is None else str(reranking.parse(self.rerank))
        return Scoring(evaluation=evaluation, protocols=protocols, rerank=rerank)


def rescore(
    path: Path,
    rules: Rules,
    *,
    data_root: Path | None = None,
    options: ExecutionOptions,
    progress: Progress = SILENT,
) -> tuple[list[Record], list[str]]:
    """Score a finished run again, on every test set that it was scored on; nothing is trained.

    Test sets whose embeddings have these frames are scored from them, without images or data set.
    The run's own test part is embedded anew where the frames are others.

    Returns:
        The records, which now stand in the run's folder, and in words, what could not be scored
        (protocols among ``all`` that do not allow these data).

    Raises:
        FileNotFoundError: the folder is no scored run, or data are missing.
        LookupError, ValueError: a rule is unknown.
    """
    folder = RunFolder(path)
    spec, before = folder.spec(), folder.read_records()
    own = [entry for entry in before if entry.fingerprint == spec.fingerprint]
    if not own:
        raise FileNotFoundError(f"{path} has no records: the run is not finished")
    scoring = rules.scoring(spec, own)
    rule = spec.trained_by().rule_of(scoring.evaluation)
    if not folder.embeddings(rule).is_file():
        dataset = open_data_of(spec, data_root, progress)
        Run(spec, dataset, options, folder, progress).embed(scoring.evaluation)
    device = torch.device(options.device)
    cost = clip_cost(spec, folder, scoring.evaluation, device, progress)
    now = {
        "cost": cost,
        "environment": environment(device, spec.precision),
        "commit": commit(),
        "command": options.command,
    }
    templates = {entry.fingerprint: entry for entry in before}
    records, refused = [], []
    for file in sorted(folder.path.glob(f"embeddings-{rule}*.safetensors")):
        embeddings = embed.load(file)
        template = templates.get(str(embeddings.key["fingerprint"]))
        if str(embeddings.key["frames_rule"]) != str(rule) or template is None:
            continue
        suffix = file.stem.removeprefix(f"embeddings-{rule}")
        for protocol in scoring.protocols:
            one = replace(scoring, protocols=(protocol,))
            common = replace(template, **now)
            try:
                records += write_records(folder, embeddings, one, common, suffix)
            except ValueError as error:
                if rules.protocols != "all":
                    raise
                refused.append(str(error))
    if not records:
        raise ValueError(refused[0])
    return records, refused
