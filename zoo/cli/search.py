"""``zoo search``: the nearest of one's own tracklets."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import Device, Json, Offline, Plugin, Workers

EXAMPLES = """
zoo search queries --in features.npz
zoo search queries --in features.npz --top 10 --sheet nearest.png

A query that is itself among the features is not retrieved for itself.
"""


def search(
    folder: Annotated[Path, typer.Argument(help="Folder of query tracklets.")],
    features: Annotated[Path, typer.Option("--in", help="What `zoo embed` wrote.")],
    checkpoint: Annotated[
        str | None,
        typer.Option(help="Or a run's folder [default: that of the features]."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many of each ranking.")] = 5,
    sheet: Annotated[Path | None, typer.Option(help="Also draw them into this .png.")] = None,
    device: Device = "auto",
    workers: Workers = 2,
    offline: Offline = False,
    plugin: Plugin = None,
    json: Json = False,
) -> int:
    """Print, and draw, the tracklets nearest to each query."""
    import dataclasses
    import tempfile

    from benchmark.device import choose_device
    from zoo.checkpoints.config import read_settings
    from zoo.checkpoints.load import open_checkpoint
    from zoo.cli.display import show
    from zoo.experiment.find_checkpoint import find_checkpoint
    from zoo.experiment.live_progress import LiveProgress
    from zoo.experiment.options import ExecutionOptions
    from zoo.tools import features as files
    from zoo.tools.search import nearest
    from zoo.tools.search_sheet import draw

    if sheet is not None and sheet.suffix != ".png":
        raise ValueError(f"{sheet} must end in .png")
    known = files.load(features)
    files.tracklets_in(folder)
    settings = read_settings(offline=offline)
    chosen = find_checkpoint(checkpoint or str(known.about["checkpoint"]), settings)
    with LiveProgress() as progress:
        loaded = open_checkpoint(chosen, settings, progress)
        files.check_same(known, chosen, loaded.file.sha256)
        with tempfile.TemporaryDirectory() as parts:
            query = files.embed_folder(
                folder,
                chosen,
                loaded.file.sha256,
                settings,
                parts=Path(parts) / "parts",
                options=ExecutionOptions(device=choose_device(device), workers=workers),
                progress=progress,
            )
    found = nearest(query, known, top)
    if sheet is not None:
        draw(query, known, found, sheet)
        typer.echo(f"drawn: {sheet}", err=True)
    show([dataclasses.asdict(item) for item in found], as_json=json)
    return 0
