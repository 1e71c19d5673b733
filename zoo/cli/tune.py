"""``zoo tune``: each method's settings chosen on held-out training persons, with equal budgets."""

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
    Methods,
    Out,
    Plugin,
    Precision,
    ProcessesPerRun,
    Protocols,
    RecipeName,
    Seeds,
    Workers,
    request_of,
)

EXAMPLES = """
zoo tune --methods stenvan,sta --dataset mars --data-root ~/data/mars --trials 20
zoo tune --methods sta --search 'lr=log:1e-5:1e-3,sta.regularisation=log:0.01:10'
zoo tune --methods all --space mine.toml --dry-run

The same command goes on after an interruption. The test part is opened once, at the end.
"""
Trials = Annotated[
    int, typer.Option(min=1, help="Trials of each method; the first is the recipe as it stands.")
]
Budget = Annotated[
    str | None,
    typer.Option(help="What each method may spend on trials: clips, 2000000, or hours, 1.5h."),
]
SpaceName = Annotated[str, typer.Option("--space", help="unified@1, or a TOML file.")]
SearchText = Annotated[
    str | None,
    typer.Option(
        "--search",
        help="Further parameters, quoted: 'lr=log:1e-5:1e-3,sta.blocks=choice:2|4|8'.",
    ),
]
Folds = Annotated[int, typer.Option(min=2, help="One fold of so many is held out.")]


def tune(
    context: typer.Context,
    methods: Methods = "stenvan,sta",
    dataset: DatasetName = "synthetic",
    data_root: DataRoot = None,
    recipe: RecipeName = None,
    set_: Changes = None,
    trials: Trials = 20,
    budget: Budget = None,
    space: SpaceName = "unified@1",
    search: SearchText = None,
    folds: Folds = 5,
    seeds: Seeds = 1,
    protocol: Protocols = None,
    out: Out = None,
    device: Device = "auto",
    precision: Precision = "no",
    workers: Workers = 2,
    compile: Compile = False,
    cudnn_benchmark: CudnnBenchmark = False,
    limit: Limit = None,
    plugin: Plugin = None,
    engine: EngineName = "local",
    address: Address = "local",
    gpus_per_run: GpusPerRun = 1.0,
    cpus_per_run: CpusPerRun = None,
    at_once: AtOnce = None,
    processes_per_run: ProcessesPerRun = 1,
    dry_run: DryRun = False,
) -> int:
    """Choose settings for each method on held-out training persons, then train, score, report."""
    from zoo.cli.ending import end_with, finish
    from zoo.experiment.live_progress import LiveProgress
    from zoo.experiment.read_space import open_space
    from zoo.experiment.request import Budget, TuneRequest
    from zoo.experiment.tune import carry_out

    with LiveProgress() as progress:
        request = TuneRequest(
            bench=request_of(context),
            space=open_space(space, search),
            trials=trials,
            budget=Budget.read(budget),
            folds=folds,
        )
        if dry_run:
            return _estimate(request, progress)
        result = carry_out(request, progress)
        report = finish(result.bench.plan, result.failures, progress)
        for method, part in result.summary["methods"].items():
            used = part["spent"]
            progress.note(
                f"{method}: {used['trials']} trials, {used['clips']} clips, {used['hours']:.2f} h"
            )
        progress.note(f"study: {result.path}")
    end_with(report, result.bench.plan)
    return 1 if result.failures or report.problems else 0


def _estimate(request, progress) -> int:
    from benchmark.progress import duration
    from zoo.cli.display import show
    from zoo.experiment.engines.choose import open_engine
    from zoo.experiment.estimate import estimates
    from zoo.experiment.plan import plan
    from zoo.experiment.tune_plan import TunePlan

    with open_engine(request.bench.engine) as engine:
        TunePlan(request, progress, engine)  # what does not fit is an error now
        planned = plan(request.bench, engine=engine)
        found = estimates(planned, progress)
    rows, total = {}, 0.0
    for run, one in zip(planned.runs, found, strict=True):
        if run.spec.method in rows:
            continue
        seconds = one.seconds * (request.trials + 2 * request.bench.seeds)
        total += seconds
        rows[run.spec.method] = {
            "method": run.spec.method,
            "trials": request.trials,
            "final_runs": 2 * request.bench.seeds,
            "at_most": duration(seconds),
        }
    show(list(rows.values()), as_json=False)
    progress.note(f"at most {duration(total)}; successive halving ends many trials early")
    return 0
