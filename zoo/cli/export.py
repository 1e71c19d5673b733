"""``zoo export``: a checkpoint as a file that runs without us."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import Json, Name, Offline, Plugin

EXAMPLES = """
zoo export stenvan.synthetic --format onnx
zoo export stenvan.synthetic --format torch -o stenvan.pt2

Frames, height and width are fixed, the batch is free. ONNX needs the extra [export].
"""


def export(
    name: Name,
    format_: Annotated[str, typer.Option("--format", help="onnx or torch.")] = "onnx",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write [default: ./NAME.onnx].")
    ] = None,
    offline: Offline = False,
    plugin: Plugin = None,
    json: Json = False,
) -> int:
    """Export a checkpoint, run the file beside the network and print how far they are apart."""
    from benchmark.variants import choose
    from zoo.checkpoints import export as exporting
    from zoo.checkpoints.config import read_settings
    from zoo.checkpoints.load import open_checkpoint
    from zoo.cli.display import show
    from zoo.experiment.find_checkpoint import find_checkpoint
    from zoo.experiment.live_progress import LiveProgress

    ending = choose(format_, exporting.FORMATS, "format")
    settings = read_settings(offline=offline)
    row = find_checkpoint(name, settings)
    path = out or Path(f"{Path(row.file).stem}{ending}")
    with LiveProgress() as progress:
        loaded = open_checkpoint(row, settings, progress)
        progress.advance(f"export {row.name}", 0, 1)
        made = exporting.export(loaded.model, row, format_, path)
        progress.advance(f"export {row.name}", 1, 1)
    fields = {"file": str(made.path), "format": made.format, "batch": made.batch, "clip": made.clip}
    numbers = {"max_abs": made.max_abs, "relative": made.relative}
    show([{**fields, **numbers}], as_json=json)
    return 0
