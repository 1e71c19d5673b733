"""``zoo publish``: from a finished run to a checkpoint that others can have."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import DataRoot, Device, Plugin, Workers, typed

EXAMPLES = """
zoo publish results/synthetic-quick/runs/stenvan-1a2b3c4d5e6f stenvan.synthetic
zoo publish RUN stenvan.mars-mine --data-root ~/data/mars --licence CC-BY-NC-4.0 --hub me/mars
zoo publish results/quick stenvan.synthetic --into zoo/checkpoints/weights
"""

Run = Annotated[
    Path, typer.Argument(help="A finished run, or a result folder with one of NAME's method.")
]
NewName = Annotated[str, typer.Argument(help="method.dataset or method.dataset-tag.")]
Licence = Annotated[
    str | None, typer.Option(help="SPDX name [default: Apache-2.0 on data that we make].")
]
Protocols = Annotated[str | None, typer.Option(help="Scoring rules [default: the data set's own].")]
Out = Annotated[Path | None, typer.Option(help="Folder to upload [default: published/NAME].")]
Into = Annotated[
    Path | None, typer.Option(help="Instead: a folder whose parent holds checkpoints.toml.")
]


def publish(
    run: Run,
    name: NewName,
    data_root: DataRoot = None,
    licence: Licence = None,
    note: Annotated[list[str] | None, typer.Option(help="What a user must know.")] = None,
    protocol: Protocols = None,
    out: Out = None,
    into: Into = None,
    hub: Annotated[str | None, typer.Option(help="Upload to owner/repository.")] = None,
    device: Device = "auto",
    workers: Workers = 2,
    plugin: Plugin = None,
) -> int:
    """Write safetensors, records and a model card, scored as loaded from the file."""
    from benchmark.device import choose_device
    from zoo.checkpoints import publish as publishing
    from zoo.experiment import finished as finishing
    from zoo.experiment.data import open_data_of
    from zoo.experiment.live_progress import LiveProgress
    from zoo.experiment.options import ExecutionOptions
    from zoo.experiment.resolve import choose_protocols

    if into is not None and (hub is not None or out is not None):
        raise ValueError("--into is for a table of one's own, --out and --hub for a folder")
    run = finishing.find_run(run, name)
    source = finishing.finished(run)
    finishing.check_name(name, source)
    licence = finishing.licence_of(source, licence)
    command = f"{source.summary['command']} && {typed()}"
    folder = into or out or Path("published") / name
    table = (into.resolve().parent if into else folder) / publishing.TABLE
    with LiveProgress() as progress:
        data = open_data_of(source, data_root, progress)
        made = finishing.publish_run(
            run,
            name,
            folder,
            table,
            dataset=data,
            licence=licence,
            notes=tuple(note or ()),
            options=ExecutionOptions(
                device=choose_device(device), workers=workers, command=command
            ),
            protocols=choose_protocols(protocol, data.protocol),
            progress=progress,
        )
        for line in made.lines:
            progress.note(line)
    if into is None:
        publishing.write_card(made)
    if hub is not None:
        typer.echo(f"uploaded: {publishing.upload(made, hub)}", err=True)
    print(table)
    return 0
