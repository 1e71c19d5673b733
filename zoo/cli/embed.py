"""``zoo embed``: vectors of one's own tracklets."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import Device, Offline, Plugin, Workers

EXAMPLES = (
    "Example: zoo embed tracklets --checkpoint stenvan.synthetic -o features.npz. Each folder that "
    "itself holds images is a tracklet, its images in order of their names."
)


def embed(
    folder: Annotated[Path, typer.Argument(help="Folder of tracklets, nested as you like.")],
    checkpoint: Annotated[str, typer.Option(help="By name.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="An .npz file.")] = Path("features.npz"),
    device: Device = "auto",
    workers: Workers = 2,
    offline: Offline = False,
    plugin: Plugin = None,
) -> int:
    """Embed every tracklet below a folder."""
    from benchmark.device import choose_device
    from zoo.checkpoints.config import read_settings
    from zoo.checkpoints.load import open_checkpoint
    from zoo.checkpoints.table import find, table
    from zoo.experiment.live_progress import LiveProgress
    from zoo.tools import search

    if out.suffix != ".npz":
        raise ValueError(f"{out} must end in .npz")
    settings = read_settings(offline=offline)
    row = find(checkpoint, table(settings))
    search.tracklets_in(folder)  # an empty folder is told before anything is fetched
    with LiveProgress() as progress:
        loaded = open_checkpoint(row, settings, progress)
        found = search.features(
            folder,
            row,
            loaded,
            device=choose_device(device),
            workers=workers,
            progress=progress,
        )
    search.save(found, out)
    print(out)
    return 0
