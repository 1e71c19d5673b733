"""``zoo tune``: each method's settings chosen on held-out training persons, with equal budgets.

Trials are ordinary runs, trained without a fifth of the training persons and scored on these. The
test part is opened once, for the settings that were chosen and for those of the recipe as it
stands. A killed search goes on where it was, see `zoo.experiment.study`.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from benchmark.datasets.base import Dataset
from benchmark.files import write_json
from benchmark.progress import Progress
from benchmark.recipe import Recipe
from benchmark.variants import parse
from reports.build import Report
from zoo.experiment.bench import BenchResult, Method, engine_options, names_of, shown
from zoo.experiment.data import source_of
from zoo.experiment.engines.choose import open_engine
from zoo.experiment.engines.job import Engine, Job, Place
from zoo.experiment.execute import Failure, check_images, execute, lock
from zoo.experiment.folder import read_json
from zoo.experiment.options import EngineOptions
from zoo.experiment.read_space import open_space
from zoo.experiment.request import BenchRequest, Budget, TuneRequest
from zoo.experiment.space import Space, Value
from zoo.experiment.tune_plan import FOLDER, TunePlan


@dataclass(frozen=True, eq=False)
class TuneResult:
    """What a search chose, and what the final runs reached; a notebook shows the latter's tables.

    Attributes:
        study: name of the search.
        path: its file, which the report reads.
        bench: the final runs: the recipe as it stands and what was chosen.
        unfinished: methods whose search came to no choice.
    """

    study: str
    path: Path
    bench: BenchResult
    unfinished: tuple[Failure, ...]

    @property
    def out(self) -> Path:
        """The result folder."""
        return self.bench.out

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Searches that came to no choice, and final runs that could not be finished."""
        return self.unfinished + self.bench.failures

    @cached_property
    def summary(self) -> dict:
        """Space, budget, and every method's trials, choice and spending.

        Validation mAP are fractions in [0, 1]. The format is told in `reports.read.studies`.
        """
        return read_json(self.path)

    @property
    def chosen(self) -> dict[str, dict[str, Value]]:
        """The chosen values by method; empty for a method that is best as it stands."""
        return {name: part["chosen"] for name, part in self.summary["methods"].items()}

    @property
    def table(self) -> pd.DataFrame:
        """The report's rows of the final runs, as `BenchResult.table` has them."""
        return self.bench.table

    def report(
        self, out: Path | str | None = None, formats: Sequence[str] = ("md", "html")
    ) -> Report:
        """Write the same files as the command does, see `BenchResult.report`."""
        return self.bench.report(out, formats)

    def _repr_html_(self) -> str:
        return self.bench._repr_html_()


def tune(  # noqa: D417 - device and others are those of `zoo.bench`
    methods: Method | Sequence[Method] = ("stenvan", "sta"),
    *,
    dataset: str | Dataset = "synthetic",
    recipe: str | Recipe | None = None,
    trials: int = 20,
    budget: int | str | None = None,
    space: str | Space = "unified@1",
    search: str | None = None,
    folds: int = 5,
    seeds: int = 1,
    protocols: str | None = None,
    data_root: Path | str | None = None,
    out: Path | str | None = None,
    device: str = "auto",
    precision: str = "no",
    workers: int = 2,
    limit: int | None = None,
    engine: str | EngineOptions = "local",
    progress: Progress | None = None,
) -> TuneResult:
    """Choose settings for each method on held-out training persons, then train and score.

    ``zoo tune`` makes the same trials, choices and bits; it fails as `carry_out` does.

    Args:
        methods: names, variants, or functions ``method(backbone, num_classes, …) -> nn.Module``.
        dataset: a variant, e.g. ``synthetic[occlusion=0.6]``, or an open data set.
        recipe: a name, ``paper``, or of `zoo.recipe`; None: ``unified`` on a GPU, else ``quick``.
        trials: of each method; the first is the recipe as it stands.
        budget: what each method may spend on trials: training clips, or hours as ``1.5h``.
        space: ``unified@1``, a TOML file, or a `zoo.experiment.space.Space`.
        search: further parameters, e.g. ``lr=log:1e-5:1e-3,sta.blocks=choice:2|4|8``.
        folds: the training persons are cut into so many parts; one is held out.
        seeds: final runs of each method, for the recipe as it stands and for what was chosen.
        protocols: names separated by commas, or ``all``; None is the data set's own.
        data_root: where the data lie.
        out: result folder; None makes a name from data set and recipe.
        device, precision, workers, limit: as of `zoo.bench`.
        engine: likewise; several methods at a time, the trials of one in turn.
        progress: who is told; None shows a bar on a terminal or in a notebook.
    """
    bench = BenchRequest(
        methods=names_of(methods),
        dataset=dataset,
        recipe=recipe,
        seeds=seeds,
        protocols=protocols,
        data_root=None if data_root is None else Path(data_root),
        out=None if out is None else Path(out),
        device=device,
        precision=precision,
        workers=workers,
        limit=limit,
        command="zoo.tune(…)",
        engine=engine_options(engine),
    )
    found, spend = open_space(space, search), Budget.read(budget)
    request = TuneRequest(bench=bench, space=found, trials=trials, budget=spend, folds=folds)
    return carry_out(request, progress)


