"""``zoo inspect``: film strips of what a run retrieved, and where its method looked."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import DataRoot, Device, Plugin

EXAMPLES = """
zoo inspect results/synthetic-quick/runs/sta-1a2b3c4d5e6f --worst 10
zoo inspect RUN --query 12 --query 40 --label mars-torchreid --data-root ~/data/mars

The pictures lie in RUN/inspect, and `zoo report` shows them.
"""


def inspect(
    run: Annotated[Path, typer.Argument(help="A finished run's folder.")],
    query: Annotated[
        list[int] | None, typer.Option(help="Test row of a query, as in records/*.csv.")
    ] = None,
    worst: Annotated[
        int | None, typer.Option(min=1, help="The queries of lowest AP [default: 3].")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Result label or protocol [default: the data set's own].")
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=50, help="Tracks shown of each ranking.")] = 10,
    data_root: DataRoot = None,
    device: Device = "auto",
    plugin: Plugin = None,
) -> int:
    """Show queries, what was retrieved for them, and the method's own attention."""
    from benchmark.device import choose_device
    from benchmark.label import Label
    from reports.figures.film_strips import pictures
    from reports.read import inspection
    from zoo.experiment.live_progress import LiveProgress
    from zoo.tools import inspect_query
    from zoo.tools.inspected_run import choose_queries, open_run

    found = open_run(run, label, data_root)
    default = 0 if query else 3
    rows = choose_queries(found, query or (), default if worst is None else worst)
    out = found.run.folder.inspection(Label.parse(found.record.label))
    with LiveProgress() as progress:
        made = inspect_query.inspect(
            found, rows, top=top, device=choose_device(device), progress=progress
        )
        for one in made:
            inspection.save(one, out)
            for path in pictures(one, out):
                print(path)
            for note in one.notes:
                typer.echo(f"query {one.query}: {note}", err=True)
    return 0
