"""Options that several commands share, so that each is worded once."""

from pathlib import Path
from typing import Annotated

import typer

Methods = Annotated[str, typer.Option(help="Methods, separated by commas; wildcards; all.")]
DataRoot = Annotated[Path | None, typer.Option(help="Folder that holds the data set.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Precision = Annotated[str, typer.Option(help="no (float32), fp16 or bf16.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes that load images.")]
Plugin = Annotated[list[str] | None, typer.Option(help="Module with further METHODS or DATASETS.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="A checkpoint; `zoo list checkpoints` shows all.")]
Offline = Annotated[bool, typer.Option("--offline", help="Use no network.")]
Rerank = Annotated[
    str | None,
    typer.Option(help="Score again after re-ranking: kr, kr(20,6,0.3), kr-torchreid, kr-dup."),
]
