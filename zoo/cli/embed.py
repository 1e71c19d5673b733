"""``zoo embed``: vectors of one's own tracklets."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import (
    Address,
    AtOnce,
    CpusPerRun,
    Device,
    EngineName,
    GpusPerRun,
    Offline,
    Plugin,
    ProcessesPerRun,
    Workers,
    engine_of,
)

EXAMPLES = """
zoo embed tracklets --checkpoint stenvan.synthetic -o features.npz

Each folder that itself holds images is a tracklet, its images in order of their names. The same
command goes on after an interruption; --engine ray uses all GPUs of a machine or cluster.
"""


def embed(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of tracklets, nested as you like.")],
    checkpoint: Annotated[
        str, typer.Option(help="By name; or a run's folder, or a .safetensors file.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="An .npz file.")] = Path("features.npz"),
    device: Device = "auto",
    workers: Workers = 2,
    offline: Offline = False,
    plugin: Plugin = None,
    engine: EngineName = "local",
    address: Address = "local",
    gpus_per_run: GpusPerRun = 1.0,
    cpus_per_run: CpusPerRun = None,
    at_once: AtOnce = None,
    processes_per_run: ProcessesPerRun = 1,
) -> int:
    """Embed every tracklet below a folder."""
    from zoo.checkpoints.config import read_settings
    from zoo.checkpoints.load import open_checkpoint
    from zoo.experiment.engines.choose import open_engine
    from zoo.experiment.find_checkpoint import find_checkpoint
    from zoo.experiment.live_progress import LiveProgress
    from zoo.experiment.options import ExecutionOptions
    from zoo.tools import features

    if out.suffix != ".npz":
        raise ValueError(f"{out} must end in .npz")
    settings = read_settings(offline=offline)
    chosen = find_checkpoint(checkpoint, settings)
    features.tracklets_in(folder)  # an empty folder is told before anything is fetched
    with LiveProgress() as progress, open_engine(engine_of(context)) as opened:
        found = features.embed_folder(
            folder,
            chosen,
            open_checkpoint(chosen, settings, progress).file.sha256,
            settings,
            parts=out.with_name(out.name + ".parts"),
            options=ExecutionOptions(
                device=opened.device(device), workers=workers, engine=opened.name
            ),
            engine=opened,
            progress=progress,
        )
    features.save(found, out)
    print(out)
    return 0
