"""``zoo tune``: each method's settings chosen on held-out training persons, with equal budgets.

Trials are ordinary runs, trained without a fifth of the training persons and scored on these. The
test part is opened once, for the settings that were chosen and for those of the recipe as it
stands. A killed search goes on where it was and ends with the same choice: what trial n tries is
decided by its number and by what the trials before it found.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import Trial, TrialState

from benchmark.datasets.base import Dataset
from benchmark.device import choose_device
from benchmark.files import write_json
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Recipe
from benchmark.recipes import replace as change_recipe
from benchmark.train import Diverged
from benchmark.variants import parse
from zoo.experiment.execute import Failure, execute, lock
from zoo.experiment.folder import RunFolder
from zoo.experiment.options import ExecutionOptions, Scoring
from zoo.experiment.plan import Plan, PlannedRun, open_splits
from zoo.experiment.request import TuneRequest
from zoo.experiment.resolve import check_fit, choose_recipe, expand_methods, scoring_of
from zoo.experiment.run import Run
from zoo.experiment.space import Value, apply, defaults
from zoo.experiment.spec import RunSpec, specify
from zoo.experiment.trials import in_words, provenance, read_log, suggest, summary_of
from zoo.experiment.validate import ValidationPlan

REDUCTION = 3  # successive halving: a third goes on


@dataclass(frozen=True, kw_only=True)
class TuneResult:
    """What was chosen.

    Attributes:
        study: name of the search.
        summary: file that the report reads.
        plan: the final runs, default and tuned.
        failures: final runs that could not be finished.
    """

    study: str
    summary: Path
    plan: Plan
    failures: tuple[Failure, ...]


class Stopped(RuntimeError):
    """A trial that successive halving ended."""


def tune(request: TuneRequest, progress: Progress = SILENT) -> TuneResult:
    """Search for every method, then train and score the recipe as it stands and what was chosen.

    Raises:
        LookupError: an unknown name.
        ValueError: something does not fit, or all trials of a method diverged.
        OSError: data are missing, or the result folder cannot be written.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # `progress` says what there is to say
    search = _Search(request, progress)
    with lock(search.out):
        found = {name: search.method(name, chosen) for name, chosen in search.recipes.items()}
    write_json(search.summary_path, search.summary(found))
    plan = search.final_plan(found)
    return TuneResult(
        study=search.study,
        summary=search.summary_path,
        plan=plan,
        failures=tuple(execute(plan, progress)),
    )


