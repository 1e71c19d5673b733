"""``zoo bench``: train, score, cost and report several methods under one set of rules."""

import sys
from typing import Annotated

import typer

from zoo.cli.options import (
    Address,
    AtOnce,
    Changes,
    Compile,
    CpusPerRun,
    CudnnBenchmark,
    DataRoot,
    DatasetName,
    Device,
    DryRun,
    EngineName,
    GpusPerRun,
    Limit,
    Out,
    Plugin,
    Precision,
    ProcessesPerRun,
    Protocols,
    RecipeName,
    Rerank,
    Seeds,
    Select,
    Validate,
    Workers,
    request_of,
)

EXAMPLES = """
zoo bench --methods stenvan,sta --dataset synthetic
zoo bench --methods 'nvan,sta[blocks=8]' --dataset mars --data-root ~/data/mars --seeds 3
zoo bench --dataset folder --data-root ~/tracklets --set epochs=10 --dry-run
zoo bench --pretrained
zoo bench --methods 'sta[blocks=2|4|8,dimensions=512|1024]'
zoo bench --methods all --seeds 3 --engine ray
zoo bench --methods nvan --processes-per-run 4

Quote names with brackets, bars and stars; bars make a grid, of which every combination is
trained. --engine ray uses every GPU of this machine or of a cluster; --processes-per-run trains
one run on several GPUs, as torchrun does. The same command goes on after an interruption.
"""

Chosen = Annotated[
    str | None,
    typer.Option(
        help="Methods, separated by commas; wildcards; grids, 'sta[blocks=2|8]'; all [default: "
        "stenvan,sta; with --pretrained all]."
    ),
]
Pretrained = Annotated[
    bool, typer.Option("--pretrained", help="Train nothing: take the checkpoints that there are.")
]
Sweep = Annotated[
    str | None,
    typer.Option(
        help="Score every run also on test sets with one knob turned: occlusion=0:0.8:0.2."
    ),
]
AlsoTest = Annotated[
    str | None,
    typer.Option(
        help="Further data sets to score on, each by its protocol: NAME or NAME=DIR, with commas."
    ),
]


def bench(
    context: typer.Context,
    methods: Chosen = None,
    dataset: DatasetName = "synthetic",
    data_root: DataRoot = None,
    recipe: RecipeName = None,
    set_: Changes = None,
    seeds: Seeds = 1,
    protocol: Protocols = None,
    rerank: Rerank = None,
    pretrained: Pretrained = False,
    sweep: Sweep = None,
    also_test: AlsoTest = None,
    validate: Validate = 0,
    select: Select = "last",
    out: Out = None,
    device: Device = "auto",
    precision: Precision = "no",
    workers: Workers = 2,
    compile: Compile = False,
    cudnn_benchmark: CudnnBenchmark = False,
    plugin: Plugin = None,
    limit: Limit = None,
    engine: EngineName = "local",
    address: Address = "local",
    gpus_per_run: GpusPerRun = 1.0,
    cpus_per_run: CpusPerRun = None,
    at_once: AtOnce = None,
    processes_per_run: ProcessesPerRun = 1,
    dry_run: DryRun = False,
) -> int:
    """Train, score and cost methods under identical rules, and report on them."""
    from benchmark.variants import split_list
    from zoo.cli.ending import end_with, finish
    from zoo.experiment.engines.choose import open_engine
    from zoo.experiment.execute import execute
    from zoo.experiment.live_progress import LiveProgress
    from zoo.experiment.plan import plan

    request = request_of(
        context,
        methods=("all" if pretrained else "stenvan,sta") if methods is None else methods,
        also_test=tuple(split_list(also_test or "")),
    )
    with LiveProgress() as progress, open_engine(request.engine) as opened:
        planned = plan(request, progress, opened)
        if dry_run:
            return _dry_run(planned, progress)
        failures = execute(planned, progress, opened)
        report = finish(planned, failures, progress)
    end_with(report, planned)
    return 1 if failures or report.problems else 0


def _dry_run(planned, progress) -> int:
    from benchmark.datasets.base import OUTLINE
    from benchmark.progress import duration
    from zoo.cli.display import show
    from zoo.experiment.estimate import describe, estimates

    found = estimates(planned, progress)
    rows = [
        {
            "method": run.spec.method,
            "split": run.spec.split,
            "seed": run.spec.seed,
            "recipe": run.spec.recipe,
            "run": None if OUTLINE in run.dataset.notes else run.spec.id,
            "steps": e.steps,
            "time": duration(e.seconds),
            "memory_gb": round(e.memory_mb / 1e3, 2),
        }
        for run, e in zip(planned.runs, found, strict=True)
    ]
    show(rows, as_json=False)
    print(describe(planned, found), file=sys.stderr)
    return 0
