"""How a benchmark ends: its leaderboards, where the report is, and what to type next."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmark.progress import Progress
from reports.analysis import sheets
from reports.analysis.cautions import cautions
from reports.analysis.groups import Group
from reports.analysis.headlines import plain_headline
from reports.analysis.markup import plain
from reports.build import Report, build
from reports.formats import exports
from zoo.cli.display import fits, show, tell
from zoo.experiment.execute import Failure
from zoo.experiment.folder import RunFolder
from zoo.experiment.plan import Plan

# columns that a narrow terminal goes without, the first one first; the report has them all
SPARE = (
    *("Peak memory (MB)", "Clips/s", "R20 (%)", "R10 (%)", "mINP (%)", "R5 (%)", "Latency (ms)"),
    *("Params (M)", "Group", "Seeds", "R1 95 %", "GMACs", "mAP 95 %"),
)
PIPED = ("dataset", "training", "label", "name", "runs", "mAP", "mAP_low", "mAP_high")
PIPED += ("R1", "R1_low", "R1_high", "params_m", "gmacs", "latency_ms", "clips_per_s")


def finish(plan: Plan, failures: Sequence[Failure], progress: Progress) -> Report:
    """Write the report on a plan's result folder, and say what is not in it."""
    report = build([plan.out], plan.out, progress=progress)
    for problem in report.problems:
        progress.note(f"left out of the report: {problem}")
    for failure in failures:
        progress.note(str(failure))
    return report


def end_with(report: Report, plan: Plan) -> None:
    """Print the tables that runs of the plan stand in, as the report has them.

    Args:
        report: on the plan's result folder.
        plan: what was carried out.
    """
    ids = {run.spec.id for run in plan.runs}
    tables = [group for group in report.tables if ids & set(group.records["run"])]
    if sys.stdout.isatty():
        for group in tables:
            _leaderboard(group, tables)
    else:
        show(_numbers(tables), as_json=False)
    for path in report.reports:
        print(f"report: {path}", file=sys.stderr)
    for line in _next(tables, plan):
        print(f"next: {line}", file=sys.stderr)


def _leaderboard(group: Group, tables: Sequence[Group]) -> None:
    """One table in words: best mAP first, with intervals and what makes it doubtful."""
    columns = [*sheets.accuracy(group), *sheets.costs(group)]
    rows = [
        {column.title: _words(cell) for column, cell in zip(columns, cells, strict=True)}
        for cells in zip(*(column.cells for column in columns), strict=True)
    ]
    for title in SPARE:
        if fits(rows):
            break
        rows = [{name: text for name, text in row.items() if name != title} for row in rows]
    show(rows, as_json=False, title=plain_headline(group.key, tables))
    for line in (*map(plain, cautions(group)), *_legend(group, rows)):
        tell(line)
    print()


def _words(cell: sheets.Cell) -> str:
    tie = "≈" if cell.mark == "tie" else ""
    return " ".join(part for part in (cell.text, tie, cell.sign) if part)


def _legend(group: Group, rows: Sequence[dict]) -> list[str]:
    """What the signs in these cells mean, as the report says it."""
    shown = " ".join(text for row in rows for text in row.values())
    notes = [*sheets.accuracy_notes(group, "of runs"), *sheets.cost_notes(group)]
    signs = ("±", "≈", sheets.SIGN, "†", *"¹²³⁴⁵⁶⁷⁸⁹")
    return [note for note in notes if note[0] in signs and note[0] in shown]


def _numbers(tables: Sequence[Group]) -> list[dict]:
    """A row a method; scores in percent, as the other commands print them."""
    found = exports.frame(tables)[list(PIPED)]
    percent = [name for name in PIPED if name.startswith(("mAP", "R1"))]
    found[percent] = (100 * found[percent].astype(float)).round(2)
    found = found.astype(object).where(found.notna(), None)
    return found.to_dict("records")


def _next(tables: Sequence[Group], plan: Plan) -> list[str]:
    """Commands for what people look at next."""
    done = [run for run in plan.runs if RunFolder.of(run.spec, plan.out).records.is_dir()]
    if not done:
        return []
    order = {run: i for group in reversed(tables) for i, run in enumerate(_best_first(group))}
    best = min(done, key=lambda run: order.get(run.spec.id, len(order)))
    lines = [_command("inspect", RunFolder.of(best.spec, plan.out).path, "--worst", "5")]
    if len({run.spec.method for run in done}) > 1:
        lines.append(_command("compare", plan.out))
    return lines


def _best_first(group: Group) -> list[str]:
    """Ids of the runs behind a table, in the order of its rows."""
    return [run for name in group.rows["name"] for run in group.by_name[name]["run"]]


def _command(name: str, path: Path, *more: str) -> str:
    return shlex.join(["zoo", name, str(path), *more])
