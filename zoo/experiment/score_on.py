"""A trained network scored on any data set: ``zoo score CHECKPOINT|RUN|FILE --dataset D``.

The records of a run lie in its own folder, those of a checkpoint or a file in a result folder,
where the network has a run as ``zoo bench --pretrained`` makes it. Each says what was trained on.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Evaluation
from benchmark.record import Record
from zoo.checkpoints.cache import ensure_local
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.config import Settings
from zoo.experiment import pretrained
from zoo.experiment.execute import lock
from zoo.experiment.folder import RunFolder
from zoo.experiment.options import ExecutionOptions, Scoring
from zoo.experiment.plan import result_folder
from zoo.experiment.rescore import Rules
from zoo.experiment.resolve import choose_protocols
from zoo.experiment.run import Run
from zoo.experiment.spec import UNKNOWN, RunSpec


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What scoring gave.

    Attributes:
        records: one a protocol and split, without and with re-ranking.
        folder: of the run that they lie in.
        refused: in words, what could not be scored: protocols among ``all`` that do not allow these
            data.
    """

    records: tuple[Record, ...]
    folder: RunFolder
    refused: tuple[str, ...] = ()


def score_on(
    checkpoint: Checkpoint,
    splits: Sequence[Dataset],
    rules: Rules,
    *,
    options: ExecutionOptions,
    out: Path | None = None,
    settings: Settings,
    progress: Progress = SILENT,
) -> Scored:
    """Score a network on the test part of a data set; nothing is trained.

    Args:
        checkpoint: of `zoo.experiment.find_checkpoint`: a run or a file may stand for one.
        splits: the data set, once for each of its splits; where it was trained on one of them, it
            is scored on that one.
        rules: what is left open is as the network was scored before, and the data set's protocol.
        options: device and workers.
        out: result folder of what is no run; None makes a name from the data set.
        settings: where checkpoints are kept and looked for.
        progress: who is told.

    Raises:
        LookupError: no protocol or distance of that name.
        OSError: its file cannot be had, or an image cannot be read.
        ValueError: a rule does not fit, or the network was trained on another split of the data.
    """
    rules.check()
    usual = pretrained.evaluation_of(checkpoint)
    evaluation = Evaluation(
        frames=rules.frames or usual.frames, distance=rules.distance or usual.distance
    )
    held: AbstractContextManager[None] = nullcontext()
    if is_run(checkpoint):
        if out is not None:
            raise ValueError(
                f"{checkpoint.name} keeps its records in its own folder: leave out --out"
            )
        folder = RunFolder(checkpoint.home)
        spec = folder.spec()
    else:
        out = out or result_folder(f"{splits[0].name}-pretrained")
        digest = ensure_local(checkpoint, settings, progress).sha256
        spec, held = _specified(checkpoint, digest, splits[0]), lock(out)
        folder = RunFolder.of(spec, out)
    spec.trained_by(evaluation)  # an unknown frame rule is an error now
    run = Run(
        spec,
        None,
        options,
        folder,
        progress,
        fetch=lambda: ensure_local(checkpoint, settings, progress).path,
    )
    with held:
        records, refused = _score(run, _fair(spec, splits), rules, evaluation)
    return Scored(records=tuple(records), folder=folder, refused=tuple(refused))


def is_run(checkpoint: Checkpoint) -> bool:
    """Whether it is a run's folder that was named."""
    return checkpoint.home == Path(checkpoint.name).absolute()


def _specified(checkpoint: Checkpoint, sha256: str, dataset: Dataset) -> RunSpec:
    """The run of a checkpoint, with the data that it was trained on; they need not be here."""
    spec = pretrained.specification(checkpoint, sha256, dataset)
    known = checkpoint.fingerprint
    if known is None and checkpoint.dataset == dataset.name:
        known = dataset.fingerprint  # as far as anybody knows
    return replace(
        spec,
        dataset=checkpoint.dataset,
        fingerprint=known or UNKNOWN,
        split=checkpoint.split,
    )


def _fair(spec: RunSpec, splits: Sequence[Dataset]) -> list[Dataset]:
    """The splits that a network may be scored on.

    Raises:
        ValueError: it was trained on persons of the one that was asked for.
    """
    same = [one for one in splits if one.fingerprint == spec.fingerprint]
    own = [one for one in same if one.split == spec.split]
    if same and not own:
        raise ValueError(
            f"{spec.method} was trained on split {spec.split} of {spec.dataset}, with persons whom "
            f"split {same[0].split} tests: score it on split {spec.split}"
        )
    return own or list(splits)


def _score(
    run: Run, splits: Sequence[Dataset], rules: Rules, evaluation: Evaluation
) -> tuple[list[Record], list[str]]:
    records: list[Record] = []
    refused: list[str] = []
    for dataset in splits:
        for name in choose_protocols(rules.protocols, dataset.protocol):
            scoring = Scoring(evaluation=evaluation, protocols=(name,), rerank=rules.canonical)
            try:
                records += run.score(scoring, dataset)
            except ValueError as error:
                if rules.protocols != "all":
                    raise
                refused.append(str(error))
    if not records:
        raise ValueError(refused[0])
    return records, refused
