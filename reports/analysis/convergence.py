"""Whether a training run got anywhere, and whether it was done: verdicts from its log.

A score of a run that collapsed, never fitted its training data or was still improving when it
stopped says little of the method; so such methods are marked in every table and plot, and left out
of Pareto fronts unless asked for.

Three verdicts, each from the log's rows of one epoch each:

* `COLLAPSED`: over the last quarter of the epochs the triplet loss stays within 0.01 of what it is
  when all distances are equal: ln 2 for a soft margin, the margin itself for a hinge.
* `UNDERFITTED`: the training accuracy of the last epoch is under 90 %.
* `RISING`: training accuracy or validation mAP was still rising at the end. A line is fitted by
  least squares to the last quarter of the measured epochs, at least to four; the curve is rising
  where the slope exceeds twice its standard error, and the line gains more than one point (0.01)
  from its first epoch to its last. A curve measured in fewer than eight epochs is not judged.
"""

import dataclasses
import math

import numpy as np
import pandas as pd

from reports.read.results import Results

COLLAPSED = "collapsed"
UNDERFITTED = "under 90 % training accuracy"
RISING = "still rising"
SIGN = "†"
_NEAR = 0.01
_FITTED = 0.90
_GAIN = 0.01
_CURVE, _TAIL = 8, 4  # epochs that a curve and its end need


def with_verdicts(results: Results) -> Results:
    """The results with a column ``convergence`` in their frame: the verdicts on each record's run.

    A run without a log has none.
    """
    if results.frame.empty:
        return results
    found = {
        run: verdicts(results.log(run), _margin(results.runs.get(run, {})))
        for run in results.frame["run"].unique()
    }
    column = pd.Series([found[run] for run in results.frame["run"]], index=results.frame.index)
    return dataclasses.replace(results, frame=results.frame.assign(convergence=column))


def verdicts(log: pd.DataFrame, margin: float | None = None) -> tuple[str, ...]:
    """What is wrong with a training run, of `COLLAPSED`, `UNDERFITTED` and `RISING`.

    Args:
        log: one row an epoch, in order, with any of the columns ``triplet``, ``accuracy`` and
            ``validation_mAP`` (fractions, NaN where not measured).
        margin: of a hinged triplet loss; None for a soft one.
    """
    found = []
    if _is_collapsed(_curve(log, "triplet"), math.log(2) if margin is None else margin):
        found.append(COLLAPSED)
    accuracy = _curve(log, "accuracy")
    if len(accuracy) and accuracy[-1, 1] < _FITTED:
        found.append(UNDERFITTED)
    if any(is_rising(_curve(log, name)) for name in ("accuracy", "validation_mAP")):
        found.append(RISING)
    return tuple(found)


def is_rising(curve: np.ndarray) -> bool:
    """Whether a curve [epochs, 2] of epoch and value rises at its end, see the module."""
    if len(curve) < _CURVE:
        return False
    tail = curve[-max(_TAIL, math.ceil(len(curve) / 4)) :]
    epochs, values = tail[:, 0] - tail[:, 0].mean(), tail[:, 1]
    spread = (epochs**2).sum()
    slope = (epochs * values).sum() / spread
    residuals = values - values.mean() - slope * epochs
    error = math.sqrt((residuals**2).sum() / (len(tail) - 2) / spread)
    return bool(slope > 2 * error and slope * (epochs[-1] - epochs[0]) > _GAIN)


def _is_collapsed(curve: np.ndarray, resting: float) -> bool:
    tail = curve[-math.ceil(len(curve) / 4) :, 1] if len(curve) else curve
    return bool(len(tail) and (np.abs(tail - resting) <= _NEAR).all())


def _curve(log: pd.DataFrame, column: str) -> np.ndarray:
    """[epochs, 2] epoch and value, where there is one."""
    if column not in log:
        return np.empty((0, 2))
    values = pd.to_numeric(log[column], errors="coerce")
    kept = np.isfinite(values.to_numpy(float))
    return np.column_stack([log["epoch"].to_numpy(float)[kept], values.to_numpy(float)[kept]])


def _margin(run_summary: dict) -> float | None:
    """The margin of a run's triplet loss, from its specification; None for a soft one."""
    spec = run_summary.get("spec")
    settings = spec.get("settings") if isinstance(spec, dict) else None
    margin = settings.get("triplet") if isinstance(settings, dict) else None
    return float(margin) if isinstance(margin, int | float) else None
