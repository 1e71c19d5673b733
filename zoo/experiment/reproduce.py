"""A paper's table again: the rows that can be run, run and put beside the printed figures.

The printed table says which methods (`zoo.experiment.printed_rows`); recipe, data and rules of
scoring are the user's choice, since most readers will not have the papers'.
"""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from benchmark.label import Label
from benchmark.progress import SILENT, Progress
from benchmark.record import Record
from benchmark.variants import Variant, parse
from zoo.experiment import execute as executing
from zoo.experiment.engines.job import Engine
from zoo.experiment.engines.local import LOCAL
from zoo.experiment.execute import Failure
from zoo.experiment.folder import RunFolder
from zoo.experiment.plan import Plan, PlannedRun, plan
from zoo.experiment.printed_rows import Row
from zoo.experiment.request import BenchRequest
from zoo.experiment.resolve import Unfit, expand_methods
from zoo.experiment.spec import RunSpec


class RowPlan(NamedTuple):
    """The rows that are run and scored alike, and their plan."""

    plan: Plan
    rows: list[Row]


def plans(
    request: BenchRequest,
    rows: Iterable[Row],
    progress: Progress = SILENT,
    engine: Engine = LOCAL,
) -> list[RowPlan]:
    """One plan for the rows that are run and scored alike, in printed order; all into one folder.

    A row whose method does not take the recipe's clips, or the weights that it is to start from, is
    left out, and its reason told.

    Raises:
        LookupError, ValueError, OSError: as `zoo.experiment.plan.plan`; ValueError also if no row
            is left.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        key = json.dumps([row.changes, row.rerank], sort_keys=True)
        groups.setdefault(key, []).append(row)
    found: list[RowPlan] = []
    unfit: list[Unfit] = []
    for group in groups.values():
        one = _group_plan(request, group, unfit, progress, engine)
        if one and found:
            one = one._replace(plan=dataclasses.replace(one.plan, out=found[0].plan.out))
        found += [one] if one else []
    if not found:
        raise ValueError(f"no row of the table can be run: {unfit[0]}")
    return found


def _group_plan(
    request: BenchRequest,
    rows: list[Row],
    unfit: list[Unfit],
    progress: Progress,
    engine: Engine,
) -> RowPlan | None:
    """The plan of rows that are run alike, less those that do not fit; None if none does."""
    changes = {**request.changes, **rows[0].changes}
    while rows:
        methods = ",".join(dict.fromkeys(row.method for row in rows))
        asked = dataclasses.replace(
            request, methods=methods, changes=changes, rerank=rows[0].rerank
        )
        try:
            return RowPlan(plan(asked, progress, engine), rows)
        except Unfit as error:
            unfit.append(error)
            for row in rows:
                if expand_methods(row.method) == [error.method]:
                    progress.note(f"left out: {row.system}: {error}")
            rows = [row for row in rows if expand_methods(row.method) != [error.method]]
    return None


def execute(
    planned: Sequence[RowPlan], progress: Progress = SILENT, engine: Engine = LOCAL
) -> list[Failure]:
    """Carry out all plans; rows that differ in test clips alone are one run, trained once."""
    return executing.execute(as_one(planned), progress, engine)


def compare(cells: pd.DataFrame, planned: Iterable[RowPlan]) -> list[dict]:
    """One row a printed cell: printed, measured (mean over seeds and splits), and the difference.

    Figures of another data set than the measured one are put beside it, too, and say so.
    """
    found = []
    for one in planned:
        for row in one.rows:
            records = [entry for run in runs_of(one, row) for entry in _records(one.plan, run)]
            for label in dict.fromkeys(record.label for record in records):
                same = [record for record in records if record.label == label]
                found += _cells(cells[cells["row"] == row.number], row, label, same)
    return sorted(found, key=lambda cell: (cell["label"], cell["row"]))


def runs_of(planned: RowPlan, row: Row) -> list[PlannedRun]:
    """The runs behind a row."""
    (name,) = expand_methods(row.method)
    return [run for run in planned.plan.runs if _asked(run.spec) == name]


def as_one(planned: Sequence[RowPlan]) -> Plan:
    """All runs as one plan; rows that differ in test clips alone share theirs."""
    runs = tuple(run for one in planned for run in one.plan.runs)
    return dataclasses.replace(planned[0].plan, runs=runs)


def _records(plan: Plan, run: PlannedRun) -> list[Record]:
    """A run's records under the row's own frames, distance and re-ranking, on its own data."""
    scoring, spec = run.scoring, run.spec
    rule = str(spec.trained_by().rule_of(scoring.evaluation))
    wanted = (scoring.evaluation.distance, rule, scoring.rerank)
    return [
        record
        for record in RunFolder.of(spec, plan.out).read_records()
        if record.fingerprint == spec.fingerprint and _rules(record.label) == wanted
    ]


def _rules(label: str) -> tuple[str, str, str | None]:
    found = Label.parse(label)
    return found.distance, found.frames, found.rerank


def _asked(spec: RunSpec) -> str:
    """The method as it was asked for: a paper's recipe may add to it how the stem is built."""
    built = parse(spec.method)
    asked = {k: v for k, v in built.arguments.items() if k != "stem_activation"}
    return str(Variant(built.name, asked))


def _cells(cells: pd.DataFrame, row: Row, label: str, records: list[Record]) -> list[dict]:
    found = []
    for cell in cells.to_dict("records"):
        if cell["metric"] == "GFLOP":
            values = [record.cost["gmacs"] for record in records]
        else:
            values = [100 * record.metrics[cell["metric"]] for record in records]
        measured = sum(values) / len(values)
        found.append(
            {
                "row": row.number,
                "system": row.system,
                "method": row.method,
                "recipe": records[0].recipe,
                "runs": len(records),
                "label": label,
                "metric": cell["metric"],
                "printed_on": None if pd.isna(cell["dataset"]) else cell["dataset"],
                "printed": cell["value"],
                "measured_on": records[0].dataset,
                "measured": round(measured, 2),
                "difference": round(measured - cell["value"], 2),
            }
        )
    return found
