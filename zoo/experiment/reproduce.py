"""A paper's table again: the rows that are implemented, run and put beside the printed figures.

The printed table says which methods and, where it varies the clip's length, which frames; recipe,
data and rules of scoring are the user's choice, since most readers will not have the papers'.
"""

import dataclasses
import difflib
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark import published
from benchmark.files import write_whole
from benchmark.record import Record, load
from benchmark.variants import Variant, parse
from zoo.cli.display import Display
from zoo.experiment import plan as bench
from zoo.experiment.plan import Failure, Order, Plan
from zoo.experiment.spec import RunSpec

# what tells rows of one method apart beside their frames
TRAINED_AS = {
    ("sta", 1, 1): {"triplet": None},
    ("sta", 1, 2): {"triplet": 0.3},
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


def plans(order: Order, rows: Iterable[Row], display: Display) -> list[tuple[Plan, list[Row]]]:
    """One plan for the rows that are run and scored alike, in printed order; all into one folder.

    Raises:
        LookupError, ValueError, OSError: as `zoo.experiment.plan.plan`.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        key = json.dumps([row.changes, row.rerank], sort_keys=True)
        groups.setdefault(key, []).append(row)
    found: list[tuple[Plan, list[Row]]] = []
    for group in groups.values():
        methods = ",".join(dict.fromkeys(row.method for row in group))
        changes = order.changes | group[0].changes
        asked = dataclasses.replace(order, methods=methods, changes=changes, rerank=group[0].rerank)
        plan = bench.plan(asked, display)
        if found:
            plan = dataclasses.replace(plan, out=found[0][0].out)
        found.append((plan, group))
    return found


def execute(planned: list[tuple[Plan, list[Row]]], display: Display) -> list[Failure]:
    """Carry out all plans; runs that differ in test clips alone are trained once."""
    failures, trained = [], {}
    for plan, _ in planned:
        for spec, _ in plan.runs:
            key = _training(spec)
            folder = plan.out / "runs" / spec.folder
            if key in trained and not (folder / "weights.safetensors").is_file():
                _copy(plan.out / "runs" / trained[key], folder)
            trained.setdefault(key, spec.folder)
        failures += bench.execute(plan, display)
    return failures


def _training(spec: RunSpec) -> str:
    """What decides a run's weights: all but the test clips and the distance."""
    settings = {k: v for k, v in spec.settings.items() if k not in ("test_frames", "distance")}
    told = spec.as_dict() | {"settings": settings, "recipe": "", "checkpoint": spec.checkpoint}
    return json.dumps(told, sort_keys=True, default=str)


def _copy(source: Path, folder: Path) -> None:
    """Give a run the weights of another that is trained alike, if that one is finished."""
    taken = [source / name for name in ("weights.safetensors", "training.json")]
    if all(path.is_file() for path in taken):
        for path in taken:
            write_whole(folder / path.name, lambda part, path=path: shutil.copyfile(path, part))


def beside(cells: pd.DataFrame, planned: list[tuple[Plan, list[Row]]]) -> list[dict]:
    """One row a printed cell: printed, measured (mean over seeds and splits), and the difference.

    Figures of another data set than the measured one are put beside it, too, and say so.
    """
    found = []
    for plan, rows in planned:
        for row in rows:
            (name,) = bench.expand_methods(row.method)
            specs = [spec for spec, _ in plan.runs if _asked(spec) == name]
            records = [one for spec in specs for one in _records(plan, spec, row.rerank)]
            for label in dict.fromkeys(record.label for record in records):
                same = [record for record in records if record.label == label]
                found += _cells(cells[cells["row"] == row.number], row, label, same)
    return sorted(found, key=lambda one: (one["label"], one["row"]))


def _records(plan: Plan, spec: RunSpec, rerank: str | None) -> list[Record]:
    """A run's records with that re-ranking, or none; a sweep's points are not asked for here."""
    folder, extra = plan.out / "runs" / spec.folder / "records", [rerank] if rerank else []
    records = [load(path) for path in sorted(folder.glob("*.json"))]
    return [
        one
        for one in records
        if one.fingerprint == spec.fingerprint and one.label.split("/")[3:] == extra
    ]


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
