"""A paper's table again: the rows that are implemented, run and put beside the printed figures.

The printed table says which methods and, where it varies the clip's length, which frames; recipe,
data and rules of scoring are the user's choice, since most readers will not have the papers'.
"""

import dataclasses
import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from benchmark import published
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
from zoo.experiment.request import BenchRequest
from zoo.experiment.resolve import expand_methods
from zoo.experiment.spec import RunSpec

# what tells rows of one method apart beside their frames
TRAINED_AS = {
    ("sta", 1, 1): {"losses": ("cross_entropy",)},
    ("sta", 1, 2): {"losses": ("cross_entropy", "triplet"), "triplet": 0.3},
}
LEFT_OUT = {
    ("resnet3d", 3, 2): "starts from weights of image re-identification that nobody released",
    ("resnet3d", 3, 3): "starts from weights of Kinetics for a network that nobody released",
}
RERANKED = {("sta", 4, 12): "kr(20,6,0.3)"}
SAME_WEIGHTS = {("sta", 2)}  # rows differ in the frames of test clips alone


@dataclass(frozen=True, kw_only=True)
class Row:
    """A printed row that can be run.

    Attributes:
        number: from 1 in printed order.
        system: as printed.
        method: ours.
        changes: of the recipe, beside the user's own.
        rerank: it is scored after this re-ranking.
    """

    number: int
    system: str
    method: str
    changes: dict[str, object]
    rerank: str | None = None


def find(text: str, dataset: str) -> tuple[pd.DataFrame, list[Row], list[str]]:
    """The printed cells of a table, its rows that can be run, and why others cannot.

    Args:
        text: ``PAPER/TABLE``, e.g. ``stenvan/1``.
        dataset: the user's; where a table has figures of it, only those count.

    Raises:
        LookupError: there is no such table; the message names those there are.
    """
    cells = published.load()
    tables = dict.fromkeys(f"{p}/{t}" for p, t in zip(cells["paper"], cells["table"], strict=True))
    if text not in tables:
        close = difflib.get_close_matches(text, tables, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise LookupError(f"there is no table {text!r}: expected one of {', '.join(tables)}.{hint}")
    paper, table = text.split("/")
    cells = cells[(cells["paper"] == paper) & (cells["table"] == int(table))]
    own = cells["dataset"] == dataset.partition("[")[0]
    if own.any():
        cells = cells[own | cells["dataset"].isna()]
    rows, why = _rows(paper, int(table), cells)
    if not rows:
        raise LookupError(f"table {text} has no row that is implemented: {'; '.join(why)}")
    return cells, rows, why


def _rows(paper: str, table: int, cells: pd.DataFrame) -> tuple[list[Row], list[str]]:
    lines = cells[["row", "system", "frames", "method"]].drop_duplicates("row")
    lengths = lines.groupby("method")["frames"].nunique()
    rows, why = [], []
    for line in lines.to_dict("records"):
        number, system, method = line["row"], line["system"], line["method"]
        reason = LEFT_OUT.get((paper, table, number))
        if pd.isna(method):
            reason = "is not implemented"
        if reason:
            why.append(f"{system} {reason}")
            continue
        changes = dict(TRAINED_AS.get((paper, table, number), {}))
        if lengths[method] > 1 and (paper, table) in SAME_WEIGHTS:
            changes["test_frames"] = f"chunk-first{line['frames']}"
        elif lengths[method] > 1:
            changes["frames"] = int(line["frames"])
        rerank = RERANKED.get((paper, table, number))
        rows.append(
            Row(number=number, system=system, method=method, changes=changes, rerank=rerank)
        )
    return rows, why


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

    Raises:
        LookupError, ValueError, OSError: as `zoo.experiment.plan.plan`.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        key = json.dumps([row.changes, row.rerank], sort_keys=True)
        groups.setdefault(key, []).append(row)
    found: list[RowPlan] = []
    for group in groups.values():
        methods = ",".join(dict.fromkeys(row.method for row in group))
        changes = {**request.changes, **group[0].changes}
        asked = dataclasses.replace(
            request, methods=methods, changes=changes, rerank=group[0].rerank
        )
        planned = plan(asked, progress, engine)
        if found:
            planned = dataclasses.replace(planned, out=found[0].plan.out)
        found.append(RowPlan(planned, group))
    return found


def execute(
    planned: Sequence[RowPlan], progress: Progress = SILENT, engine: Engine = LOCAL
) -> list[Failure]:
    """Carry out all plans; rows that differ in test clips alone are one run, trained once."""
    runs = tuple(run for one in planned for run in one.plan.runs)
    whole = dataclasses.replace(planned[0].plan, runs=runs)
    return executing.execute(whole, progress, engine)


def compare(cells: pd.DataFrame, planned: Iterable[RowPlan]) -> list[dict]:
    """One row a printed cell: printed, measured (mean over seeds and splits), and the difference.

    Figures of another data set than the measured one are put beside it, too, and say so.
    """
    found = []
    for one in planned:
        for row in one.rows:
            (name,) = expand_methods(row.method)
            runs = [run for run in one.plan.runs if _asked(run.spec) == name]
            records = [entry for run in runs for entry in _records(one.plan, run)]
            for label in dict.fromkeys(record.label for record in records):
                same = [record for record in records if record.label == label]
                found += _cells(cells[cells["row"] == row.number], row, label, same)
    return sorted(found, key=lambda cell: (cell["label"], cell["row"]))


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
