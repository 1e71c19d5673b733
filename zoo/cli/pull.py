"""``zoo pull``: fetch checkpoints, verify them, and say where they lie."""

from typing import Annotated

import typer

from zoo.cli.options import Offline

EXAMPLES = """
zoo pull stenvan.synthetic
zoo pull 'stenvan.*' --offline

ZOO_MIRRORS=https://mirror.example.org/zoo,origin looks there first; ZOO_CACHE=DIR keeps files
in DIR/checkpoints.
"""


def pull(
    names: Annotated[list[str], typer.Argument(help="Checkpoints, or wildcards.")],
    offline: Offline = False,
) -> int:
    """Fetch checkpoints unless they are there; whole and verified, or not at all."""
    from benchmark.variants import select
    from zoo.checkpoints.cache import ensure_local
    from zoo.checkpoints.config import read_settings
    from zoo.checkpoints.table import find, table
    from zoo.experiment.live_progress import LiveProgress

    settings = read_settings(offline=offline)
    rows = table(settings)
    chosen = {}
    for name in names:
        known = select([name], rows) if "*" in name else [find(name, rows).name]
        if not known:
            raise LookupError(f"no checkpoint is called {name!r}: `zoo list checkpoints`")
        chosen |= {found: rows[found] for found in known}
    with LiveProgress() as progress:
        paths = [ensure_local(row, settings, progress).path for row in chosen.values()]
    for path in paths:
        print(path)
    return 0
