"""``zoo data``: make, check and describe data sets."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Make data sets.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def data() -> None:
    """Make data sets."""


@app.command(
    epilog="Examples: zoo data make synthetic --sheet sheet.png | "
    "zoo data make 'synthetic[occlusion=0.8]' --data-root DIR"
)
def make(
    dataset: Annotated[
        str, typer.Argument(help="A data set that makes itself, with knobs.")
    ] = "synthetic",
    data_root: Annotated[
        Path | None, typer.Option(help="Where to put it [default: a cache folder].")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Also draw a contact sheet into this PNG.")
    ] = None,
) -> int:
    """Render a synthetic data set into its folder, unless it is there."""
    from benchmark.datasets.synthetic import contact_sheet

    from benchmark.datasets.catalogue import open_dataset
    from zoo.display import Display

    with Display() as display:
        found = open_dataset(dataset, data_root, on_progress=display.progress)
    folder = Path(found.test[0].folder).parent.parent
    if sheet is not None:
        contact_sheet(found, sheet)
    print(folder)
    return 0
