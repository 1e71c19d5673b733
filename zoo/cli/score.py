"""``zoo score``: a checkpoint, a run or a file of weights on any data."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import (
    DataRoot,
    Device,
    Distance,
    Frames,
    Json,
    Limit,
    Name,
    Offline,
    Plugin,
    Protocols,
    Rerank,
    Workers,
    typed,
)

EXAMPLES = """
zoo score stenvan.synthetic --dataset 'synthetic[occlusion=0.6]'
zoo score results/mars-unified/runs/sta-1a2b3c4d5e6f --dataset duke_video --data-root ~/data/duke
zoo score STA.safetensors --recipe paper/sta --dataset 'folder[name=airport]' --data-root airport

The records of a run go into its folder, others into --out; `zoo report` shows both, under what was
trained on. `zoo eval` scores a run under other rules on the data that it was scored on.
"""


def score(
    source: Name,
    dataset: Annotated[str, typer.Option(help="Data set whose test part is scored.")],
    data_root: DataRoot = None,
    protocol: Protocols = None,
    distance: Distance = None,
    frames: Frames = None,
    rerank: Rerank = None,
    recipe: Annotated[
        str | None, typer.Option(help="How a file that does not say it was trained.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Result folder, but for runs [default: results/<data set>-pretrained]."),
    ] = None,
    limit: Limit = None,
    device: Device = "auto",
    workers: Workers = 2,
    offline: Offline = False,
    plugin: Plugin = None,
    json: Json = False,
) -> int:
    """Score a checkpoint or a run on any data; nothing is trained."""
    from benchmark.device import choose_device
    from zoo.checkpoints.config import read_settings
    from zoo.cli.display import score_row, show
    from zoo.experiment.find_checkpoint import find_checkpoint
    from zoo.experiment.live_progress import LiveProgress
    from zoo.experiment.options import ExecutionOptions
    from zoo.experiment.plan import open_splits
    from zoo.experiment.request import BenchRequest
    from zoo.experiment.rescore import Rules
    from zoo.experiment.score_on import score_on

    settings = read_settings(offline=offline)
    checkpoint = find_checkpoint(source, settings, trained_with=recipe)
    with LiveProgress() as progress:
        asked = BenchRequest(dataset=dataset, data_root=data_root, limit=limit)
        scored = score_on(
            checkpoint,
            open_splits(asked, progress),
            Rules(frames=frames, distance=distance, protocols=protocol, rerank=rerank),
            options=ExecutionOptions(
                device=choose_device(device), workers=workers, command=typed()
            ),
            out=out,
            settings=settings,
            progress=progress,
        )
    about = {"trained on": checkpoint.dataset}
    show(
        [score_row(one.label, one.dataset, one.metrics, one, about) for one in scored.records],
        as_json=json,
        title="percent",
    )
    for line in scored.refused:
        typer.echo(f"left out: {line}", err=True)
    typer.echo(f"records: {scored.folder.records}", err=True)
    return 0
