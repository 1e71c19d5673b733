"""``zoo train``: the first stage of a bench by itself."""

from zoo.cli.options import (
    Changes,
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
    Workers,
    typed,
)

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
    from zoo.experiment.execute import execute
    from zoo.experiment.folder import RunFolder
    from zoo.experiment.live_progress import LiveProgress
    from zoo.experiment.plan import plan
    from zoo.experiment.request import BenchRequest

    request = BenchRequest(
        methods=methods,
        dataset=dataset,
        recipe=recipe,
        changes=parse_changes(set_ or ()),
        seeds=seeds,
        data_root=data_root,
        out=out,
        device=device,
        precision=precision,
        workers=workers,
        limit=limit,
        command=typed(),
        train_only=True,
    )
    with LiveProgress() as progress:
        planned = plan(request, progress)
        failures = execute(planned, progress)
        for failure in failures:
            progress.note(f"{failure.method}, seed {failure.seed}, failed: {failure.reason}")
    for run in planned.runs:
        weights = RunFolder(planned.out / "runs" / run.spec.folder).weights
        if weights.is_file():
            print(weights)
    return 1 if failures else 0
