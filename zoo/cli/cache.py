"""``zoo cache``: what fetched checkpoints lie here, and tidying up."""

from typing import Annotated

import typer

from zoo.cli.options import Json

EXAMPLES = """
zoo cache
zoo cache prune
zoo cache prune --all

Files that no table names and files that a person has converted are never deleted.
"""


def cache(
    action: Annotated[str, typer.Argument(help="list or prune.")] = "list",
    everything: Annotated[
        bool, typer.Option("--all", help="prune: also what is right and can be fetched again.")
    ] = False,
    json: Json = False,
) -> int:
    """List the checkpoints kept here, or delete wrong files and what interrupted pulls left."""
    from zoo.checkpoints.cache import cached_files, prune
    from zoo.checkpoints.config import read_settings
    from zoo.checkpoints.table import table
    from zoo.cli.display import show

    settings = read_settings()
    rows = table(settings)
    if action == "prune":
        found, busy = prune(rows, settings, everything=everything)
        for item in busy:
            typer.echo(f"{item.name} is being fetched by another process: left alone", err=True)
        total = sum(item.bytes for item in found) / 1e6
        typer.echo(f"{len(found)} deleted, {total:.1f} MB freed", err=True)
    elif action == "list":
        found = cached_files(rows, settings)
        typer.echo(f"in {settings.cache}: {len(found)}", err=True)
    else:
        raise ValueError(f"zoo cache {action!r}: expected list or prune")
    shown = [
        {"name": i.name, "state": i.state, "mb": round(i.bytes / 1e6, 2), "path": str(i.path)}
        for i in found
    ]
    show(shown, as_json=json)
    return 0
