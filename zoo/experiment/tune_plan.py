"""What a search is for every method: recipe, space and budget; and the runs that come of it."""

import copy
import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmark import files, recipes
from benchmark.datasets.base import Dataset
from benchmark.device import check_precision
from benchmark.distributed import check_share
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Recipe
from benchmark.variants import parse
from zoo.experiment.engines.job import Engine, Place
from zoo.experiment.engines.local import LOCAL
from zoo.experiment.folder import RunFolder, read_json
from zoo.experiment.options import Scoring
from zoo.experiment.plan import Plan, PlannedRun, open_splits
from zoo.experiment.request import TuneRequest
from zoo.experiment.resolve import check_fit, choose_recipe, expand_methods, scoring_of
from zoo.experiment.run import Run
from zoo.experiment.space import Value, apply, defaults
from zoo.experiment.spec import RunSpec, specify, unusual
from zoo.experiment.study import MethodStudy
from zoo.experiment.trials import provenance, summary_of
from zoo.experiment.validate import ValidationPlan, check_folds

FOLDER = "tuning"  # of a result folder
# settings that a network may refuse, beside a method's own arguments
_SHAPE = ("backbone", "channels", "layers", "stem", "neck", "frames", "height", "width")


class TunePlan:
    """Every name resolved, the data open, and every value of the space known to fit.

    Args:
        request: what is asked for.
        progress: who is told.
        engine: what will carry it out: it knows which devices there are.

    Raises:
        LookupError: an unknown name.
        ValueError: something does not fit; the message says what.
        OSError: data are missing.
    """

    def __init__(self, request: TuneRequest, progress: Progress = SILENT, engine: Engine = LOCAL):
        bench = dataclasses.replace(request.bench, device=engine.device(request.bench.device))
        self.request, self.progress = dataclasses.replace(request, bench=bench), progress
        check_precision(bench.precision, bench.device)
        names = expand_methods(bench.methods)
        self.recipes = {name: choose_recipe(name, bench) for name in names}
        for done, (name, chosen) in enumerate(self.recipes.items()):
            progress.advance("checking methods", done, len(self.recipes))
            self._check(name, chosen)
        self.options = bench.options(engine.name)
        self.dataset: Dataset = open_splits(bench, progress)[0]
        if self.dataset.splits > 1:
            progress.note("split 0 alone: the test persons of the others are trained on in it")
        batch = max(chosen.ids_per_batch for chosen in self.recipes.values())
        check_folds(request.folds, len(self.dataset.train_pids), batch)
        persons = len(self.dataset.held_out(folds=request.folds).train_pids)  # an error if too few
        for chosen in self.recipes.values():
            check_share(min(chosen.ids_per_batch, persons), engine.processes)
        scorings = [scoring_of(bench, chosen, self.dataset) for chosen in self.recipes.values()]
        self.scorings: dict[str, Scoring] = dict(zip(self.recipes, scorings, strict=True))
        first = next(iter(self.recipes.values()))
        recipe = "paper" if bench.recipe == "paper" else first.name.replace("/", "-")
        stem = f"{parse(self.dataset.name.partition(':')[0]).slug}-{recipe}"
        self.study = f"{stem}-{self._key(recipe, first)}"
        self.out = bench.out or Path("results") / f"tune-{stem}"
        by_name = isinstance(bench.dataset, str)
        self.roots = {self.dataset.fingerprint: bench.data_root} if by_name else {}

    @property
    def folder(self) -> Path:
        """Of journals and trials."""
        return self.out / FOLDER

    @property
    def summary_path(self) -> Path:
        """What the report reads."""
        return self.folder / f"{self.study}.json"

    def moved(self, place: Place) -> "TunePlan":
        """The same plan where one of its searches is carried out."""
        moved = copy.copy(self)
        moved.out, moved.options, moved.progress = place.out, place.options, place.progress
        (moved.dataset,) = place.datasets.values()
        return moved

    def packed(self) -> "TunePlan":
        """What is sent there: without data and without who is told; see `moved`."""
        packed = copy.copy(self)
        packed.dataset, packed.progress = None, SILENT
        bench = dataclasses.replace(self.request.bench, dataset="")
        packed.request = dataclasses.replace(self.request, bench=bench)
        return packed

    def _check(self, name: str, chosen: Recipe) -> None:
        """Refuse what a method does not take before anything is trained."""
        if chosen.epochs < 1:
            raise ValueError(f"{name}: epochs is {chosen.epochs}, nothing would be trained")
        compute = not self.request.bench.dry_run
        check_fit(name, chosen, compute=compute)
        for parameter, one in self.request.space.of(name).items():
            for value in one.ends:
                method, changed = _changed(name, chosen, {parameter: value})
                if "." in parameter or parameter in _SHAPE:
                    check_fit(method, changed, compute=compute)

    def _key(self, recipe: str, first: Recipe) -> str:
        """Hash of what all methods share, but for the budget: a search can be gone on with."""
        bench = self.request.bench
        how = dict(bench.changes) if recipe == "paper" else unusual(first.training_settings())
        data = [self.dataset.fingerprint, self.request.seed, self.request.folds, bench.precision]
        return files.hash_of([*data, recipe, how, self._space()])[:6]

    def _space(self) -> dict:
        space = self.request.space
        parameters = {name: one.as_dict() for name, one in space.parameters.items()}
        return {"name": space.name, "parameters": parameters}

    # ---- the search ------------------------------------------------------------------------------

    def search(self, name: str) -> dict:
        """Carry out what is left of one method's search; its part of the summary.

        Raises:
            RuntimeError: every trial diverged, or a trial could not be carried out.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        parameters = self.request.space.of(name)
        start = defaults(name, self.recipes[name], parameters)
        asked = {key: one.as_dict() for key, one in parameters.items()}
        key = files.hash_of([self._trial(name, {}).spec.id, self.request.seed, asked])
        study = MethodStudy(
            self.folder / f"{parse(name).slug[:40]}-{key}.journal",
            method=name,
            parameters=parameters,
            start=start,
            run_of=lambda values: self._trial(name, values),
            trials=self.request.trials,
            budget=self.request.budget,
            seed=self.request.seed,
            progress=self.progress,
        )
        return summary_of(study.search(), start, parameters)

    def _trial(self, name: str, values: Mapping[str, Value]) -> Run:
        """An ordinary run on the training persons that are not held out."""
        spec = self._spec(name, values, seed=self.request.seed, validate=True)
        folder = RunFolder.of(spec, self.folder)
        return Run(spec, self.dataset, self.options, folder, self.progress)

    def _spec(
        self, name: str, values: Mapping[str, Value], *, seed: int, validate: bool
    ) -> RunSpec:
        method, changed = _changed(name, self.recipes[name], values)
        plan = ValidationPlan(
            folds=self.request.folds,
            frames=str(changed.rule),
            distance=changed.evaluation.distance,
        )
        return specify(
            method,
            changed,
            self.dataset,
            seed=seed,
            precision=self.request.bench.precision,
            validation=dataclasses.asdict(plan) if validate else None,
        )

    def summary(self, found: Mapping[str, dict]) -> dict:
        """What the report reads: space, budget, and every method's trials and choice.

        Methods that an earlier command searched in the same way with the same budget stay.
        """
        budget = {"trials": self.request.trials, **dataclasses.asdict(self.request.budget)}
        budget = {unit: value for unit, value in budget.items() if value is not None}
        before = read_json(self.summary_path) or {}
        kept = before["methods"] if before.get("budget") == budget else {}
        return {
            "study": self.study,
            "dataset": self.dataset.name,
            "fingerprint": self.dataset.fingerprint,
            "space": self._space(),
            "budget": budget,
            "methods": {**kept, **found},
        }

    # ---- runs on all training persons ------------------------------------------------------------

    def training_plan(self) -> Plan:
        """The recipe as it stands for every method, trained only: which images are read."""
        runs = [
            run
            for name, scoring in self.scorings.items()
            for run in self._final_runs(name, {}, scoring)
        ]
        return self._plan(runs, train_only=True)

    def _plan(self, runs: Iterable[PlannedRun], *, train_only: bool = False) -> Plan:
        return Plan(
            runs=tuple(runs),
            out=self.out,
            options=self.options,
            train_only=train_only,
            roots=self.roots,
        )

    def final_plan(self, found: Mapping[str, dict]) -> Plan:
        """The recipe as it stands and what was chosen, on all training persons; scored once."""
        runs: dict[str, PlannedRun] = {}
        for name, part in found.items():
            plain = self.scorings[name]
            chosen_by = provenance(self.study, self.request.space.name, part)
            tuned = dataclasses.replace(plain, chosen_by=chosen_by)
            for values, scoring in (({}, plain), (part["chosen"], tuned)):
                for run in self._final_runs(name, values, scoring):
                    runs.setdefault(run.spec.id, run)  # a choice may be the recipe itself
        return self._plan(runs.values())

    def _final_runs(
        self, name: str, values: Mapping[str, Value], scoring: Scoring
    ) -> list[PlannedRun]:
        seeds = range(self.request.bench.seeds)
        specs = [self._spec(name, values, seed=seed, validate=False) for seed in seeds]
        return [PlannedRun(spec=one, dataset=self.dataset, scoring=scoring) for one in specs]


def _changed(name: str, chosen: Recipe, values: Mapping[str, Value]) -> tuple[str, Recipe]:
    """The method and the recipe that values stand for."""
    method, changes = apply(name, chosen, values)
    return method, recipes.recipe(chosen.name, changes, {chosen.name: chosen})
