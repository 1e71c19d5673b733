"""``zoo train``: the first stage of a bench by itself."""

import typer

from zoo.cli.options import (
    Changes,
    Compile,
    CudnnBenchmark,
    DataRoot,
    DatasetName,
    Device,
    Limit,
    Methods,
    Out,
    Plugin,
    Precision,
    RecipeName,
    Seeds,
    Select,
    Validate,
    Workers,
    request_of,
)

EXAMPLES = """
zoo train --methods stenvan --dataset mars --data-root ~/data/mars
zoo train --methods nvan,sta --seeds 3 --set epochs=20

`zoo bench` with the same options goes on from what is trained.
"""


def train(
    context: typer.Context,
    methods: Methods = "stenvan,sta",
    dataset: DatasetName = "synthetic",
    data_root: DataRoot = None,
    recipe: RecipeName = None,
    set_: Changes = None,
    seeds: Seeds = 1,
    validate: Validate = 0,
    select: Select = "last",
    out: Out = None,
    device: Device = "auto",
    precision: Precision = "no",
    workers: Workers = 2,
    compile: Compile = False,
    cudnn_benchmark: CudnnBenchmark = False,
    limit: Limit = None,
    plugin: Plugin = None,
) -> int:
    """Train methods and score nothing; prints the files of the weights."""
    from zoo.experiment.execute import execute
    from zoo.experiment.folder import RunFolder
    from zoo.experiment.live_progress import LiveProgress
    from zoo.experiment.plan import plan

    request = request_of(context, train_only=True)
    with LiveProgress() as progress:
        planned = plan(request, progress)
        failures = execute(planned, progress)
        for failure in failures:
            progress.note(str(failure))
    for run in planned.runs:
        weights = RunFolder.of(run.spec, planned.out).weights
        if weights.is_file():
            print(weights)
    return 1 if failures else 0
