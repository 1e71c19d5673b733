"""Scoring a finished run again, under other frames, distances, protocols or re-ranking."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmark import embed
from benchmark import rerank as reranking
from benchmark.device import commit
from benchmark.label import Label
from benchmark.progress import SILENT, Progress
from benchmark.protocols import Scores, score
from benchmark.recipe import DISTANCES, Evaluation
from benchmark.record import Record
from benchmark.rules import PROTOCOLS
from benchmark.variants import choose
from zoo.experiment.data import open_data_of
from zoo.experiment.finished import evaluation_of
from zoo.experiment.folder import RunFolder
from zoo.experiment.options import ExecutionOptions, Scoring
from zoo.experiment.provenance import where
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
        self.check()
        usual = evaluation_of(spec, tuple(before))
        evaluation = Evaluation(
            frames=self.frames or usual.frames, distance=self.distance or usual.distance
        )
        spec.trained_by(evaluation)  # an unknown frame rule is an error now
        return Scoring(
            evaluation=evaluation, protocols=self.protocols_of(before), rerank=self.canonical
        )

    def check(self) -> None:
        """Refuse an unknown distance.

        Raises:
            LookupError: it is one.
        """
        if self.distance is not None:
            choose(self.distance, DISTANCES, "distance")

    @property
    def canonical(self) -> str | None:
        """The re-ranking in its one form.

        Raises:
            ValueError: there is no such re-ranking.
        """
        return None if self.rerank is None else str(reranking.parse(self.rerank))

    def protocols_of(self, before: Sequence[Record]) -> tuple[str, ...]:
        """The protocols for a test set with such records.

        Raises:
            LookupError: there is no such protocol.
        """
        scored = tuple(dict.fromkeys(Label.parse(entry.label).protocol for entry in before))
        return scored if self.protocols is None else choose_protocols(self.protocols, scored[0])


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
    now: dict[str, Any] = {
        "cost": cost,
        "environment": where(options, spec.precision),
        "commit": commit(),
        "command": options.command,
    }
    records, refused = [], []
    stem = folder.embeddings(rule).stem
    for file in folder.all_embeddings(stem):
        embeddings = embed.load(file)
        suffix = file.stem.removeprefix(stem)  # tells the splits of other data apart
        same = _records_on(before, embeddings, suffix)
        if str(embeddings.key["frames_rule"]) != str(rule) or not same:
            continue
        for protocol in rules.protocols_of(same):
            one = replace(scoring, protocols=(protocol,))
            common = replace(same[0], **now)
            try:
                records += write_records(folder, embeddings, one, common, suffix)
            except ValueError as error:
                if rules.protocols != "all":
                    raise
                refused.append(str(error))
    if not records:
        raise ValueError(refused[0])
    return records, refused


def _records_on(
    before: Sequence[Record], embeddings: embed.ClipEmbeddings, suffix: str
) -> list[Record]:
    """Those of a run's records that were scored on the tracklets of an embedding file."""
    return [
        one
        for one in before
        if one.fingerprint == embeddings.key["fingerprint"]
        and str(one.per_query).endswith(f"{suffix}.csv")
    ]


def score_file(path: Path, rules: Rules) -> tuple[list[tuple[Label, Scores]], list[str]]:
    """Score an embedding file; no record is written.

    In a run's folder, what the rules leave open is as that run was scored. Elsewhere it is
    ``cos-bn`` under ``open``, and ``all`` is every protocol that allows the tracklets.

    Returns:
        Scores by label, and in words, the protocols among ``all`` that do not allow them.

    Raises:
        LookupError, ValueError: a rule is unknown, or does not allow the tracklets.
    """
    embeddings = embed.load(path)
    frames = str(embeddings.key["frames_rule"])
    if rules.frames not in (None, frames):
        raise ValueError(f"{path} holds clips of {frames}: --frames needs a run's folder")
    folder = RunFolder(path.parent)
    before = [r for r in folder.read_records() if Label.parse(r.label).frames == frames]
    if before:
        scoring = replace(rules, frames=frames).scoring(folder.spec(), before)
        distance, names, rerank = scoring.evaluation.distance, scoring.protocols, scoring.rerank
    else:
        distance, rerank = rules.distance or "cos-bn", rules.rerank
        every = rules.protocols == "all"
        names = tuple(PROTOCOLS) if every else choose_protocols(rules.protocols, "open")
    kind, space = choose(distance, DISTANCES, "distance")
    found, refused = [], []
    for name in names:
        try:
            scores = score(embeddings.pooled(space), embeddings.query, name, kind, rerank)
        except ValueError as error:
            if rules.protocols != "all":
                raise
            refused.append(str(error))
        else:
            found.append((PROTOCOLS[name].label(distance, frames, rerank), scores))
    return found, refused
