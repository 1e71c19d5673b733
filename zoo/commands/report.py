"""``zoo report``: make a report from result folders."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = "Examples: zoo report results/synthetic-quick | zoo report results/a results/b -o merged"


def report(
    folders: Annotated[list[Path], typer.Argument(help="Result folders; several are merged.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write [default: the first folder].")
    ] = None,
) -> int:
    """Write report.md and its figures from the records in result folders."""
    from reports.build import build

    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is no folder: name what `zoo bench --out` wrote")
    made = build(folders, out or folders[0])
    for problem in made.problems:
        typer.echo(f"left out: {problem}", err=True)
    print(made.path)
    return 1 if made.problems else 0
