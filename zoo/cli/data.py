"""``zoo data``: make, check and describe data sets."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Make, describe and check data sets.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def data() -> None:
    """Make, describe and check data sets."""


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
    from benchmark.datasets.catalogue import open_dataset
    from benchmark.datasets.synthetic.dataset import contact_sheet
    from zoo.cli.display import Display

    with Display() as display:
        found = open_dataset(dataset, data_root, on_progress=display.progress)
    folder = Path(found.test[0].folder).parent.parent
    if sheet is not None:
        contact_sheet(found, sheet)
    print(folder)
    return 0


@app.command(epilog="Examples: zoo data layout mars | zoo data layout csv")
def layout(
    dataset: Annotated[str, typer.Argument(help="A data set; `zoo list datasets` shows all.")],
) -> int:
    """Print the tree of files that a data set is expected in."""
    from benchmark.datasets import layouts

    print(layouts.layout(dataset))
    return 0


@app.command(
    epilog="Examples: zoo data check mars --data-root ~/data/mars | "
    "zoo data check csv --data-root tracklets.csv --deep. "
    "Exit status: 0 right, 1 something is wrong."
)
def check(
    dataset: Annotated[
        str, typer.Argument(help="A data set, e.g. mars or 'folder[cameras=false]'.")
    ],
    data_root: Annotated[
        Path | None, typer.Option(help="Folder (csv: or file) that holds it.")
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every image.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes [default: one for each processor].")
    ] = None,
    plugin: Annotated[list[str] | None, typer.Option(help="Module with further DATASETS.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Count persons, tracklets, frames and cameras; find stray, missing and broken files."""
    import dataclasses

    from benchmark.datasets.check import examine as doctor
    from zoo.cli.display import Display, show

    extra = _plugins(plugin or ())
    with Display() as display:
        display.begin(f"reading the folders of {dataset}")
        findings = doctor.examine(
            dataset,
            data_root,
            deep=deep,
            workers=workers,
            on_progress=display.progress,
            extra=extra,
        )
        display.note(doctor.verdict(dataset, findings, deep=deep))
    show([dataclasses.asdict(finding) for finding in findings], as_json=json)
    return 1 if any(finding.verdict == "wrong" for finding in findings) else 0


def _plugins(modules) -> list:
    """Data set functions of plugins; torch is loaded only if there are any."""
    from importlib.metadata import entry_points

    if not modules and not entry_points(group="zoo.datasets"):
        return []
    from zoo import plugins

    for module in modules:
        plugins.add_plugin(module)
    return plugins.plugin_functions("DATASETS", "zoo.datasets")
