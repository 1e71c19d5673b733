"""What somebody asks for, from the command line or from Python, with every default in one place."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.recipe import Recipe
from zoo.experiment.options import EngineOptions, ExecutionOptions
from zoo.experiment.space import Space

MOST_SEEDS = 1000  # as the command line has it


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
        precision: ``no`` (float32), ``tf32``, ``fp16`` or ``bf16``.
        workers: processes that load images.
        compile: training steps are compiled by torch.compile.
        cudnn_benchmark: cuDNN times its kernels and takes the fastest, on a GPU.
        limit: smoke test: the first so many persons only.
        dry_run: it will be planned only: nothing is rendered for it, and no network computes.
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
    compile: bool = False
    cudnn_benchmark: bool = False
    limit: int | None = None
    dry_run: bool = False
    command: str = ""
    engine: EngineOptions = field(default_factory=EngineOptions)

    def __post_init__(self):
        if not 1 <= self.seeds <= MOST_SEEDS:
            raise ValueError(f"seeds is {self.seeds}, expected 1 to {MOST_SEEDS}")

    def options(self, engine: str) -> ExecutionOptions:
        """Where and how its runs are carried out, once its device is chosen."""
        return ExecutionOptions(
            device=self.device,
            workers=self.workers,
            compile=self.compile,
            cudnn_benchmark=self.cudnn_benchmark,
            command=self.command,
            engine=engine,
        )


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What one method's trials may spend: no trial begins once it is spent.

    Attributes:
        clips: training clips; None for no limit.
        hours: of training; None for no limit. Where it ends depends on the machine.
    """

    clips: int | None = None
    hours: float | None = None

    @classmethod
    def read(cls, asked: int | str | None) -> "Budget":
        """``2000000`` is clips and ``1.5h`` hours; None is no limit.

        Raises:
            ValueError: it is neither, or not above 0.
        """
        if asked is None:
            return cls()
        text = str(asked).strip()
        try:
            budget = cls(hours=float(text[:-1])) if text.endswith("h") else cls(clips=int(text))
        except ValueError:
            budget = cls(hours=math.nan)
        if not 0 < (budget.hours or budget.clips or 0) < math.inf:
            raise ValueError(
                f"budget {text!r}: expected training clips, e.g. 2000000, or hours, e.g. 1.5h"
            )
        return budget

    def is_spent(self, used: Mapping[str, float]) -> bool:
        """Whether that many ``clips`` or ``hours`` leave nothing of it."""
        limits = {"clips": self.clips, "hours": self.hours}
        return any(limit is not None and used[unit] >= limit for unit, limit in limits.items())


@dataclass(frozen=True, kw_only=True)
class TuneRequest:
    """A search for each method.

    Attributes:
        bench: methods, data, recipe and seeds of the final runs.
        space: what is chosen from.
        trials: of each method; trial 0 is the recipe as it stands.
        budget: what each method may spend on trials beside their number.
        folds: into how many parts the training persons are cut; one is held out.
        seed: of the searches and of every trial.
    """

    bench: BenchRequest
    space: Space
    trials: int = 20
    budget: Budget = Budget()
    folds: int = 5
    seed: int = 0
