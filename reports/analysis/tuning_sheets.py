"""Tables of the section on tuning."""

import math
from collections.abc import Sequence

import numpy as np

from reports.analysis.groups import Group
from reports.analysis.sheets import Cell, Column, Sheet, interval, points
from reports.analysis.tuning import NOT_SERVED, Change, at_border, changes, regret, scores
from reports.read.studies import Study, TunedMethod

BORDER = "‡"
_NOTES = (
    "mAP: validation, on held-out training identities; no test set was used",
    f"regret: tuned minus shared recipe, in points; over {100 * NOT_SERVED:.0f} the method is not "
    "served by the shared recipe",
    "trials: complete, pruned and diverged; a diverged one counts as 0",
)


def study_sheets(study: Study) -> list[Sheet]:
    """What a study found, and which settings it chose."""
    return [_regrets(study), _settings(study)]


def _regrets(study: Study) -> Sheet:
    methods = study.methods
    every = [scores(method.trials) for method in methods]
    columns = [
        Column("Method", [Cell(method.method) for method in methods], kind="name"),
        Column("Shared recipe (%)", [Cell(_percent(method.default_mAP)) for method in methods]),
        Column("Tuned (%)", [Cell(_percent(method.chosen_mAP)) for method in methods]),
        Column("Regret", [Cell(points(regret(method))) for method in methods]),
        Column("Verdict", [Cell(_verdict(method)) for method in methods], kind="words"),
        Column("Trials", [Cell(_counts(method)) for method in methods]),
        Column("Quartiles of trials (%)", [Cell(_quartiles(values)) for values in every]),
        Column("Clips", [Cell(f"{method.spent['clips']:,.0f}") for method in methods]),
        Column("Hours", [Cell(f"{method.spent['hours']:.1f}") for method in methods]),
    ]
    budget = ", ".join(f"{unit} {value}" for unit, value in study.budget.items())
    notes = [f"space {study.space}; budget of each method: {budget or 'not recorded'}", *_NOTES]
    columns = [column for column in columns if not column.is_blank]
    return Sheet(f"Shared recipe against tuned, study {study.name}", columns, notes)


def _settings(study: Study) -> Sheet:
    columns = [Column("Method", [Cell(m.method) for m in study.methods], kind="name")]
    at_any_border = False
    for parameter in study.parameters:
        cells = []
        for method in study.methods:
            value = method.chosen.get(parameter.name)
            on_border = at_border(parameter, value)
            at_any_border |= on_border
            cells.append(Cell(_value(value), sign=BORDER if on_border else ""))
        columns.append(Column(parameter.name, cells))
    notes = [
        f"{p.name}: {p.low:g} to {p.high:g}, {p.kind}"
        for p in study.parameters
        if p.kind != "choice"
    ]
    if at_any_border:
        notes.append(f"{BORDER} at the border of its range: a wider one may hold a better value")
    return Sheet(f"Chosen settings, study {study.name}", columns, notes)


def change_sheet(tuned: Group, tables: Sequence[Group]) -> Sheet | None:
    """Default against tuned on the test set; None where no method has both."""
    found = changes(tuned, tables)
    if not found:
        return None
    columns = [Column("Method", [Cell(change.method) for change in found], kind="name")]
    for title, spans in (
        ("Shared recipe", [change.default for change in found]),
        ("Tuned", [change.tuned for change in found]),
    ):
        columns.append(Column("mAP (%)", [Cell(_percent(s[0])) for s in spans], header=title))
        cells = [Cell(interval(low, high)) for _, low, high in spans]
        columns.append(Column("95 %", cells, header=title))
    columns.append(Column("Gain (points)", [Cell(points(c.gain[0])) for c in found]))
    columns.append(Column("Gain 95 %", [Cell(_gain_interval(change)) for change in found]))
    columns = [column for column in columns if not column.is_blank]
    notes = [
        "mAP on the test set, which no choice was made on",
        "95 %: bootstrap over test persons and seeds, for the gain over the same persons",
    ]
    return Sheet("Shared recipe against tuned, on the test set", columns, notes)


def _gain_interval(change: Change) -> str:
    _, low, high = change.gain
    return f"{points(low)} to {points(high)}" if low == low else ""


def _verdict(method: TunedMethod) -> str:
    if all(trial.state == "diverged" for trial in method.trials):
        return "every trial diverged"
    return "not served by the shared recipe" if regret(method) > NOT_SERVED else ""


def _counts(method: TunedMethod) -> str:
    states = [trial.state for trial in method.trials]
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))


def _quartiles(values: np.ndarray) -> str:
    if not len(values):
        return ""
    return " / ".join(f"{100 * q:.1f}" for q in np.quantile(values, [0.25, 0.5, 0.75]))


def _percent(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{100 * value:.1f}"


def _value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)
