"""``zoo data``: make, check and describe data sets."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.help import Command, Commands
from zoo.cli.options import Plugin

app = typer.Typer(
    help="Make, describe, check and pack data sets.",
    no_args_is_help=True,
    rich_markup_mode=None,
    cls=Commands,
    epilog="""
zoo data layout mars
zoo data check mars --data-root ~/data/mars
zoo data pack mars --data-root ~/data/mars -o mars.pack
zoo data make synthetic --sheet sheet.png
""",
)


@app.callback()
def data() -> None:
    """Make, describe, check and pack data sets."""


@app.command(
    cls=Command,
    epilog="""
zoo data make synthetic --sheet sheet.png
zoo data make 'synthetic[occlusion=0.8]' --data-root DIR
""",
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
    from benchmark.datasets.synthetic.contact_sheet import contact_sheet
    from zoo.experiment.data import open_dataset
    from zoo.experiment.live_progress import LiveProgress

    with LiveProgress() as progress:
        found = open_dataset(dataset, data_root, progress=progress)
    folder = Path(found.test[0].folder).parent.parent
    if sheet is not None:
        contact_sheet(found, sheet)
    print(folder)
    return 0


@app.command(cls=Command, epilog="zoo data layout mars\nzoo data layout csv")
def layout(
    dataset: Annotated[str, typer.Argument(help="A data set; `zoo list datasets` shows all.")],
    plugin: Plugin = None,
) -> int:
    """Print the tree of files that a data set is expected in."""
    from benchmark.datasets.catalogue import find_kind

    print(find_kind(dataset, _plugins()).layout.strip("\n"))
    return 0


@app.command(
    cls=Command,
    epilog="""
zoo data check mars --data-root ~/data/mars
zoo data check csv --data-root tracklets.csv --deep
zoo data check mars --data-root mars.pack

Exit status: 0 right, 1 something is wrong.
""",
)
def check(
    dataset: Annotated[
        str, typer.Argument(help="A data set, e.g. mars or 'folder[cameras=false]'.")
    ],
    data_root: Annotated[
        Path | None, typer.Option(help="Folder, pack, or (csv) file that holds it.")
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every image.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes [default: one for each processor].")
    ] = None,
    plugin: Plugin = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Count persons, tracklets, frames and cameras; find unlisted, missing and broken files."""
    import dataclasses

    from benchmark.datasets.check.examine import examine, verdict
    from zoo.cli.display import show
    from zoo.experiment.live_progress import LiveProgress

    extra = _plugins()
    with LiveProgress() as progress:
        progress.begin(f"reading the folders of {dataset}")
        findings = examine(
            dataset,
            data_root,
            deep=deep,
            workers=workers,
            progress=progress,
            extra=extra,
        )
        progress.note(verdict(dataset, findings, deep=deep))
    show([dataclasses.asdict(finding) for finding in findings], as_json=json)
    return 1 if any(finding.verdict == "wrong" for finding in findings) else 0


@app.command(
    cls=Command,
    epilog="""
zoo data pack mars --data-root ~/data/mars -o mars.pack
zoo bench --dataset mars --data-root mars.pack

Interrupted, the same command goes on. Needs the extra [pack].
""",
)
def pack(
    dataset: Annotated[
        str, typer.Argument(help="A data set, e.g. mars or 'folder[cameras=false]'.")
    ],
    data_root: Annotated[Path, typer.Option(help="Folder (csv: or file) that holds it.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="*.pack [default: <data set>.pack].")
    ] = None,
    plugin: Plugin = None,
) -> int:
    """Pack a data set's many files into a few large ones, to be given as --data-root."""
    from benchmark import variants
    from benchmark.datasets import packing
    from zoo.experiment.live_progress import LiveProgress

    extra = _plugins()
    out = out or Path(f"{variants.parse(dataset).name}{packing.SUFFIX}")
    with LiveProgress() as progress:
        progress.begin(f"packing {dataset} into {out}")
        packing.pack(dataset, data_root, out, progress=progress, extra=extra)
    print(out)
    return 0


def _plugins() -> list:
    """Data sets of plugins."""
    from zoo.plugins import plugin_functions

    return plugin_functions("DATASETS", "zoo.datasets")
