"""The trials of one method's search: what they tried, what they found, and the choice."""

import json
import math
import zlib
from collections.abc import Mapping, Sequence

from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState

from zoo.experiment.folder import RunFolder
from zoo.experiment.space import Parameter, Value

REDUCTION = 3  # successive halving: a third goes on
DIVERGED = -math.inf  # the value of a trial whose loss was no number: a result, the worst there is


def sampler_for(seed: int, *key: object) -> TPESampler:
    """A sampler whose random numbers follow from the seed and a key alone."""
    return TPESampler(seed=zlib.crc32("/".join(map(str, (seed, *key))).encode()))


def suggest(trial: Trial, parameters: Mapping[str, Parameter], seed: int) -> dict[str, Value]:
    """The values that a trial tries; one that was interrupted here tries the same again."""
    found: dict[str, Value] = {}
    for name, one in parameters.items():
        trial.study.sampler = sampler_for(seed, trial.number, name)
        if one.kind == "choice":
            found[name] = trial.suggest_categorical(name, list(one.choices))
        else:
            found[name] = trial.suggest_float(name, one.low, one.high, log=one.kind == "log")
    return found


def is_stopped(
    own: Mapping[int, float], earlier: Sequence[Mapping[int, float]], epoch: int, epochs: int
) -> bool:
    """Whether a trial ends after this epoch, by asynchronous successive halving.

    At about 1/9 and 1/3 of the epochs a trial goes on if its score is among the best third of those
    that it and the trials before it had there (Li et al., A System for Massively Parallel
    Hyperparameter Tuning, MLSys 2020). It follows from the scores alone, so that a search that was
    interrupted decides alike. The first trial always goes on.

    Args:
        own: the trial's validation mAP by epoch.
        earlier: the same of every trial before it.
        epoch: the one that was just scored, from 1.
        epochs: of the recipe.
    """
    rung = math.ceil(epochs / REDUCTION**2)
    while rung < epoch:
        rung *= REDUCTION
    if epoch != rung or epoch >= epochs:
        return False
    there = sorted([own[epoch], *(one[epoch] for one in earlier if epoch in one)], reverse=True)
    return own[epoch] < there[max(len(there) // REDUCTION, 1) - 1]


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


def state_of(trial: FrozenTrial) -> str:
    """``complete``, ``pruned`` or ``diverged``."""
    if trial.state == TrialState.PRUNED:
        return "pruned"
    return "diverged" if trial.value == DIVERGED else "complete"


def spent(trials: Sequence[FrozenTrial]) -> dict[str, float]:
    """What trials used, those that were stopped or diverged included."""
    seconds = sum(t.user_attrs.get("seconds", 0.0) for t in trials)
    return {
        "trials": len(trials),
        "clips": sum(t.user_attrs.get("clips", 0) for t in trials),
        "hours": seconds / 3600,
    }


def summary_of(
    trials: Sequence[FrozenTrial],
    start: Mapping[str, Value] | None,
    parameters: Mapping[str, Parameter],
) -> dict:
    """What a report tells of one method's search.

    Args:
        trials: finished, in their order.
        start: the recipe's own values, which trial 0 had; None where they lie outside the space.
        parameters: what was chosen from.

    Raises:
        RuntimeError: no trial came to its end.
    """
    complete = [t for t in trials if state_of(t) == "complete"]
    if not complete:
        raise RuntimeError(
            f"all of {len(trials)} trials diverged: lower the upper end of lr by --search "
            "lr=log:1e-5:3e-4"
        )
    best = max(complete, key=lambda t: (t.value, -t.number))  # the earlier one wins a tie
    return {
        "trials": [_fields(t, start, parameters) for t in trials],
        "chosen": _values(best, start, parameters),
        "default_validation_mAP": trials[0].value if trials[0] is complete[0] else None,
        "chosen_validation_mAP": best.value,
        "spent": spent(trials),
    }


def _fields(
    trial: FrozenTrial, start: Mapping[str, Value] | None, parameters: Mapping[str, Parameter]
) -> dict:
    state, scores = state_of(trial), trial.intermediate_values
    value = trial.value if state == "complete" else None
    if state == "pruned":
        value = scores[max(scores)]
    return {
        "number": trial.number,
        "state": state,
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
    used = part["spent"]
    return (
        f"tuned: study {study}, space {space}, {used['trials']} trials, {used['clips']} clips, "
        f"{used['hours']:.2f} h; {in_words(part['chosen']) or 'the recipe as it stands'}"
    )
