"""``zoo convert``: other people's checkpoints into ours."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Convert other people's checkpoints.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def convert() -> None:
    """Convert other people's checkpoints."""


@app.command(epilog="Example: zoo convert released NVAN.pth --as nvan --out nvan.safetensors")
def released(
    file: Annotated[
        Path, typer.Argument(help="The authors' .pth file; nothing in it is executed.")
    ],
    name: Annotated[str, typer.Option("--as", help="nvan, stenvan or resnet50_avg.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write [default: beside FILE].")
    ] = None,
) -> int:
    """Convert a released STE-NVAN checkpoint to safetensors."""
    from zoo.checkpoints.convert import write

    weights, row, dropped = write(name, file, out or file.with_suffix(".safetensors"))
    for line in dropped:
        typer.echo(f"left out {line}", err=True)
    print(weights)
    print(row)
    return 0
