"""What somebody asks for, from the command line or from Python, with every default in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.recipe import Recipe
from zoo.experiment.options import EngineOptions, ExecutionOptions
from zoo.experiment.space import Space


@dataclass(frozen=True, kw_only=True)
class BenchRequest:
    """Methods, data, training and scoring of a benchmark.

    Attributes:
        methods: names, variants or wildcards, separated by commas.
        dataset: a variant, or an open data set.
        recipe: a name, ``paper`` for each method's own, a `Recipe`, or None: ``unified`` on a GPU,
            else ``quick``.
        changes: settings of the recipe that differ from it.
        seeds: runs of each method, with seeds 0, 1, ….
        protocols: names separated by commas, ``all``, or None for the data set's own.
        rerank: score again after this re-ranking, e.g. ``kr(20,6,0.3)``.
        sweep: score also on test sets that differ in one knob, e.g. ``occlusion=0:0.8:0.2``.
        also_test: further data sets whose test parts are scored, each by its own protocol: open,
            ``NAME`` or ``NAME=DIR``.
        pretrained: take checkpoints instead of training.
        train_only: stop every run when it is trained.
        validate: score held-out training persons every so many epochs; 0 for never.
        select: ``last`` or ``best-validation``: which epoch's weights are kept.
        data_root: where the data lie.
        out: result folder; None makes a name from data set and recipe.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``no`` (float32), ``fp16`` or ``bf16``.
        workers: processes that load images.
        limit: smoke test: the first so many persons only.
        command: what was typed or called, for the records.
        engine: what carries the runs out.
    """

    methods: str = "stenvan,sta"
    dataset: str | Dataset = "synthetic"
    recipe: str | Recipe | None = None
    changes: Mapping[str, object] = field(default_factory=dict)
    seeds: int = 1
    protocols: str | None = None
    rerank: str | None = None
    sweep: str | None = None
    also_test: tuple[str | Dataset, ...] = ()
    pretrained: bool = False
    train_only: bool = False
    validate: int = 0
    select: str = "last"
    data_root: Path | None = None
    out: Path | None = None
    device: str = "auto"
    precision: str = "no"
    workers: int = 2
    limit: int | None = None
    command: str = ""
    engine: EngineOptions = field(default_factory=EngineOptions)

    def options(self, engine: str) -> ExecutionOptions:
        """Where and how its runs are carried out, once its device is chosen."""
        return ExecutionOptions(
            device=self.device, workers=self.workers, command=self.command, engine=engine
        )


@dataclass(frozen=True, kw_only=True)
class TuneRequest:
    """A search for each method.

    Attributes:
        bench: methods, data, recipe and seeds of the final runs.
        space: what is chosen from.
        trials: of each method; trial 0 is the recipe as it stands.
        clips: budget of training clips for each method; None for trials alone.
        folds: into how many parts the training persons are cut; one is held out.
        seed: of the searches and of every trial.
    """

    bench: BenchRequest
    space: Space
    trials: int = 20
    clips: int | None = None
    folds: int = 5
    seed: int = 0
