"""``zoo reproduce``: a paper's table again, measured beside printed."""

import dataclasses
import shlex
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import (
    Address,
    AtOnce,
    Changes,
    CpusPerRun,
    DataRoot,
    DatasetName,
    Device,
    DryRun,
    EngineName,
    GpusPerRun,
    Json,
    Limit,
    Plugin,
    Precision,
    ProcessesPerRun,
    Protocols,
    RecipeName,
    Seeds,
    Workers,
    request_of,
)

EXAMPLES = """
zoo reproduce stenvan/1 --dataset mars --data-root ~/data/mars --recipe paper
zoo reproduce sta/3 --dataset synthetic --seeds 2
zoo reproduce resnet3d/3 --dataset mars --data-root ~/data/mars --start kinetics=my.safetensors
"""


def reproduce(
    context: typer.Context,
    table: Annotated[str, typer.Argument(help="PAPER/TABLE, e.g. stenvan/1, sta/2, nlam/5.")],
    dataset: DatasetName = "synthetic",
    data_root: DataRoot = None,
    recipe: RecipeName = None,
    set_: Changes = None,
    start: Annotated[
        list[str] | None,
        typer.Option(
            help="kinetics=RUN|FILE, reid=… or mars=…: weights for the rows printed from such."
        ),
    ] = None,
    seeds: Seeds = 1,
    protocol: Protocols = None,
    out: Annotated[
        Path | None,
        typer.Option(
            path_type=Path,
            help="Result folder [default: results/<paper>-<table>-<data set>-<recipe>].",
        ),
    ] = None,
    device: Device = "auto",
    precision: Precision = "no",
    workers: Workers = 2,
    limit: Limit = None,
    plugin: Plugin = None,
    engine: EngineName = "local",
    address: Address = "local",
    gpus_per_run: GpusPerRun = 1.0,
    cpus_per_run: CpusPerRun = None,
    at_once: AtOnce = None,
    processes_per_run: ProcessesPerRun = 1,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Run a printed table's rows and print measured beside printed, with the difference."""
    from zoo.cli.display import show
    from zoo.experiment import printed_rows
    from zoo.experiment import reproduce as tables
    from zoo.experiment.engines.choose import open_engine
    from zoo.experiment.live_progress import LiveProgress
    from zoo.experiment.plan import result_folder

    cells, rows, why = printed_rows.find(table, dataset, _starts(start or []))
    name = "-".join(filter(None, (table, dataset, recipe)))
    request = request_of(context, out=out or result_folder(name))
    with LiveProgress() as progress, open_engine(request.engine) as opened:
        for reason in why:
            progress.note(f"left out: {reason}")
        planned = tables.plans(request, rows, progress, opened)
        if dry_run:
            return _dry_run(planned, progress, json)
        failures = tables.execute(planned, progress, opened)
        for failure in failures:
            progress.note(str(failure))
    show(tables.compare(cells, planned), as_json=json, title=f"{table}: printed and measured")
    typer.echo(f"runs: {request.out}", err=True)
    typer.echo(f"next: zoo report {shlex.quote(str(request.out))}", err=True)
    return 1 if failures else 0


def _starts(texts: list[str]) -> dict[str, str]:
    """``["kinetics=FILE"]`` as a dict."""
    starts = {}
    for text in texts:
        name, equals, weights = text.partition("=")
        if not (name and equals and weights):
            raise ValueError(f"--start {text!r} is not NAME=WEIGHTS, e.g. kinetics=my.safetensors")
        starts[name] = weights
    return starts


def _dry_run(planned, progress, json: bool) -> int:
    """Rows with the hours that their runs will take; a run that rows share counts once in all."""
    from zoo.cli.display import show
    from zoo.experiment.estimate import describe, estimates
    from zoo.experiment.reproduce import as_one, runs_of

    whole = as_one(planned)
    runs = tuple({run.spec.id: run for run in whole.runs}.values())
    whole = dataclasses.replace(whole, runs=runs)
    found = estimates(whole, progress)
    seconds = {run.spec.id: one.seconds for run, one in zip(runs, found, strict=True)}
    rows = [
        {
            "row": row.number,
            "system": row.system,
            "method": row.method,
            "recipe": one.plan.runs[0].spec.recipe,
            "hours": round(sum(seconds[run.spec.id] for run in runs_of(one, row)) / 3600, 2),
            "out": str(one.plan.out),
        }
        for one in planned
        for row in one.rows
    ]
    show(rows, as_json=json)
    progress.note(describe(whole, found))
    return 0
