"""``zoo convert``: other people's checkpoints into ours."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.help import Command, Commands

# as `zoo.checkpoints.released.RELEASED`, which loads torch, and help must not
NAMES = (
    "resnet50_avg", "nvan", "stenvan", "ap3d", "ap3d_nl", "bicnet_tks", "cosam", "cosam_ta",
    "cosam_rnn", "cosam_se", "cosam_se_ta", "cosam_se_rnn", "psta", "sinet", "sbnet", "idnet",
    "sanet", "tclnet", "tf_clip_mars", "tf_clip_lsvid", "tf_clip_ilids_vid",
)  # fmt: skip

app = typer.Typer(
    help="Convert other people's checkpoints.",
    no_args_is_help=True,
    rich_markup_mode=None,
    cls=Commands,
)


@app.callback()
def convert() -> None:
    """Convert other people's checkpoints."""


@app.command(cls=Command, epilog="zoo convert released NVAN.pth --as nvan --out nvan.safetensors")
def released(
    file: Annotated[
        Path, typer.Argument(help="The authors' .pth file; nothing in it is executed.")
    ],
    name: Annotated[str, typer.Option("--as", help=f"Which network it is: {', '.join(NAMES)}.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write [default: beside FILE].")
    ] = None,
) -> int:
    """Convert a checkpoint that a paper's authors released to safetensors."""
    from zoo.checkpoints.convert import write

    weights, row, dropped = write(name, file, out or file.with_suffix(".safetensors"))
    for line in dropped:
        typer.echo(f"left out {line}", err=True)
    print(weights)
    print(row)
    return 0
