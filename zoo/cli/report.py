"""``zoo report``: make a report from result folders."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
zoo report results/synthetic-quick
zoo report results/a results/b -o merged
zoo report results/a -o paper --format tex,csv
zoo report results/a --check
zoo report results/a -o docs/a --check

--check looks at hashes, seeds, labels and data, and ranks again from embeddings: docs/submitting.md
tells each. Exit status: 0 nothing is refused or stale, 1 something is.
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
        bool,
        typer.Option(
            "--check", help="Write nothing; say what of the records or the report cannot be shown."
        ),
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
    from zoo.experiment.live_progress import LiveProgress

    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is no folder: name what `zoo bench --out` wrote")
    wanted = tuple(name.strip() for name in formats.split(",") if name.strip())
    if check:
        return _check(folders, out, wanted, keep_unconverged)
    with LiveProgress() as progress:
        made = build.build(
            folders,
            out or folders[0],
            wanted,
            keep_unconverged=keep_unconverged,
            progress=progress,
        )
        for problem in made.problems:
            progress.note(f"left out: {problem}")
    for path in made.reports:
        print(path)
    return 1 if made.problems else 0


def _check(
    folders: list[Path], out: Path | None, formats: tuple[str, ...], keep_unconverged: bool
) -> int:
    from reports.build import stale
    from zoo.tools.check_results import check_results

    checked = check_results(folders)
    if out is None:  # records may be checked before a report is made of them
        formats = tuple(name for name in formats if (folders[0] / f"report.{name}").exists())
    old: list[str] = []
    if formats and checked.records:
        old = stale(folders, out or folders[0], formats, keep_unconverged=keep_unconverged)
    for line in (*checked.findings, *(f"stale: {one}" for one in old)):
        typer.echo(str(line), err=True)
    print(checked)
    return 1 if old or checked.refused else 0
