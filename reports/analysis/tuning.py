"""What tuning changed: regret of the shared recipe, best score against budget, sensitivity.

The file that a study leaves behind is described in `reports.read.studies`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmark import significance
from reports.analysis import intervals
from reports.analysis.groups import Group
from reports.read.studies import Parameter, Trial, TunedMethod

NOT_SERVED = 0.03  # a regret beyond this is no longer the method's affair but the recipe's
_BORDER = 0.05  # share of a range that counts as its border


def scores(trials: Sequence[Trial]) -> np.ndarray:
    """The validation mAP of each trial, a fraction.

    A pruned trial counts with the last mAP that was measured of it; one that diverged, or was never
    measured, counts as 0.
    """
    return np.array(
        [
            0.0 if trial.state == "diverged" or trial.validation_mAP is None
            else trial.validation_mAP
            for trial in trials
        ]
    )  # fmt: skip


def expected_best(values: Sequence[float]) -> pd.DataFrame:
    """The best score to be expected of 1, 2, … N trials, from N that were made.

    Trials are drawn with replacement from those made, so that the best of n is at most the i-th
    smallest value v_i with probability (i/N)^n, and its mean is Σ v_i ((i/N)^n − ((i−1)/N)^n)
    (Dodge et al., Show Your Work, EMNLP 2019, section 3). The band is one standard deviation of the
    best to either side, within the values seen.

    Returns:
        One row for each number of trials: ``trials``, ``expected``, ``low``, ``high``.
    """
    ordered = np.sort(np.asarray(values, dtype=float))  # [N]
    n = np.arange(1, len(ordered) + 1)
    below = (n / len(ordered))[None, :] ** n[:, None]  # [N trials, N values]
    probability = np.diff(below, axis=1, prepend=0.0)
    mean = probability @ ordered
    spread = np.sqrt(np.maximum(0, probability @ ordered**2 - mean**2))
    ends = (ordered.min(), ordered.max()) if len(ordered) else (0.0, 0.0)
    low, high = np.clip(mean - spread, *ends), np.clip(mean + spread, *ends)
    return pd.DataFrame({"trials": n, "expected": mean, "low": low, "high": high})


def regret(method: TunedMethod) -> float:
    """Validation mAP of the chosen setting minus that of the shared recipe; NaN if unknown."""
    if method.chosen_mAP is None or method.default_mAP is None:
        return math.nan
    return method.chosen_mAP - method.default_mAP


def at_border(parameter: Parameter, value: object) -> bool:
    """Whether a chosen value lies within a twentieth of the range from one of its ends.

    The range is that of the logarithm for a ``log`` parameter. A choice has no border.
    """
    if parameter.kind == "choice" or isinstance(value, bool) or not isinstance(value, int | float):
        return False
    scale = math.log if parameter.kind == "log" else float
    low, high, at = scale(parameter.low), scale(parameter.high), scale(value)
    return min(at - low, high - at) <= _BORDER * (high - low)


class Change(NamedTuple):
    """One method's test mAP under the shared recipe and tuned, fractions; intervals may be NaN.

    Attributes:
        method: its name.
        default: mean over runs under the shared recipe, with ``low`` and ``high``.
        tuned: the same, tuned.
        gain: tuned minus default, paired over test persons.
    """

    method: str
    default: tuple[float, float, float]
    tuned: tuple[float, float, float]
    gain: tuple[float, float, float]


def changes(tuned: Group, tables: Sequence[Group]) -> list[Change]:
    """Default against tuned on the test set, for the methods that have both.

    Args:
        tuned: a group of level ``tuned``.
        tables: all groups; the default is the one that differs in nothing but the tuning.
    """
    recipe = tuned.key.training.removeprefix("tuned ")
    default = [group for group in tables if group.key == tuned.key._replace(training=recipe)]
    if tuned.key.level != "tuned" or not default:
        return []
    of_default, of_tuned = intervals.tables(default[0].by_name), intervals.tables(tuned.by_name)
    found = []
    for _, row in tuned.rows.iterrows():
        same = default[0].rows[default[0].rows["method"] == row["method"]]
        if len(same) == 1 and (tuned.rows["method"] == row["method"]).sum() == 1:
            before = same.iloc[0]
            queries = of_tuned.get(row["name"]), of_default.get(before["name"])
            gain = _gain(*queries, row["mAP"] - before["mAP"], int(row["resamples"]))
            found.append(Change(row["method"], _span(before), _span(row), gain))
    return found


def _span(row: Mapping) -> tuple[float, float, float]:
    return row["mAP"], row["mAP_low"], row["mAP_high"]


def _gain(
    tuned: list[pd.DataFrame] | None,
    default: list[pd.DataFrame] | None,
    value: float,
    resamples: int,
) -> tuple[float, float, float]:
    """The gain with its paired interval, where both were scored on the same queries."""
    if tuned is None or default is None or not resamples:
        return value, math.nan, math.nan
    try:
        found = significance.difference(tuned, default, resamples=resamples).loc["mAP"]
    except ValueError:  # scored on different queries
        return value, math.nan, math.nan
    return value, found["low"], found["high"]
