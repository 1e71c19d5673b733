"""``zoo reproduce``: a paper's table again, measured beside printed."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.bench import Changes, DatasetName, DryRun, Limit, Protocols, RecipeName, Seeds
from zoo.cli.options import DataRoot, Device, Json, Precision, Workers

EXAMPLES = (
    "Examples: zoo reproduce stenvan/1 --dataset mars --data-root ~/data/mars --recipe paper | "
    "zoo reproduce sta/3 --dataset synthetic --seeds 2"
)


def reproduce(
    table: Annotated[str, typer.Argument(help="PAPER/TABLE, e.g. stenvan/1, sta/2, nlam/5.")],
    dataset: DatasetName = "synthetic",
    data_root: DataRoot = None,
    recipe: RecipeName = None,
    set_: Changes = None,
    seeds: Seeds = 1,
    protocol: Protocols = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Result folder [default: results/<paper>-<table>-<data set>-<recipe>]."),
    ] = None,
    device: Device = "auto",
    precision: Precision = "no",
    workers: Workers = 2,
    limit: Limit = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Run a printed table's rows and print measured beside printed, with the difference."""
    from benchmark.recipes import parse_changes
    from zoo.cli.display import Display, show
    from zoo.experiment import reproduce as tables
    from zoo.experiment.plan import Order

    cells, rows, why = tables.find(table, dataset)
    name = "-".join(filter(None, (table.replace("/", "-"), dataset, recipe)))
    order = Order(
        methods="",
        dataset=dataset,
        recipe=recipe,
        changes=parse_changes(set_ or ()),
        seeds=seeds,
        protocols=protocol,
        data_root=data_root,
        out=out or Path("results") / name.translate(str.maketrans("[]=,:/ ", "-------")),
        device=device,
        precision=precision,
        workers=workers,
        limit=limit,
        command=shlex.join(["zoo", *sys.argv[1:]]),
    )
    with Display() as display:
        for reason in why:
            display.note(f"left out: {reason}")
        planned = tables.plans(order, rows, display)
        if dry_run:
            show(_rows(planned), as_json=json)
            return 0
        failures = tables.execute(planned, display)
        for failure in failures:
            display.note(f"{failure.method}, seed {failure.seed}, failed: {failure.reason}")
    show(tables.beside(cells, planned), as_json=json, title=f"{table}: printed and measured")
    typer.echo(f"runs: {order.out}; `zoo report {order.out}` compares them", err=True)
    return 1 if failures else 0


def _rows(planned) -> list[dict]:
    return [
        {"row": row.number, "system": row.system, "method": row.method}
        | {"recipe": plan.runs[0][0].recipe, "out": str(plan.out)}
        for plan, group in planned
        for row in group
    ]
