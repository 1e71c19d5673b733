"""``zoo cost``: parameters, multiply-adds, time and memory of methods, without any data."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.cli.options import Device, Json, Methods, Plugin, Precision

if TYPE_CHECKING:
    from benchmark.cost.timing import Cost

EXAMPLES = """
zoo cost --methods all
zoo cost --methods 'nvan,sta[blocks=8]' --frames 4 --json
zoo cost --against published --out costs
"""


def cost(
    methods: Methods = "all",
    frames: Annotated[int, typer.Option(min=1, help="Frames of a clip.")] = 8,
    height: Annotated[int, typer.Option(min=32, help="Pixels.")] = 256,
    width: Annotated[int, typer.Option(min=16, help="Pixels.")] = 128,
    backbone: Annotated[
        str | None, typer.Option(help="timm network [default: each method's own].")
    ] = None,
    device: Device = "auto",
    precision: Precision = "no",
    against: Annotated[
        str | None,
        typer.Option(
            help="published: count without a clock, at 8 frames of 256 x 128 pixels, beside the "
            "papers' figures; part by part; and as clips grow."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for tables and plot of --against.")
    ] = None,
    plugin: Plugin = None,
    json: Json = False,
) -> int:
    """Count and time methods for one clip, or count them beside the papers' figures."""
    import torch

    from benchmark.device import choose_device
    from zoo.cli.display import show
    from zoo.experiment.live_progress import LiveProgress
    from zoo.experiment.resolve import expand_methods
    from zoo.tools.count import measure_methods

    names, where = expand_methods(methods), torch.device(choose_device(device))
    if against is not None:
        if against != "published":
            raise ValueError(f"--against {against}: expected published")
        return _against(names, backbone, out, json)
    if out is not None:
        raise ValueError("--out goes with --against published; print --json into a file instead")
    with LiveProgress() as progress:
        costs = measure_methods(
            names,
            frames,
            (height, width),
            backbone=backbone,
            device=where,
            precision=precision,
            progress=progress,
        )
    show([{"method": name, **_cells(cost, json)} for name, cost in costs.items()], as_json=json)
    return 0 if costs else 1


def _cells(cost: "Cost", json: bool) -> dict:
    """A cost as a row; for a table, its lists in words."""
    import dataclasses

    row = dataclasses.asdict(cost)
    if not json:
        for field in ("parts", "left_out"):
            row[field] = " ".join(f"{key}:{value:.4g}" for key, value in row[field].items())
        row["uncounted"] = " ".join(row["uncounted"])
    return row


def _against(names: list[str], backbone: str | None, out: Path | None, json: bool) -> int:
    from zoo.cli.display import show
    from zoo.experiment.live_progress import LiveProgress
    from zoo.tools import count as costs

    with LiveProgress() as progress:
        wanted = costs.with_printed(names)
        counts, grown = costs.count_methods(wanted, backbone, progress)
    rows, pieces = costs.against(counts), costs.parts(counts)
    if json:
        own = {name: one.parts for name, one in counts.items()}
        show([row | {"parts": own[row["method"]]} for row in rows], as_json=True)
    else:
        show(rows, as_json=False, title="Counted beside the papers' figures (GFLOP as printed)")
        show(costs.wide(pieces, "part"), as_json=False, title="GMACs by part")
        show(costs.wide(grown, "clip"), as_json=False, title="GMACs as clips grow (T x H x W)")
    if out is not None:
        for path in costs.write(out, rows, pieces, grown):
            typer.echo(path, err=True)
    return 0 if counts else 1
