"""``zoo eval``: score a finished run again, under any rules, without training."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import DataRoot, Device, Json, Plugin, Rerank, Workers, typed

EXAMPLES = (
    "Examples: zoo eval results/synthetic-quick/runs/sta-1a2b3c4d5e6f --protocol all | "
    "zoo eval RUN --distance l2sq-raw --frames all4 | "
    "zoo eval RUN/embeddings-chunk-first4.safetensors --protocol open --json. "
    "The records of a run go into its folder; `zoo report` shows them."
)


def evaluate(
    source: Annotated[Path, typer.Argument(help="A run's folder, or an embedding file.")],
    protocol: Annotated[
        str | None,
        typer.Option(help="Names, separated by commas; all [default: those of its records]."),
    ] = None,
    distance: Annotated[
        str | None,
        typer.Option(help="cos-bn, cos-raw, l2sq-bn or l2sq-raw [default: as before]."),
    ] = None,
    frames: Annotated[
        str | None,
        typer.Option(help="Frame rule, e.g. all4 or chunk-first8 [default: as before]."),
    ] = None,
    rerank: Rerank = None,
    data_root: DataRoot = None,
    device: Device = "auto",
    workers: Workers = 2,
    plugin: Plugin = None,
    json: Json = False,
) -> int:
    """Score a run under other protocols, distances, frames or re-ranking; nothing is trained."""
    from zoo.cli.display import show

    if source.is_file():
        rows, refused = _file(source, protocol, distance or "cos-bn", rerank), []
        if frames is not None:
            raise ValueError("--frames needs a run's folder: an embedding file has its frames")
    else:
        rows, refused = _run(source, protocol, distance, frames, rerank, data_root, device, workers)
    show(rows, as_json=json, title="percent")
    for line in refused:
        typer.echo(f"left out: {line}", err=True)
    return 0


def _run(path, protocol, distance, frames, rerank, data_root, device, workers):
    from benchmark.device import choose_device
    from zoo.experiment.live_progress import LiveProgress
    from zoo.experiment.options import ExecutionOptions
    from zoo.experiment.rescore import Rules, rescore

    rules = Rules(frames=frames, distance=distance, protocols=protocol, rerank=rerank)
    options = ExecutionOptions(device=choose_device(device), workers=workers, command=typed())
    with LiveProgress() as progress:
        records, refused = rescore(
            path, rules, data_root=data_root, options=options, progress=progress
        )
    if rerank is not None:
        records = [entry for entry in records if entry.label.count("/") == 3]
    return [
        _row(entry.label, entry.dataset, entry.metrics, entry)
        for entry in sorted(records, key=lambda entry: (entry.dataset, entry.label))
    ], refused


def _file(path: Path, protocol: str | None, distance: str, rerank: str | None) -> list[dict]:
    from benchmark.embed import load
    from benchmark.protocols import PROTOCOLS, score
    from benchmark.recipe import DISTANCES
    from benchmark.variants import choose

    embeddings = load(path)
    kind, space = choose(distance, DISTANCES, "distance")
    names = [name.strip() for name in (protocol or "open").split(",")]
    names = list(PROTOCOLS) if names == ["all"] else names
    for name in names:
        choose(name, PROTOCOLS, "protocol")
    rows = []
    for name in names:
        found = score(embeddings.pooled(space), embeddings.query, name, kind, rerank)
        label = PROTOCOLS[name].label(distance, str(embeddings.key["frames_rule"]), rerank)
        rows.append(_row(str(label), str(embeddings.key["fingerprint"]), found.values, found))
    return rows


def _row(label: str, dataset: str, metrics: dict[str, float], counts) -> dict:
    percent = {name: round(100 * value, 2) for name, value in metrics.items()}
    numbers = {name: getattr(counts, name) for name in ("gallery", "queries", "dropped")}
    return {"label": label, "dataset": dataset, **percent, **numbers}
