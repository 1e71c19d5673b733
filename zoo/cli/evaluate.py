"""``zoo eval``: score a finished run again, under any rules, without training."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.cli.options import DataRoot, Device, Distance, Frames, Json, Plugin, Rerank, Workers, typed

if TYPE_CHECKING:
    from zoo.experiment.options import ExecutionOptions
    from zoo.experiment.rescore import Rules

EXAMPLES = """
zoo eval results/synthetic-quick/runs/sta-1a2b3c4d5e6f --protocol all
zoo eval RUN --distance l2sq-raw --frames all4
zoo eval RUN/embeddings-chunk-first4.safetensors --protocol open --json

The records of a run go into its folder; `zoo report` shows them. `zoo score` scores on other data.
"""


def evaluate(
    source: Annotated[Path, typer.Argument(help="A run's folder, or an embedding file.")],
    protocol: Annotated[
        str | None,
        typer.Option(help="Names, separated by commas; all [default: those of its records]."),
    ] = None,
    distance: Distance = None,
    frames: Frames = None,
    rerank: Rerank = None,
    data_root: DataRoot = None,
    device: Device = "auto",
    workers: Workers = 2,
    plugin: Plugin = None,
    json: Json = False,
) -> int:
    """Score a run under other protocols, distances, frames or re-ranking; nothing is trained."""
    from benchmark.device import choose_device
    from zoo.cli.display import show
    from zoo.experiment.options import ExecutionOptions
    from zoo.experiment.rescore import Rules

    rules = Rules(frames=frames, distance=distance, protocols=protocol, rerank=rerank)
    if source.is_file():
        rows, refused = _score_file(source, rules)
    else:
        options = ExecutionOptions(device=choose_device(device), workers=workers, command=typed())
        rows, refused = _score_run(source, rules, options, data_root)
    show(rows, as_json=json, title="percent")
    for line in refused:
        typer.echo(f"left out: {line}", err=True)
    if source.is_dir():
        typer.echo(f"records: {source / 'records'}", err=True)
        out = source.absolute().parent.parent  # <result folder>/runs/<run>
        typer.echo(f"next: {shlex.join(['zoo', 'report', str(out)])}", err=True)
    return 0


def _score_run(
    path: Path, rules: "Rules", options: "ExecutionOptions", data_root: Path | None
) -> tuple[list[dict], list[str]]:
    from benchmark.label import Label
    from zoo.cli.display import score_row
    from zoo.experiment.live_progress import LiveProgress
    from zoo.experiment.rescore import rescore

    with LiveProgress() as progress:
        records, refused = rescore(
            path, rules, data_root=data_root, options=options, progress=progress
        )
    if rules.rerank is not None:
        records = [entry for entry in records if Label.parse(entry.label).rerank]
    return [
        score_row(entry.label, entry.dataset, entry.metrics, entry)
        for entry in sorted(records, key=lambda entry: (entry.dataset, entry.label))
    ], refused


def _score_file(path: Path, rules: "Rules") -> tuple[list[dict], list[str]]:
    from zoo.cli.display import score_row
    from zoo.experiment.rescore import score_file

    found, refused = score_file(path, rules)
    return [
        score_row(str(label), path.stem, scores.values, scores) for label, scores in found
    ], refused