class _Search:
    """What all methods' searches share."""

    def __init__(self, request: TuneRequest, progress: Progress):
        self.request, self.progress = request, progress
        bench = request.bench
        names = expand_methods(bench.methods)
        self.recipes = {name: choose_recipe(name, bench) for name in names}
        for name, chosen in self.recipes.items():
            check_fit(name, chosen)
        self.dataset: Dataset = open_splits(bench, progress)[0]
        recipe = next(iter(self.recipes.values())).name
        self.study = f"{parse(self.dataset.name.partition(':')[0]).slug}-{recipe}".replace("/", "-")
        self.out = bench.out or Path("results") / f"tune-{self.study}"
        self.summary_path = self.out / "tuning" / f"{self.study}.json"
        self.options = ExecutionOptions(
            device=choose_device(bench.device), workers=bench.workers, command=bench.command
        )

    # ---- one method ------------------------------------------------------------------------------

    def method(self, name: str, chosen: Recipe) -> dict:
        """Search the settings of one method; its part of the summary."""
        parameters = self.request.space.of(name)
        folder = self.out / "tuning"
        folder.mkdir(parents=True, exist_ok=True)
        slug = parse(name).slug
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(folder / f"{slug}.journal"))),
            study_name=slug,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.SuccessiveHalvingPruner(
                min_resource=max(chosen.epochs // REDUCTION**2, 1), reduction_factor=REDUCTION
            ),
        )
        start = defaults(name, chosen, parameters)
        while (trial := self._next(study, start)) is not None:
            values = suggest(trial, parameters)
            if trial.number == 0 and start is None:
                values = {}
            self._carry_out(study, trial, name, chosen, values)
        return summary_of(study, name, start, parameters)

    def _next(self, study: optuna.Study, start: Mapping[str, Value] | None) -> Trial | None:
        """The trial that was interrupted, or a new one; None if the budget is spent."""
        trials = study.get_trials(deepcopy=False)
        for frozen in trials:
            if frozen.state == TrialState.RUNNING:
                return Trial(study, frozen._trial_id)
        spent = sum(t.user_attrs.get("clips", 0) for t in trials)
        done = [t for t in trials if t.state.is_finished()]
        if len(done) >= self.request.trials:
            return None
        if self.request.clips is not None and spent >= self.request.clips:
            return None
        # the same number tries the same, however often the search was interrupted
        study.sampler = optuna.samplers.TPESampler(seed=1000 * self.request.seed + len(done))
        if not trials and start is not None:
            study.enqueue_trial(dict(start))
        return study.ask()

    def _carry_out(
        self,
        study: optuna.Study,
        trial: Trial,
        name: str,
        chosen: Recipe,
        values: Mapping[str, Value],
    ) -> None:
        title = f"{name}, trial {trial.number + 1}/{self.request.trials}"
        self.progress.begin(f"{title}: {in_words(values) or 'the recipe as it stands'}")
        run = self.trial_run(name, chosen, values)
        reported: dict[int, float] = {}

        def after(epoch: int, mAP: float) -> None:
            if epoch not in reported:
                reported[epoch] = mAP
                trial.report(mAP, epoch)
            if trial.should_prune():
                raise Stopped

        for line in read_log(run.folder):  # what was trained before an interruption counts
            if "validation_mAP" in line:
                reported[line["epoch"]] = line["validation_mAP"]
                trial.report(line["validation_mAP"], line["epoch"])
        state, value = TrialState.COMPLETE, None
        try:
            run.train(after_validation=after)
            value = read_log(run.folder)[-1]["validation_mAP"]
        except Stopped:
            state = TrialState.PRUNED
        except Diverged as error:
            self.progress.note(f"  diverged: {error}")
            state = TrialState.FAIL
        log = read_log(run.folder)
        batch = run.recipe.ids_per_batch * run.recipe.clips_per_id
        trial.set_user_attr("clips", (log[-1]["step"] if log else 0) * batch)
        trial.set_user_attr("seconds", log[-1]["seconds"] if log else 0.0)
        study.tell(trial.number, value, state=state)

    def trial_run(self, name: str, chosen: Recipe, values: Mapping[str, Value]) -> Run:
        """An ordinary run on the training persons that are not held out."""
        spec = self._spec(name, chosen, values, seed=self.request.seed, validate=True)
        folder = RunFolder(self.out / "tuning" / "runs" / spec.folder)
        return Run(spec, self.dataset, self.options, folder, self.progress)

    def _spec(
        self,
        name: str,
        chosen: Recipe,
        values: Mapping[str, Value],
        *,
        seed: int,
        validate: bool,
    ) -> RunSpec:
        method, changes = apply(name, chosen, values)
        plan = ValidationPlan(
            folds=self.request.folds,
            frames=str(chosen.rule),
            distance=chosen.evaluation.distance,
        )
        return specify(
            method,
            change_recipe(chosen, changes),
            self.dataset,
            seed=seed,
            precision=self.request.bench.precision,
            validation=asdict(plan) if validate else None,
        )

    # ---- the end ---------------------------------------------------------------------------------

    def final_plan(self, found: Mapping[str, dict]) -> Plan:
        """The recipe as it stands and what was chosen, on all training persons; scored once."""
        bench, runs = self.request.bench, []
        for name, chosen in self.recipes.items():
            scoring = scoring_of(bench, chosen, self.dataset)
            tuned = replace(
                scoring, chosen_by=provenance(self.study, self.request.space.name, found[name])
            )
            for values, rules in (({}, scoring), (found[name]["chosen"], tuned)):
                runs += self._final_runs(name, chosen, values, rules)
        distinct = {run.spec.id: run for run in reversed(runs)}  # a choice may be the recipe itself
        kept = [run for run in runs if distinct[run.spec.id] is run]
        return Plan(runs=tuple(kept), out=self.out, options=self.options)

    def _final_runs(
        self, name: str, chosen: Recipe, values: Mapping[str, Value], scoring: Scoring
    ) -> list[PlannedRun]:
        seeds = range(self.request.bench.seeds)
        specs = [self._spec(name, chosen, values, seed=seed, validate=False) for seed in seeds]
        return [PlannedRun(spec=one, dataset=self.dataset, scoring=scoring) for one in specs]

    def summary(self, found: Mapping[str, dict]) -> dict:
        """What the report reads: space, budget, and every method's trials and choice."""
        space = self.request.space
        parameters = {name: one.as_dict() for name, one in space.parameters.items()}
        return {
            "study": self.study,
            "dataset": self.dataset.name,
            "fingerprint": self.dataset.fingerprint,
            "space": {"name": space.name, "parameters": parameters},
            "budget": {"trials": self.request.trials, "clips": self.request.clips},
            "methods": dict(found),
        }
