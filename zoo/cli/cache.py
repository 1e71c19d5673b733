"""``zoo cache``: what lies here that was fetched or rendered, and tidying up."""

from typing import TYPE_CHECKING, Annotated

import typer

from zoo.cli.options import Json

if TYPE_CHECKING:
    from benchmark.datasets.cached_data import CachedData
    from zoo.checkpoints.cache import CachedFile

EXAMPLES = """
zoo cache
zoo cache prune --dry-run
zoo cache prune --all --kind data --unused 30

Files that no table names and files that a person has converted are never deleted. Let no bench read
a rendered set while it is deleted.
"""
KINDS = ("checkpoint", "data", "index")
DAY = 24 * 3600


def cache(
    action: Annotated[str, typer.Argument(help="list or prune.")] = "list",
    everything: Annotated[
        bool, typer.Option("--all", help="prune: also what is right and can be had again.")
    ] = False,
    kind: Annotated[
        str | None, typer.Option(help="checkpoint, data (rendered) or index [default: all].")
    ] = None,
    unused: Annotated[
        float, typer.Option(min=0, help="Only what was not used for so many days.")
    ] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="prune: list what would be deleted and stop.")
    ] = False,
    json: Json = False,
) -> int:
    """List checkpoints, rendered data and indexes kept here, or delete what is of no use."""
    import time

    from benchmark.datasets import cached_data
    from benchmark.files import cache_root
    from benchmark.variants import choose
    from zoo.checkpoints import cache as checkpoints
    from zoo.checkpoints.config import read_settings
    from zoo.checkpoints.table import table
    from zoo.cli.display import show

    if action not in ("list", "prune"):
        raise ValueError(f"zoo cache {action!r}: expected list or prune")
    if kind is not None:
        choose(kind, dict.fromkeys(KINDS), "kind")
    settings = read_settings()
    files = checkpoints.cached_files(table(settings), settings)
    found: list[CachedFile | CachedData] = [*files, *cached_data.cached_data()]
    latest = time.time() - unused * DAY
    found = [i for i in found if i.used <= latest and kind in (None, i.kind)]
    if action == "list":
        places = f"{settings.cache} and {cache_root()}"
        typer.echo(f"in {places}: {len(found)}, {_megabytes(found)}", err=True)
    else:
        found = [i for i in found if _may_go(i, everything)]
        if not dry_run:
            gone = [i for i in found if _delete(i)]
            for item in (i for i in found if i not in gone):
                typer.echo(f"{item.name} is in use by another process: left alone", err=True)
            found = gone
        word = "would be deleted" if dry_run else "deleted"
        typer.echo(f"{len(found)} {word}, {_megabytes(found)}", err=True)
    show([_row(item) for item in found], as_json=json)
    return 0


def _may_go(item: "CachedFile | CachedData", everything: bool) -> bool:
    from benchmark.datasets.cached_data import USELESS, CachedData
    from zoo.checkpoints.cache import may_go

    if isinstance(item, CachedData):
        return everything or item.state in USELESS
    return may_go(item, everything=everything)


def _delete(item: "CachedFile | CachedData") -> bool:
    from benchmark.datasets import cached_data
    from zoo.checkpoints import cache as checkpoints
    from zoo.checkpoints.config import read_settings

    if isinstance(item, cached_data.CachedData):
        return cached_data.delete(item)
    return checkpoints.delete(item, read_settings())


def _megabytes(found: "list[CachedFile | CachedData]") -> str:
    return f"{sum(item.bytes for item in found) / 1e6:.1f} MB"


def _row(item: "CachedFile | CachedData") -> dict:
    import datetime

    return {
        "kind": item.kind,
        "name": item.name,
        "state": item.state,
        "mb": round(item.bytes / 1e6, 2),
        "used": datetime.date.fromtimestamp(item.used).isoformat(),
        "again": item.again,
        "path": str(item.path),
    }
