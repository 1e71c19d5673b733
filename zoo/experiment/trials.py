"""The trials of one method's search: what they tried, what they found, and the choice."""

import json
from collections.abc import Mapping

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from zoo.experiment.folder import RunFolder
from zoo.experiment.space import Parameter, Value

STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "diverged"}


def suggest(trial: Trial, parameters: Mapping[str, Parameter]) -> dict[str, Value]:
    """The values that a trial tries."""
    found: dict[str, Value] = {}
    for name, one in parameters.items():
        if one.kind == "choice":
            found[name] = trial.suggest_categorical(name, list(one.choices))
        else:
            found[name] = trial.suggest_float(name, one.low, one.high, log=one.kind == "log")
    return found


def read_log(folder: RunFolder) -> list[dict]:
    """The epochs that a run has trained."""
    if not folder.log.is_file():
        return []
    lines = folder.log.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("}\n")]


def in_words(values: Mapping[str, Value]) -> str:
    """``lr=0.00123, triplet=soft``."""
    parts = (f"{k}={v:.3g}" if isinstance(v, float) else f"{k}={v}" for k, v in values.items())
    return ", ".join(parts)


def summary_of(
    study: optuna.Study,
    method: str,
    start: Mapping[str, Value] | None,
    parameters: Mapping[str, Parameter],
) -> dict:
    """What a report tells of one method's search.

    Args:
        study: all its trials are finished.
        method: canonical variant.
        start: the recipe's own values, which trial 0 had; None where they lie outside the space.
        parameters: what was chosen from.

    Raises:
        ValueError: every trial diverged or was stopped.
    """
    trials = study.get_trials(deepcopy=False)
    complete = [t for t in trials if t.state == TrialState.COMPLETE]
    if not complete:
        raise ValueError(
            f"{method}: none of {len(trials)} trials came to an end: all diverged; lower the upper "
            "end of lr, e.g. --search lr=log:1e-5:3e-4"
        )
    best = max(complete, key=lambda t: (t.value, -t.number))  # the earlier one wins a tie
    first = trials[0]
    seconds = sum(t.user_attrs.get("seconds", 0.0) for t in trials)
    return {
        "trials": [_told(t, start, parameters) for t in trials],
        "chosen": _values(best, start, parameters),
        "default_validation_mAP": first.value if first.state == TrialState.COMPLETE else None,
        "chosen_validation_mAP": best.value,
        "spent": {
            "trials": len(trials),
            "clips": sum(t.user_attrs.get("clips", 0) for t in trials),
            "hours": round(seconds / 3600, 4),
        },
    }


def _told(
    trial: FrozenTrial, start: Mapping[str, Value] | None, parameters: Mapping[str, Parameter]
) -> dict:
    value = trial.value if trial.state == TrialState.COMPLETE else None
    if trial.state == TrialState.PRUNED and trial.intermediate_values:
        value = trial.intermediate_values[max(trial.intermediate_values)]
    return {
        "number": trial.number,
        "state": STATES[trial.state],
        "values": _values(trial, start, parameters),
        "validation_mAP": value,
        "clips": trial.user_attrs.get("clips", 0),
        "seconds": trial.user_attrs.get("seconds", 0.0),
    }


def _values(
    trial: FrozenTrial, start: Mapping[str, Value] | None, parameters: Mapping[str, Parameter]
) -> dict[str, Value]:
    """What a trial tried; nothing for a first trial whose values no space holds."""
    if trial.number == 0 and start is None:
        return {}
    return {name: trial.params[name] for name in parameters}


def provenance(study: str, space: str, part: Mapping) -> str:
    """How a method's settings were chosen, for the records of its final runs."""
    spent = part["spent"]
    return (
        f"tuned: study {study}, space {space}, {spent['trials']} trials, {spent['clips']} clips, "
        f"{spent['hours']:.2f} h; {in_words(part['chosen'])}"
    )
