"""Options that several commands share, so that each is worded once."""

import shlex
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zoo.experiment.options import EngineOptions
    from zoo.experiment.request import BenchRequest

Methods = Annotated[
    str,
    typer.Option(help="Methods, separated by commas; wildcards; grids, 'sta[blocks=2|8]'; all."),
]
DataRoot = Annotated[
    Path | None, typer.Option(path_type=Path, help="Folder, or pack, that holds the data set.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Precision = Annotated[str, typer.Option(help="no (float32), tf32, fp16 or bf16.")]
Compile = Annotated[
    bool, typer.Option("--compile", help="Compile training steps: minutes at first, then faster.")
]
CudnnBenchmark = Annotated[
    bool,
    typer.Option(
        "--cudnn-benchmark", help="Let cuDNN time its kernels; bits may differ between starts."
    ),
]
Workers = Annotated[int, typer.Option(min=0, help="Processes that load images.")]


def _load_plugins(named: list[str] | None) -> list[str] | None:
    """Load them before any name is looked up; nothing is imported where none is named."""
    if named:
        from zoo.plugins import add_plugin

        for text in named:
            add_plugin(text)
    return named


Plugin = Annotated[
    list[str] | None,
    typer.Option(
        callback=_load_plugins,
        help="Module or .py file with further METHODS, DATASETS, LOSSES, RECIPES, ….",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[
    str,
    typer.Argument(
        help="A checkpoint (see `zoo list checkpoints`), a run's folder or a .safetensors file."
    ),
]
Offline = Annotated[bool, typer.Option("--offline", help="Use no network.")]
Rerank = Annotated[
    str | None,
    typer.Option(help="Score again after re-ranking: kr, kr(20,6,0.3), kr-torchreid, kr-dup."),
]
Distance = Annotated[
    str | None,
    typer.Option(help="cos-bn, cos-raw, l2sq-bn or l2sq-raw [default: as before]."),
]
Frames = Annotated[
    str | None, typer.Option(help="Frame rule, e.g. all4 or chunk-first8 [default: as before].")
]
DatasetName = Annotated[
    str, typer.Option(help="Data set, e.g. mars or 'synthetic[occlusion=0.6]'.")
]
RecipeName = Annotated[
    str | None,
    typer.Option(
        help="How to train: see `zoo list recipes` [default: unified on a GPU, else quick]."
    ),
]
Changes = Annotated[list[str] | None, typer.Option("--set", help="Change the recipe: key=value.")]
Seeds = Annotated[
    int, typer.Option(min=1, max=1000, help="Runs of each method, with seeds 0, 1, ….")
]
Protocols = Annotated[
    str | None,
    typer.Option(help="Scoring rules, separated by commas; all [default: the data set's own]."),
]
Validate = Annotated[
    int,
    typer.Option(
        min=0, help="Score held-out training persons every N epochs; they are not trained on."
    ),
]
Select = Annotated[
    str, typer.Option(help="Whose weights are kept: last, or best-validation (of the epochs).")
]
Out = Annotated[
    Path | None,
    typer.Option(path_type=Path, help="Result folder [default: results/<data set>-<recipe>]."),
]
Limit = Annotated[int | None, typer.Option(min=2, help="Smoke test: first N identities.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan with estimates and stop.")]


EngineName = Annotated[
    str,
    typer.Option("--engine", help="local: this process; ray: all GPUs of a machine or cluster."),
]
Address = Annotated[
    str, typer.Option(help="With --engine ray: local starts it here; auto joins; HOST:PORT.")
]
GpusPerRun = Annotated[float, typer.Option(help="With --engine ray; 0.5: two runs share a GPU.")]
CpusPerRun = Annotated[
    int | None,
    typer.Option(help="With --engine ray: CPUs and threads [default: a GPU's share; else 1]."),
]
AtOnce = Annotated[int | None, typer.Option(help="With --engine ray: runs at a time, at most.")]
ProcessesPerRun = Annotated[
    int, typer.Option(min=1, help="That share each run, with so many GPUs and CPUs each.")
]


def engine_of(context: typer.Context) -> "EngineOptions":
    """The engine that a command was asked for.

    Raises:
        LookupError, ValueError: as `EngineOptions`.
    """
    from zoo.experiment.options import EngineOptions

    names = ("address", "gpus_per_run", "cpus_per_run", "at_once", "processes_per_run")
    given = {name: context.params[name] for name in names}
    return EngineOptions(name=context.params["engine"], **given)


def typed() -> str:
    """The command as it was typed, for the records."""
    return shlex.join(["zoo", *sys.argv[1:]])


def request_of(context: typer.Context, **decided: object) -> "BenchRequest":
    """What a command was asked for.

    Args:
        context: its options; those that a request has by the same name go into it as they are.
        decided: fields that the command settles itself.

    Raises:
        ValueError: a ``--set`` is no ``key=value``.
    """
    from benchmark.recipes import parse_changes
    from zoo.experiment.request import BenchRequest

    options = context.params
    names = {field.name for field in fields(BenchRequest)}
    asked = {name: value for name, value in options.items() if name in names}
    asked["changes"] = parse_changes(options["set_"] or ())
    asked["protocols"] = options.get("protocol")
    asked["command"] = typed()
    if "engine" in options:
        asked["engine"] = engine_of(context)
    return BenchRequest(**(asked | decided))
