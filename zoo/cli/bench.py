"""``zoo bench``: train, score, cost and report several methods under one set of rules."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import DataRoot, Device, Plugin, Precision, Rerank, Workers

EXAMPLES = (
    "Examples: zoo bench --methods stenvan,sta --dataset synthetic | "
    "zoo bench --methods 'nvan,sta[blocks=8]' --dataset mars --data-root ~/data/mars --seeds 3 | "
    "zoo bench --dataset folder --data-root ~/tracklets --set epochs=10 --dry-run. "
    "zoo bench --pretrained. "
    "Quote names with brackets. The same command goes on after an interruption."
)


Chosen = Annotated[
    str | None,
    typer.Option(
        help="Methods, separated by commas; wildcards; all [default: stenvan,sta; with "
        "--pretrained all]."
    ),
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
Seeds = Annotated[int, typer.Option(min=1, help="Runs of each method, with seeds 0, 1, ….")]
Protocols = Annotated[
    str | None,
    typer.Option(help="Scoring rules, separated by commas; all [default: the data set's own]."),
]
Out = Annotated[
    Path | None, typer.Option(help="Result folder [default: results/<data set>-<recipe>].")
]
Pretrained = Annotated[
    bool,
    typer.Option("--pretrained", help="Train nothing: take the checkpoints that there are."),
]
Limit = Annotated[
    int | None, typer.Option(min=2, help="First N persons only: to try the road, not to quote.")
]
Sweep = Annotated[
    str | None,
    typer.Option(
        help="Score every run also with a knob of the test set turned: occlusion=0:0.8:0.2."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan with estimates and stop.")]


def bench(
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
    out: Out = None,
    device: Device = "auto",
    precision: Precision = "no",
    workers: Workers = 2,
    plugin: Plugin = None,
    limit: Limit = None,
    dry_run: DryRun = False,
) -> int:
    """Train, score and cost methods under identical rules, and report on them."""
    from benchmark.recipes import parse_changes
    from zoo import plugins
    from zoo.cli.display import Display
    from zoo.experiment.plan import Order

    for module in plugin or ():
        plugins.add_plugin(module)
    order = Order(
        methods=_default(pretrained) if methods is None else methods,
        dataset=dataset,
        recipe=recipe,
        changes=parse_changes(set_ or ()),
        seeds=seeds,
        protocols=protocol,
        data_root=data_root,
        out=out,
        device=device,
        precision=precision,
        workers=workers,
        limit=limit,
        command=shlex.join(["zoo", *sys.argv[1:]]),
        sweep=sweep,
        pretrained=pretrained,
        rerank=rerank,
    )
    with Display() as display:
        return _carry_out(order, display, dry_run)


def _default(pretrained: bool) -> str:
    return "all" if pretrained else "stenvan,sta"


def _carry_out(order, display, dry_run: bool) -> int:
    from zoo.experiment import plan as benches

    plan = benches.plan(order, display)
    if dry_run:
        return _dry_run(plan)
    failures = benches.execute(plan, display)
    from reports.build import build

    report = build([plan.out], plan.out)
    for problem in report.problems:
        display.note(f"left out of the report: {problem}")
    for failure in failures:
        display.note(f"{failure.method}, seed {failure.seed}, failed: {failure.reason}")
    display.note("report:")
    print(report.path)
    return 1 if failures or report.problems else 0


def _dry_run(plan) -> int:
    from benchmark.progress import duration
    from zoo.cli.display import show
    from zoo.experiment.estimate import describe, estimate

    estimates = [estimate(spec, dataset, plan.conditions.device) for spec, dataset in plan.runs]
    rows = [
        {
            "method": spec.method,
            "split": spec.split,
            "seed": spec.seed,
            "recipe": spec.recipe,
            "run": spec.id,
            "steps": e.steps,
            "time": duration(e.seconds),
            "memory_gb": round(e.memory_mb / 1e3, 2),
        }
        for (spec, _), e in zip(plan.runs, estimates, strict=True)
    ]
    show(rows, as_json=False)
    print(describe(plan, estimates), file=sys.stderr)
    return 0
