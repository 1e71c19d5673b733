"""Scoring epochs on held-out training persons; the test part is never opened for it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from benchmark import distributed, embed
from benchmark.clips import frame_rule
from benchmark.datasets.base import Dataset
from benchmark.protocols import score
from benchmark.recipe import DISTANCES
from benchmark.train import Validation
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.spec import RunSpec

PROTOCOL = "validation"
SELECTIONS = ("last", "best-validation")
FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class ValidationPlan:
    """How epochs are scored while training.

    Attributes:
        folds: into how many parts the training persons are cut; one part is held out.
        fold: which, from 0.
        every: epochs between two scorings.
        select: ``last`` keeps the last epoch's weights, ``best-validation`` those of the epoch with
            the highest validation mAP.
        frames: frame rule.
        distance: as of a recipe's evaluation.

    Raises:
        ValueError: a value is out of range.
    """

    folds: int = FOLDS
    fold: int = 0
    every: int = 1
    select: str = "last"
    frames: str = "chunk-first"
    distance: str = "cos-bn"

    def __post_init__(self):
        if self.folds < 2 or not 0 <= self.fold < self.folds:
            raise ValueError(f"fold {self.fold} of {self.folds}: expected 0 or more, below folds")
        if self.every < 1:
            raise ValueError(f"validation every {self.every} epochs: expected 1 or more")
        if self.select not in SELECTIONS:
            raise ValueError(f"select is {self.select!r}, expected one of {', '.join(SELECTIONS)}")


def check_folds(folds: int, persons: int, ids_per_batch: int) -> None:
    """Refuse folds of so few persons that their scores would say nothing.

    Args:
        folds: into how many parts the training persons are cut; five or fewer are never refused.
        persons: to train on.
        ids_per_batch: P; a fold needs the persons of two batches.

    Raises:
        ValueError: a fold has fewer; the message says how many folds would fit.
    """
    least = 2 * ids_per_batch
    if folds > FOLDS and persons // folds < least:
        raise ValueError(
            f"--folds {folds} leaves {persons // folds} of {persons} training persons to validate "
            f"with, expected {least} (two batches of persons) or more: take --folds "
            f"{max(persons // least, FOLDS)} or fewer"
        )


def open_validation(
    spec: RunSpec,
    dataset: Dataset,
    options: ExecutionOptions,
    after: Callable[[int, float], None] | None = None,
) -> tuple[Dataset, Validation | None]:
    """The data set that is trained on, and what scores epochs; the set itself and None without.

    Args:
        spec: the run.
        dataset: the whole data set.
        options: device and workers.
        after: told epoch and mAP of each scoring.
    """
    if spec.validation is None:
        return dataset, None
    plan = ValidationPlan(**spec.validation)
    held_out = dataset.held_out(fold=plan.fold, folds=plan.folds)
    validation = Validation(
        score=_Scorer(spec, held_out, plan, options),
        every=plan.every,
        keep_best=plan.select == "best-validation",
        after=after,
    )
    return held_out, validation


class _Scorer:
    """Embeds the held-out persons on all processes, scores them on the first: metrics by name."""

    def __init__(
        self, spec: RunSpec, held_out: Dataset, plan: ValidationPlan, options: ExecutionOptions
    ):
        self.spec, self.held_out, self.plan, self.options = spec, held_out, plan, options

    def __call__(self, model: nn.Module) -> dict[str, float]:
        recipe = self.spec.trained_by()
        rule = frame_rule(self.plan.frames, recipe.frames)
        embeddings = embed.embed(
            model,
            self.held_out,
            rule,
            height=recipe.height,
            width=recipe.width,
            resize=recipe.resize,
            key={"frames_rule": str(rule)},
            device=torch.device(self.options.device),
            precision=self.spec.precision,
            workers=self.options.workers,
        )
        return distributed.on_first(lambda: self._scored(embeddings))

    def _scored(self, embeddings: embed.ClipEmbeddings) -> dict[str, float]:
        distance, space = DISTANCES[self.plan.distance]
        found = score(embeddings.pooled(space), embeddings.query, PROTOCOL, distance)
        return {"mAP": found.mAP, "R1": found.values["R1"]}
