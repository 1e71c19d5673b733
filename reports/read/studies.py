"""Studies of hyperparameters, as a search leaves them in a result folder's ``tuning/``.

One JSON object a study, in ``tuning/<study>.json``::

    {"study": name,
     "space": {"name": "unified@1",
               "parameters": {name: {"kind": "log" | "linear" | "choice",
                                     "low": number, "high": number, "choices": [...]}}},
     "budget": {...},                       # what each method may spend, e.g. {"trials": 20}
     "methods": {method: {
         "trials": [{"number": 0, "state": "complete" | "pruned" | "diverged",
                     "values": {parameter: value}, "validation_mAP": fraction | null,
                     "clips": int, "seconds": number}],
         "chosen": {parameter: value},
         "default_validation_mAP": fraction | null,
         "chosen_validation_mAP": fraction | null,
         "spent": {"trials": int, "clips": int, "hours": number}}}}

``low`` and ``high`` belong to ``log`` and ``linear``, ``choices`` to ``choice``. Validation mAP is
that of held-out training identities; no test set is in such a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmark.files import read_object

STATES = ("complete", "pruned", "diverged")
KINDS = ("log", "linear", "choice")


class Parameter(NamedTuple):
    """One searched hyperparameter; ``low`` and ``high`` are NaN for a choice."""

    name: str
    kind: str
    low: float
    high: float


class Trial(NamedTuple):
    """One setting that was tried; ``validation_mAP`` is a fraction, or None if never measured."""

    number: int
    state: str
    validation_mAP: float | None


class TunedMethod(NamedTuple):
    """What a study found for one method; mAP are fractions, None where not measured."""

    method: str
    trials: tuple[Trial, ...]
    chosen: Mapping[str, object]
    default_mAP: float | None
    chosen_mAP: float | None
    spent: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Study:
    """One search over one space with one budget for each method.

    Attributes:
        name: of the study.
        space: name of the search space.
        parameters: what was searched.
        budget: what each method was allowed to spend, by its unit.
        methods: what was found, by method.
    """

    name: str
    space: str
    parameters: tuple[Parameter, ...]
    budget: Mapping[str, object]
    methods: tuple[TunedMethod, ...]


def load(path: Path) -> Study:
    """Read a study.

    Raises:
        ValueError: the file is none; the message says what is wrong, without the path.
    """
    try:
        data = read_object(path)
        space = data["space"]
        return Study(
            name=str(data["study"]),
            space=str(space["name"]),
            parameters=tuple(_parameter(name, p) for name, p in space["parameters"].items()),
            budget=dict(data["budget"]),
            methods=tuple(_method(name, m) for name, m in sorted(data["methods"].items())),
        )
    except (OSError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no study of hyperparameters: {error!r}") from None


def _parameter(name: str, data: dict) -> Parameter:
    if data["kind"] not in KINDS:
        raise ValueError(f"kind of {name} is {data['kind']!r}, expected {', '.join(KINDS)}")
    if data["kind"] == "choice":
        return Parameter(name, "choice", float("nan"), float("nan"))
    return Parameter(name, data["kind"], _number(data["low"]), _number(data["high"]))


def _method(name: str, data: dict) -> TunedMethod:
    return TunedMethod(
        name,
        tuple(_trial(trial) for trial in data["trials"]),
        dict(data["chosen"]),
        _fraction(data["default_validation_mAP"]),
        _fraction(data["chosen_validation_mAP"]),
        {unit: _number(data["spent"][unit]) for unit in ("trials", "clips", "hours")},
    )


def _trial(data: dict) -> Trial:
    if data["state"] not in STATES:
        raise ValueError(f"state of a trial is {data['state']!r}, expected {', '.join(STATES)}")
    return Trial(int(data["number"]), data["state"], _fraction(data["validation_mAP"]))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _fraction(value: object) -> float | None:
    if value is None:
        return None
    if not 0 <= _number(value) <= 1:
        raise ValueError(f"a validation mAP is {value!r}, expected a fraction between 0 and 1")
    return float(value)