def carry_out(request: TuneRequest, progress: Progress | None = None) -> TuneResult:
    """Search for every method, then train and score the recipe as it stands and what was chosen.

    Args:
        request: what is asked for.
        progress: who is told; None shows a bar on a terminal or in a notebook.

    Raises:
        LookupError: an unknown name.
        ValueError: something does not fit.
        RuntimeError: no method's search came to a choice.
        OSError: data are missing, or the result folder cannot be written.
    """
    with shown(progress) as told, open_engine(request.bench.engine) as engine:
        plan = TunePlan(request, told, engine)
        with lock(plan.out):
            check_images(plan.training_plan(), told)
            found, unfinished = _search(plan, told, engine)
            if not found:
                raise RuntimeError("; ".join(f"{one.method}: {one.reason}" for one in unfinished))
            write_json(plan.summary_path, plan.summary(found))
        final = plan.final_plan(found)
        bench = BenchResult(final, tuple(execute(final, told, engine)))
        return TuneResult(plan.study, plan.summary_path, bench, unfinished)


@dataclass(frozen=True)
class SearchWork:
    """One method's search, or what is left of it.

    Attributes:
        plan: packed.
        method: canonical variant.
    """

    plan: TunePlan
    method: str

    def __call__(self, place: Place) -> dict:
        """Carry it out; its part of the summary."""
        return self.plan.moved(place).search(self.method)


def _search(
    plan: TunePlan, progress: Progress, engine: Engine
) -> tuple[Mapping[str, dict], tuple[Failure, ...]]:
    """What was found for each method, and the methods whose search failed."""
    methods, packed = list(plan.recipes), plan.packed()
    jobs = [
        Job(
            title=f"[{i}/{len(methods)}] {name}: search",
            work=SearchWork(packed, name),
            sources=(source_of(plan.dataset, plan.roots),),
            # a superset where one method's name begins with another's, which does no harm
            files=(f"{FOLDER}/{parse(name).name}*", f"{FOLDER}/runs/{parse(name).name}*/**/*"),
        )
        for i, name in enumerate(methods, start=1)
    ]
    found: dict[str, dict] = {}
    unfinished: dict[str, Failure] = {}
    with closing(engine.carry_out(jobs, plan.out, plan.options, progress)) as outcomes:
        for outcome in outcomes:
            name = methods[outcome.number]
            if outcome.stage is None:
                found[name] = outcome.value
                continue
            progress.note(f"{name}: search failed at {outcome.stage}: {outcome.reason}")
            unfinished[name] = Failure(
                method=name,
                split=plan.dataset.split,
                seed=plan.request.seed,
                stage="tune",
                reason=outcome.reason,
            )
    in_order = {name: found[name] for name in methods if name in found}
    return in_order, tuple(unfinished[name] for name in methods if name in unfinished)
