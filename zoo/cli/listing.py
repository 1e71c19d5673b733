"""``zoo list``: what there is."""

from typing import Annotated

import typer

from zoo.cli.options import Json, Plugin

EXAMPLES = """
zoo list
zoo list methods '*nvan*'
zoo list checkpoints --json
"""
KINDS = ("methods", "datasets", "recipes", "protocols", "checkpoints")


def list_(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}.")] = "methods",
    pattern: Annotated[str, typer.Argument(help="Wildcard, e.g. '*nvan*'.")] = "*",
    plugin: Plugin = None,
    json: Json = False,
) -> int:
    """List methods, data sets, recipes, protocols or checkpoints."""
    if kind == "checkpoints":  # quick: loads no torch
        return _checkpoints(pattern, json)
    from benchmark import variants
    from benchmark.datasets.catalogue import DATASETS
    from benchmark.datasets.kind import NOT_KNOBS, as_kind
    from benchmark.protocols import PROTOCOLS
    from zoo import plugins, registry
    from zoo.cli.display import show
    from zoo.experiment.paper_recipes import known_recipes

    if kind not in KINDS:
        raise ValueError(f"cannot list {kind!r}: expected one of {', '.join(KINDS)}")
    if kind == "methods":
        rows = [
            _function(f, ("backbone", "num_classes")) for _, f in sorted(registry.methods().items())
        ]
    elif kind == "datasets":
        found = (*DATASETS, *plugins.plugin_functions("DATASETS", "zoo.datasets"))
        rows = [_function(as_kind(brought).open, NOT_KNOBS) for brought in found]
    elif kind == "recipes":
        rows = [
            {
                "name": r.name,
                "frames": r.frames,
                "size": f"{r.height}x{r.width}",
                "epochs": r.epochs,
                "lr": r.lr,
            }
            for r in known_recipes().values()
        ]
    else:
        rows = [
            {"name": p.name, "version": p.version, "about": p.about} for p in PROTOCOLS.values()
        ]
    kept = variants.select([pattern], [row["name"] for row in rows])
    show([row for row in rows if row["name"] in kept], as_json=json)
    return 0


def _checkpoints(pattern: str, json: bool) -> int:
    from benchmark import variants
    from zoo.checkpoints.config import read_settings
    from zoo.checkpoints.table import table
    from zoo.cli.display import show

    settings = read_settings()
    rows = table(settings)
    shown = []
    for name in variants.select([pattern], rows):
        row = rows[name]
        label, entry = next(iter(row.scores().items()), (None, None))
        place = (
            "packaged" if row.packaged else "kept" if (settings.cache / row.file).is_file() else ""
        )
        percent = {m: round(100 * entry.metrics[m], 2) if entry else None for m in ("mAP", "R1")}
        shown.append(
            {
                "name": name,
                "method": row.method,
                "frames": row.frames,
                "size": f"{row.height}x{row.width}",
                "mb": round(row.bytes / 1e6, 1) if row.bytes else None,
                "file": place or ("by hand" if row.manual else "to be fetched"),
                **percent,
                "label": label,
                "licence": row.licence,
            }
        )
    show(shown, as_json=json)
    return 0


def _function(function, hidden: tuple[str, ...]) -> dict[str, str]:
    from benchmark import variants

    settings = {k: v for k, (_, v) in variants.parameters(function).items() if k not in hidden}
    about = (function.__doc__ or "").strip().splitlines()
    return {
        "name": function.__name__,
        "settings": ", ".join(f"{k}={variants.format_value(v)}" for k, v in settings.items()),
        "about": about[0].replace("``", "`") if about else "",
    }
