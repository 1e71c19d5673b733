"""``zoo eval``: score kept embeddings again, under any rules, without GPU or images."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import Json, Rerank

EXAMPLES = (
    "Examples: zoo eval results/synthetic-quick/runs/sta-1a2b3c4d5e6f | "
    "zoo eval RUN/embeddings-chunk-first4.safetensors --protocol all --distance l2sq-raw --json"
)


def evaluate(
    source: Annotated[Path, typer.Argument(help="A run's folder, or an embedding file.")],
    protocol: Annotated[str, typer.Option(help="Names, separated by commas; all.")] = "all",
    distance: Annotated[str, typer.Option(help="cos-bn, cos-raw, l2sq-bn or l2sq-raw.")] = "cos-bn",
    rerank: Rerank = None,
    json: Json = False,
) -> int:
    """Score kept embeddings under several protocols in one pass."""
    from benchmark.embed import load
    from benchmark.protocols import PROTOCOLS, score
    from benchmark.recipes import DISTANCES
    from benchmark.variants import choose
    from zoo.cli.display import show

    files = sorted(source.glob("embeddings-*.safetensors")) if source.is_dir() else [source]
    if not files:
        raise FileNotFoundError(f"{source} holds no embeddings-*.safetensors: is the run finished?")
    kind, place = choose(distance, DISTANCES, "distance")
    rows, refused = [], []
    for file in files:
        embeddings = load(file)
        tracks = embeddings.pooled(place)
        names = list(PROTOCOLS) if protocol == "all" else [n.strip() for n in protocol.split(",")]
        for name in names:
            rules = choose(name, PROTOCOLS, "protocol")
            try:
                found = score(tracks, embeddings.query, name, kind, rerank)
            except ValueError as error:
                if protocol != "all":
                    raise
                refused.append(str(error))
                continue
            label = rules.label(distance, str(embeddings.key["frames_rule"]), rerank)
            counts = {"gallery": found.gallery, "queries": found.queries, "dropped": found.dropped}
            metrics = {name: round(100 * value, 2) for name, value in found.metrics().items()}
            rows.append({"label": label, **metrics, **counts})
    if not rows:
        raise ValueError(refused[0])
    show(rows, as_json=json, title="percent")
    for line in refused:
        typer.echo(f"left out: {line}", err=True)
    return 0
