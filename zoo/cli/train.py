"""``zoo train``: the first stage of a bench by itself."""

import shlex
import sys

from zoo.cli.bench import Changes, DatasetName, Limit, Out, RecipeName, Seeds
from zoo.cli.options import DataRoot, Device, Methods, Plugin, Precision, Workers

EXAMPLES = (
    "Examples: zoo train --methods stenvan --dataset mars --data-root ~/data/mars | "
    "zoo train --methods nvan,sta --seeds 3 --set epochs=20. "
    "`zoo bench` with the same options goes on from what is trained."
)


def train(
    methods: Methods = "stenvan,sta",
    dataset: DatasetName = "synthetic",
    data_root: DataRoot = None,
    recipe: RecipeName = None,
    set_: Changes = None,
    seeds: Seeds = 1,
    out: Out = None,
    device: Device = "auto",
    precision: Precision = "no",
    workers: Workers = 2,
    limit: Limit = None,
    plugin: Plugin = None,
) -> int:
    """Train methods and score nothing; prints the files of the weights."""
    from benchmark.recipes import parse_changes
    from zoo import plugins
    from zoo.cli.display import Display
    from zoo.experiment import plan as bench

    for module in plugin or ():
        plugins.add_plugin(module)
    order = bench.Order(
        methods=methods,
        dataset=dataset,
        recipe=recipe,
        changes=parse_changes(set_ or ()),
        seeds=seeds,
        protocols=None,
        data_root=data_root,
        out=out,
        device=device,
        precision=precision,
        workers=workers,
        limit=limit,
        command=shlex.join(["zoo", *sys.argv[1:]]),
        train_only=True,
    )
    with Display() as display:
        plan = bench.plan(order, display)
        failures = bench.execute(plan, display)
        for failure in failures:
            display.note(f"{failure.method}, seed {failure.seed}, failed: {failure.reason}")
    for spec, _ in plan.runs:
        weights = plan.out / "runs" / spec.folder / "weights.safetensors"
        if weights.is_file():
            print(weights)
    return 1 if failures else 0
