"""``zoo report``: make a report from result folders."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
zoo report results/synthetic-quick
zoo report results/a results/b -o merged
zoo report results/a -o paper --format tex,csv
zoo report results/a -o docs/a --check
"""


def report(
    folders: Annotated[list[Path], typer.Argument(help="Result folders; several are merged.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write [default: the first folder].")
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", help="Of md, html, tex, csv, json, separated by commas.")
    ] = "md,html",
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if the report there is stale.")
    ] = False,
    keep_unconverged: Annotated[
        bool,
        typer.Option(
            "--keep-unconverged", help="Methods that did not converge stand on Pareto fronts, too."
        ),
    ] = False,
) -> int:
    """Write a report and its figures from the records in result folders."""
    from reports import build

    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is no folder: name what `zoo bench --out` wrote")
    wanted = tuple(name.strip() for name in formats.split(",") if name.strip())
    if check:
        return _check(folders, out or folders[0], wanted, keep_unconverged)
    made = build.build(folders, out or folders[0], wanted, keep_unconverged=keep_unconverged)
    for problem in made.problems:
        typer.echo(f"left out: {problem}", err=True)
    for path in made.reports:
        print(path)
    return 1 if made.problems else 0


def _check(folders: list[Path], out: Path, formats: tuple[str, ...], keep_unconverged: bool) -> int:
    from reports.build import stale

    found = stale(folders, out, formats, keep_unconverged=keep_unconverged)
    for line in found:
        typer.echo(f"stale: {line}", err=True)
    return 1 if found else 0
