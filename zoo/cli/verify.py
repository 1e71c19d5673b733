"""``zoo verify``: is a checkpoint what its row says?"""

from typing import Annotated

import typer

from zoo.cli.options import DataRoot, Device, Json, Name, Offline, Plugin, Workers

EXAMPLES = """
zoo verify stenvan.synthetic
zoo verify stenvan.synthetic --dataset synthetic
zoo verify nvan.mars-released --dataset mars --data-root ~/data/mars

Exit status: 0 what could be checked passed, 1 something did not.
"""


def verify(
    name: Name,
    dataset: Annotated[
        str | None, typer.Option(help="Also check its scores on this data set.")
    ] = None,
    data_root: DataRoot = None,
    device: Device = "auto",
    workers: Workers = 2,
    offline: Offline = False,
    plugin: Plugin = None,
    json: Json = False,
) -> int:
    """Check hash, keys, the golden clip and, with data at hand, the scores."""
    import dataclasses

    from benchmark.datasets.catalogue import name_of_split
    from benchmark.device import choose_device
    from zoo.checkpoints.config import read_settings
    from zoo.checkpoints.verify import FAIL
    from zoo.checkpoints.verify import verify as run_checks
    from zoo.cli.display import show
    from zoo.experiment.data import open_dataset
    from zoo.experiment.find_checkpoint import find_checkpoint
    from zoo.experiment.live_progress import LiveProgress

    settings = read_settings(offline=offline)
    row = find_checkpoint(name, settings)
    if data_root is not None and dataset is None:
        dataset = row.dataset
    with LiveProgress() as progress:
        data = None
        if dataset is not None:
            text = name_of_split(dataset, row.split)
            data = open_dataset(text, data_root, progress=progress)
        checks = run_checks(
            row,
            settings,
            progress,
            dataset=data,
            device=choose_device(device),
            workers=workers,
        )
    show([dataclasses.asdict(check) for check in checks], as_json=json)
    return 1 if any(check.result == FAIL for check in checks) else 0
