"""``zoo compare``: finished runs side by side, query by query."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import DataRoot, Json, Plugin

EXAMPLES = """
zoo compare results/synthetic-quick --methods stenvan,sta
zoo compare results/a/runs/sta-1a2b3c4d5e6f results/b/runs/sta-0f1e2d3c4b5a -o sta-a-b
zoo compare results/mars-unified --label mars-ap3d --data-root ~/data/mars

Pages are compare.md and compare.html; runs that differ in the seed alone are one system.
"""


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Finished runs' folders, or result folders.")],
    methods: Annotated[
        str | None,
        typer.Option(help="Which of the runs found: names or wildcards, separated by commas."),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(help="Result label or protocol [default: the first that all runs have]."),
    ] = None,
    split: Annotated[
        int | None, typer.Option(min=0, help="Which split, where the runs are of several.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where to write [default: compare/ in the first folder]."),
    ] = None,
    data_root: DataRoot = None,
    plugin: Plugin = None,
    json: Json = False,
) -> int:
    """Compare finished runs: paired differences, the queries that differ most, and where."""
    from zoo.cli.display import show
    from zoo.experiment.live_progress import LiveProgress
    from zoo.tools.compare import compare as compare_runs

    with LiveProgress() as progress:
        found = compare_runs(
            *runs,
            methods=methods,
            label=label,
            split=split,
            data_root=data_root,
            progress=progress,
        )
        progress.advance("compare.html", 0, 1)
        written = found.report(out or runs[0] / "compare")
    show([_row(row) for row in found.table.to_dict("records")], as_json=json, title="points")
    for note in found.compared.notes:
        typer.echo(note, err=True)
    for path in written:
        if path.suffix != ".png":
            typer.echo(str(path), err=True)
    return 0


def _row(row: dict) -> dict:
    """A difference in points, with three digits of its p-values."""
    shown = {name: row[name] for name in ("a", "b", "metric")}
    for name in ("difference", "low", "high"):
        shown[name] = round(100 * row[name], 2) if row[name] == row[name] else None
    return shown | {name: round(row[name], 4) for name in ("p_bootstrap", "p_permutation")}
