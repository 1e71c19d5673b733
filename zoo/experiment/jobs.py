"""The jobs of a plan: its runs, and the costs of their methods where these are measured apart."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from benchmark.datasets.base import Dataset
from benchmark.files import write_json
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Evaluation
from zoo.experiment import pretrained
from zoo.experiment.data import source_of
from zoo.experiment.engines.job import Job, Place
from zoo.experiment.faults import MethodFault, ends_the_plan
from zoo.experiment.folder import RunFolder, read_json
from zoo.experiment.options import ExecutionOptions, Scoring
from zoo.experiment.plan import Plan, PlannedRun
from zoo.experiment.run import Run
from zoo.experiment.scores import clip_cost, cost_path
from zoo.experiment.spec import RunSpec
from zoo.experiment.sweep import Sweep, score_sweep


@dataclass(frozen=True, kw_only=True)
class RunWork:
    """A run trained and scored, or what is left of that.

    Attributes:
        spec: the run.
        scorings: what it is scored under, one after the other; none where it is only trained.
        also_test: fingerprints of further data sets that it is scored on, with their protocols.
        sweep: knob of a sweep, and its values with the fingerprints of their data sets.
        fault: what is wrong with the method's code, if that is known already.
    """

    spec: RunSpec
    scorings: tuple[Scoring, ...]
    also_test: tuple[tuple[str, str], ...] = ()
    sweep: tuple[str, tuple[tuple[float, str], ...]] | None = None
    fault: str | None = None

    def __call__(self, place: Place) -> None:
        """Carry it out."""
        if self.fault is not None:
            raise MethodFault(self.fault)
        spec, datasets = self.spec, place.datasets
        run = open_run(spec, datasets[spec.fingerprint], place.out, place.options, place.progress)
        run.train()
        for scoring in self.scorings:
            run.score(scoring)
            for fingerprint, protocol in self.also_test:
                own = dataclasses.replace(scoring, protocols=(protocol,))
                run.score(own, datasets[fingerprint])
            if self.sweep is not None:
                knob, points = self.sweep
                opened = tuple((value, datasets[fingerprint]) for value, fingerprint in points)
                score_sweep(run, scoring, Sweep(knob=knob, points=opened))


def open_run(
    spec: RunSpec, dataset: Dataset, out: Path, options: ExecutionOptions, progress: Progress
) -> Run:
    """A run as an object, in its folder below ``out``."""
    folder = RunFolder.of(spec, out)
    fetch = partial(pretrained.fetch, spec, progress)
    return Run(spec, dataset, options, folder, progress, fetch=fetch)


def run_jobs(plan: Plan) -> list[tuple[PlannedRun, Job]]:
    """A job a run; what is scored in several ways is one, since two cannot share its folder."""
    groups: dict[str, list[PlannedRun]] = {}
    for planned in plan.runs:
        groups.setdefault(planned.spec.id, []).append(planned)
    return [
        (same[0], _run_job(plan, same, f"[{i}/{len(groups)}]"))
        for i, same in enumerate(groups.values(), start=1)
    ]


def _run_job(plan: Plan, same: Sequence[PlannedRun], place: str) -> Job:
    """The job of a run that is planned once or more."""
    spec, dataset = same[0].spec, same[0].dataset
    split = f", split {spec.split}" if dataset.splits > 1 else ""
    further: tuple[Dataset, ...] = ()
    points: tuple[tuple[float, Dataset], ...] = ()
    if not plan.train_only:
        further = plan.also_test
        points = () if plan.sweep is None else plan.sweep.points
    work = RunWork(
        spec=spec,
        scorings=() if plan.train_only else tuple(dict.fromkeys(one.scoring for one in same)),
        also_test=tuple((one.fingerprint, one.protocol) for one in further),
        sweep=(plan.sweep.knob, tuple((value, one.fingerprint) for value, one in points))
        if points
        else None,
        fault=same[0].fault,
    )
    read = {one.fingerprint: one for one in (dataset, *further, *(one for _, one in points))}
    return Job(
        title=f"{place} {spec.method}, seed {spec.seed}{split}",
        work=work,
        sources=tuple(source_of(one, plan.roots) for one in read.values()),
        files=(f"runs/{spec.folder}/**/*",),
    )


# ---- costs ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CostWork:
    """What clips of methods cost, measured one after the other."""

    items: tuple[tuple[RunSpec, Evaluation], ...]

    def __call__(self, place: Place) -> None:
        """Measure each and keep it in its run's folder; a method that fails will say so itself."""
        device = torch.device(place.options.device)
        for done, (spec, evaluation) in enumerate(self.items):
            place.progress.advance("cost", done, len(self.items))
            folder = RunFolder.of(spec, place.out)
            folder.begin(spec)
            try:
                clip_cost(spec, folder, evaluation, device, SILENT)
            except (Exception, SystemExit) as error:  # whatever a method's code may raise
                if ends_the_plan(error, place.out):
                    raise
        place.progress.advance("cost", len(self.items), len(self.items))


def cost_groups(plan: Plan) -> list[list[PlannedRun]]:
    """Runs whose clips cost the same: they differ in seed, split or training alone."""
    groups: dict[tuple, list[PlannedRun]] = {}
    for planned in plan.runs:
        spec, evaluation = planned.spec, planned.scoring.evaluation
        name = cost_path(spec, RunFolder.of(spec, plan.out), evaluation, plan.options.device).name
        key = (spec.method, spec.backbone, spec.settings.get("neck"), spec.settings["frames"], name)
        groups.setdefault(key, []).append(planned)
    return list(groups.values())


def cost_job(plan: Plan) -> Job | None:
    """A job that measures what no folder of the plan tells; None if there is nothing to measure."""
    groups = (same for same in cost_groups(plan) if same[0].fault is None)
    missing = [same[0] for same in groups if _told(plan, same) is None]
    if not missing:
        return None
    items = tuple((one.spec, one.scoring.evaluation) for one in missing)
    return Job(
        title="costs",
        work=CostWork(items=items),
        files=tuple(f"runs/{spec.folder}/*.json" for spec, _ in items),
        alone=True,
    )


def share_costs(plan: Plan) -> None:
    """Give every run the cost that one of its group has."""
    for same in cost_groups(plan):
        told = _told(plan, same)
        for planned in same if told is not None else ():
            path = _path(plan, planned)
            if not path.is_file():
                write_json(path, told)


def _told(plan: Plan, same: Sequence[PlannedRun]) -> dict | None:
    found = (read_json(_path(plan, planned)) for planned in same)
    return next((cost for cost in found if cost is not None), None)


def _path(plan: Plan, planned: PlannedRun) -> Path:
    folder = RunFolder.of(planned.spec, plan.out)
    return cost_path(planned.spec, folder, planned.scoring.evaluation, plan.options.device)
