"""Carrying out a plan; a run that fails does not lose the others."""

import dataclasses
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from benchmark.datasets.base import Tracklet
from benchmark.datasets.check.image_integrity import DAMAGED, broken_images
from benchmark.files import remove_parts, write_json, write_text
from benchmark.pixels import ImageError
from benchmark.progress import SILENT, Progress
from zoo.experiment.engines.job import Engine
from zoo.experiment.engines.local import LOCAL
from zoo.experiment.folder import RunFolder
from zoo.experiment.jobs import cost_job, run_jobs, share_costs
from zoo.experiment.plan import Plan, PlannedRun, fingerprints
from zoo.experiment.result_line import first_record, result_line

CHECKED_IMAGES = ".images"  # which parts of which data sets were looked at, by fingerprint
LOCK_TIMEOUT_S = 8.0  # how long the image loaders of a killed run may hold its folder


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that could not be finished."""

    method: str
    split: int
    seed: int
    stage: str
    reason: str

    def __str__(self) -> str:
        return f"{self.method}, seed {self.seed}, failed: {self.reason}"


def execute(plan: Plan, progress: Progress = SILENT, engine: Engine = LOCAL) -> list[Failure]:
    """Carry out the runs of a plan.

    An engine that does several things at a time measures costs first, while nothing else goes on.

    Args:
        plan: what is to be done.
        progress: who is told; of every run when it is over, in one line.
        engine: what carries the runs out.

    Returns:
        The runs that could not be finished, in the plan's order.

    Raises:
        OSError: the result folder cannot be written, or another process is writing into it.
        ImageError: an image of the data is missing or cut short.
    """
    with lock(plan.out):
        check_images(plan, progress)
        if engine.parallel and not plan.train_only:
            _measure_costs(plan, engine, progress)
        runs = run_jobs(plan)
        failures, before = {}, [_is_finished(run, plan) for run, _ in runs]
        jobs = [job for _, job in runs]
        with closing(engine.carry_out(jobs, plan.out, plan.options, progress)) as outcomes:
            for outcome in outcomes:
                run = runs[outcome.number][0]
                spec, told = run.spec, RunFolder.of(run.spec, plan.out).failure
                reused = before[outcome.number]
                progress.note(result_line(run, outcome, plan.out, reused=reused))
                if outcome.stage is None:
                    told.unlink(missing_ok=True)
                    continue
                failure = Failure(
                    method=spec.method,
                    split=spec.split,
                    seed=spec.seed,
                    stage=outcome.stage,
                    reason=outcome.reason,
                )
                write_json(told, dataclasses.asdict(failure))
                failures[outcome.number] = failure
        return [failures[number] for number in sorted(failures)]


def _is_finished(run: PlannedRun, plan: Plan) -> bool:
    """Whether nothing is left to be done but to read."""
    trained = RunFolder.of(run.spec, plan.out).weights.is_file()
    return trained and (plan.train_only or first_record(run, plan.out) is not None)


def _measure_costs(plan: Plan, engine: Engine, progress: Progress) -> None:
    """A cost that cannot be measured apart is measured by the run, or is its failure."""
    job = cost_job(plan)
    if job is not None:
        with closing(engine.carry_out([job], plan.out, plan.options, progress)) as outcomes:
            for outcome in outcomes:
                if outcome.stage is not None:
                    progress.note(f"costs: failed, each run measures its own: {outcome.reason}")
    share_costs(plan)


def check_images(plan: Plan, progress: Progress) -> None:
    """Stop at an image that cannot be decoded before hours of training do; once a folder.

    Where runs are only trained, no test image is opened.

    Raises:
        ImageError: names the first one, and how many there are.
    """
    kept = plan.out / CHECKED_IMAGES
    seen = kept.read_text(encoding="utf-8").split() if kept.is_file() else []
    new = {name: part for name, part in _parts_to_read(plan) if name not in seen}
    if not new:
        return
    tracklets = dict.fromkeys(tracklet for part in new.values() for tracklet in part)
    paths = list(dict.fromkeys(t.path(i) for t in tracklets for i in range(len(t))))
    found = list(broken_images(paths, deep=True, progress=progress))
    broken = [one for one in found if not one[1].startswith(DAMAGED)]
    if broken:
        more = f", and {len(broken) - 1} more" if len(broken) > 1 else ""
        raise ImageError(
            f"{' '.join(broken[0])}{more}: put the image back, or take its tracklet out "
            "(`zoo data check` names all)"
        )
    if found:
        progress.note(
            f"  {len(found)} of {len(paths)} images are damaged within and are used as far as they "
            f"go, {found[0][0]} first: `zoo data check --deep` names them"
        )
    write_text(kept, "\n".join([*seen, *new]) + "\n")


def _parts_to_read(plan: Plan) -> Iterator[tuple[str, tuple[Tracklet, ...]]]:
    """``<fingerprint>/train`` or ``…/test`` and its tracklets, of all that the plan will read."""
    own = fingerprints(plan.runs)
    for fingerprint, dataset in own.items():
        yield f"{fingerprint}/train", dataset.train
    if plan.train_only:
        return
    swept = () if plan.sweep is None else (dataset for _, dataset in plan.sweep.points)
    for dataset in (*own.values(), *plan.also_test, *swept):
        yield f"{dataset.fingerprint}/test", dataset.test


@contextmanager
def lock(out: Path) -> Iterator[None]:
    """Hold a result folder, so that no other process writes into it.

    Raises:
        OSError: another process holds it, or it cannot be written.
    """
    held = FileLock(out / ".lock")
    try:
        out.mkdir(parents=True, exist_ok=True)
        held.acquire(timeout=LOCK_TIMEOUT_S)
    except Timeout:
        raise OSError(
            f"{out} is being written by another process: wait for it, or give another --out"
        ) from None
    except OSError as error:
        raise OSError(
            f"{out} cannot be written ({error.strerror or error}): give another --out"
        ) from None
    try:
        for folder in (out, out / "runs"):
            remove_parts(folder)
        yield
    finally:
        held.release()
