"""``zoo cost``: parameters, multiply-adds, time and memory of methods, without any data."""

from typing import Annotated

import typer

from zoo.commands.options import Device, Json, Methods, Plugin, Precision

EXAMPLES = (
    "Examples: zoo cost --methods all | zoo cost --methods 'nvan,sta[blocks=8]' --frames 4 --json"
)


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
    plugin: Plugin = None,
    json: Json = False,
) -> int:
    """Count and time methods for one clip."""
    import dataclasses

    import torch

    from benchmark.cost import measure
    from zoo import registry
    from zoo.bench import choose_device, expand_methods
    from zoo.display import Display, show

    for module in plugin or ():
        registry.add_plugin(module)
    names, where = expand_methods(methods), torch.device(choose_device(device))
    rows = []
    with Display() as display:
        for i, name in enumerate(names):
            display.progress("cost", i, len(names))
            model = registry.create(name, backbone=backbone)
            measured = dataclasses.asdict(measure(model, frames, height, width, where, precision))
            measured["left_out"] = " ".join(f"{op}:{n}" for op, n in measured["left_out"].items())
            rows.append({"method": name, **measured})
        display.progress("cost", len(names), len(names))
    show(rows, as_json=json)
    return 0
