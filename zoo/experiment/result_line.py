"""What a run came to, in one line: ``sta seed 0: mAP 45.4 R1 59.1, 4 min 12 s``."""

from pathlib import Path

from benchmark.progress import duration
from benchmark.record import Record
from benchmark.rules import PROTOCOLS
from zoo.experiment.engines.job import Outcome
from zoo.experiment.folder import RunFolder
from zoo.experiment.plan import PlannedRun


def result_line(run: PlannedRun, outcome: Outcome, out: Path, *, reused: bool) -> str:
    """Name, scores in percent under the first of its rules, and how long it took.

    Args:
        run: as it was planned.
        outcome: how it ended.
        out: the result folder.
        reused: it was finished before.
    """
    took = duration(outcome.seconds)
    if outcome.stage is not None:
        return f"{_name(run)}: failed at {outcome.stage} after {took}: {outcome.reason}"
    took, record = "reused" if reused else took, first_record(run, out)
    if record is None:
        return f"{_name(run)}: trained, {took}"
    mean_ap, rank1 = (100 * record.metrics[name] for name in ("mAP", "R1"))
    return f"{_name(run)}: mAP {mean_ap:.1f} R1 {rank1:.1f}, {took}"


def first_record(run: PlannedRun, out: Path) -> Record | None:
    """Its record on its own data under the first of its rules; None where there is none yet."""
    spec, scoring = run.spec, run.scoring
    frames = str(spec.trained_by().rule_of(scoring.evaluation))
    label = str(PROTOCOLS[scoring.protocols[0]].label(scoring.evaluation.distance, frames))
    try:
        records = RunFolder.of(spec, out).read_records()
    except (OSError, ValueError):  # a damaged one is scored anew
        return None
    wanted = spec.fingerprint, label
    return next((one for one in records if (one.fingerprint, one.label) == wanted), None)


def _name(run: PlannedRun) -> str:
    split = f" split {run.spec.split}" if run.dataset.splits > 1 else ""
    return f"{run.spec.method}{split} seed {run.spec.seed}"
