"""From a request to a plan of runs: method × split × seed, each checked before it is trained."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.datasets.check.scores import CAUTION
from benchmark.device import check_precision
from benchmark.distributed import check_share
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Recipe
from benchmark.variants import Variant
from zoo import registry
from zoo.checkpoints.config import read_settings
from zoo.checkpoints.table import table
from zoo.experiment import pretrained
from zoo.experiment.data import open_dataset, open_further, place_of_further
from zoo.experiment.engines.job import Engine
from zoo.experiment.engines.local import LOCAL
from zoo.experiment.options import ExecutionOptions, Scoring
from zoo.experiment.provenance import random_start
from zoo.experiment.request import BenchRequest
from zoo.experiment.resolve import check_methods, choose_recipe, expand_methods, scoring_of
from zoo.experiment.spec import RunSpec, specify
from zoo.experiment.sweep import Sweep, open_sweep
from zoo.experiment.validate import ValidationPlan


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A run that is to be carried out.

    Attributes:
        spec: what it is.
        dataset: the data set (split) that it is trained and scored on.
        scoring: what its results are scored under.
        fault: why the method's code cannot be run, in one line: the run fails at its turn.
    """

    spec: RunSpec
    dataset: Dataset
    scoring: Scoring
    fault: str | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Runs to be carried out into a folder.

    Attributes:
        runs: in the order in which they are carried out.
        out: the result folder.
        options: device and workers.
        sweep: test sets that differ in one knob, on which every run is scored as well.
        also_test: further data sets whose test parts every run is scored on.
        train_only: stop every run when it is trained.
        roots: by fingerprint, where the data sets that were opened by name lie; None for those that
            make themselves.
    """

    runs: tuple[PlannedRun, ...]
    out: Path
    options: ExecutionOptions
    sweep: Sweep | None = None
    also_test: tuple[Dataset, ...] = ()
    train_only: bool = False
    roots: Mapping[str, Path | None] = field(default_factory=dict)


def plan(request: BenchRequest, progress: Progress = SILENT, engine: Engine = LOCAL) -> Plan:
    """Resolve every name, open the data and check that each method takes the recipe's clips.

    Args:
        request: what is asked for.
        progress: who is told.
        engine: what will carry it out: it knows devices, and how many processes share a run.

    Raises:
        LookupError: an unknown name.
        ValueError: something does not fit; the message says what.
        OSError: data are missing.
    """
    request = dataclasses.replace(request, device=engine.device(request.device))
    check_precision(request.precision, request.device)
    names = expand_methods(request.methods)
    opener = _opener(request, progress)
    make = _pretrained_runs if request.pretrained else _trained_runs
    runs, what = make(request, names, opener, progress)
    for run in runs:
        persons = min(run.spec.settings["ids_per_batch"], len(run.dataset.train_pids))
        check_share(persons, 1 if run.spec.checkpoint else engine.processes)
    first = runs[0].dataset
    for note in dict.fromkeys(note for run in runs for note in run.dataset.notes):
        if note.startswith(CAUTION):
            progress.note(f"{first.name}: {note}")
    named = first.name if isinstance(request.dataset, Dataset) else request.dataset
    sweep = None if request.sweep is None else open_sweep(request.sweep, first, named, opener)
    further = tuple(_further(one, request, progress) for one in request.also_test)
    return Plan(
        runs=tuple(runs),
        out=request.out or result_folder(f"{first.name}-{what}"),
        options=request.options(engine.name),
        sweep=sweep,
        also_test=further,
        train_only=request.train_only,
        roots=_roots(request, runs, sweep, further),
    )


def _roots(
    request: BenchRequest, runs: list[PlannedRun], sweep: Sweep | None, further: tuple[Dataset, ...]
) -> dict[str, Path | None]:
    """See `Plan.roots`."""
    found = {} if sweep is None else {one.fingerprint: request.data_root for _, one in sweep.points}
    if isinstance(request.dataset, str):
        found |= {run.dataset.fingerprint: request.data_root for run in runs}
    for asked, dataset in zip(request.also_test, further, strict=True):
        if isinstance(asked, str):
            found[dataset.fingerprint] = place_of_further(asked, request.data_root)[1]
    return found


def result_folder(name: str) -> Path:
    """Where results go that were given no folder: what they are of, as a file's name."""
    return Path("results") / name.translate(str.maketrans("[]=,:/ ", "-------"))[:200]


Opener = Callable[[str], Dataset]


def _trained_runs(
    request: BenchRequest, names: list[str], opener: Opener, progress: Progress
) -> tuple[list[PlannedRun], str]:
    """A run for each method, split and seed, and what the recipes are called."""
    recipes = {name: choose_recipe(name, request) for name in names}
    if request.recipe is None and request.device == "cpu":
        progress.note("no GPU: recipe quick (say --recipe unified for the full one)")
    faults = check_methods(recipes, progress, compute=not request.dry_run)
    splits = _splits(request, opener)
    runs = [
        PlannedRun(
            spec=specify(
                name,
                chosen,
                dataset,
                seed=seed,
                precision=request.precision,
                validation=_validation(request, chosen, dataset),
            ),
            dataset=dataset,
            scoring=scoring_of(request, chosen, dataset),
            fault=faults[name],
        )
        for name, chosen in recipes.items()
        for dataset in splits
        for seed in range(request.seeds)
    ]
    _note_random_starts(runs, progress)
    return runs, "paper" if request.recipe == "paper" else runs[0].spec.recipe


def _note_random_starts(runs: list[PlannedRun], progress: Progress) -> None:
    """A line for each backbone that the recipe has no weights for."""
    found: dict[str, list[str]] = {}
    for spec in (run.spec for run in runs if run.spec.starts_at_random):
        found.setdefault(random_start(spec), []).append(spec.method)
    for line, methods in found.items():
        progress.note(f"{', '.join(dict.fromkeys(methods))}: {line}")


def _validation(request: BenchRequest, chosen: Recipe, dataset: Dataset) -> dict | None:
    """How epochs are scored; an error now if the data set has too few persons for it."""
    if not request.validate and request.select == "last":
        return None
    found = ValidationPlan(
        every=max(request.validate, 1),
        select=request.select,
        frames=str(chosen.rule),
        distance=chosen.evaluation.distance,
    )
    dataset.held_out(found.fold, found.folds)
    return dataclasses.asdict(found)


def _pretrained_runs(
    request: BenchRequest, names: list[str], opener: Opener, progress: Progress
) -> tuple[list[PlannedRun], str]:
    """The same where weights are taken from checkpoints; what has none is said."""
    if request.recipe is not None or request.changes or request.seeds != 1:
        raise ValueError("--pretrained trains nothing: leave out --recipe, --set and --seeds")
    settings = read_settings()
    whole = dataclasses.replace(request, limit=None)  # its fingerprint is the checkpoints'
    splits = _splits(whole, _opener(whole, progress))
    choice = pretrained.choose(names, splits[0], table(settings), settings)
    for line in choice.lines:
        progress.note(line)
    if request.limit is not None:
        splits = [dataset.limited(request.limit) for dataset in splits]
    runs = [
        PlannedRun(spec=spec, dataset=dataset, scoring=scoring_of(request, chosen, dataset))
        for spec, chosen, dataset in pretrained.runs(choice, splits, request.precision, settings)
    ]
    return runs, "pretrained"


def _opener(request: BenchRequest, progress: Progress) -> Opener:
    """Opens a data set by name, from where the user said and no more of it than asked for."""

    def opened(text: str) -> Dataset:
        found = open_dataset(text, request.data_root, progress=progress, render=not request.dry_run)
        return found if request.limit is None else found.limited(request.limit)

    return opened


def open_splits(request: BenchRequest, progress: Progress = SILENT) -> list[Dataset]:
    """The data set of a request, once for each of its splits.

    Raises:
        LookupError, ValueError, OSError: as `benchmark.datasets.catalogue.open_dataset`.
    """
    return _splits(request, _opener(request, progress))


def _further(asked: str | Dataset, request: BenchRequest, progress: Progress) -> Dataset:
    """A data set that is scored on as well; no smoke test scores on the whole of it."""
    if isinstance(asked, str):
        asked = open_further(asked, request.data_root, progress, render=not request.dry_run)
    return asked if request.limit is None else asked.limited(request.limit)


def _splits(request: BenchRequest, opener: Opener) -> list[Dataset]:
    """The data set, once for each of its splits."""
    if isinstance(request.dataset, Dataset):
        return [request.dataset]
    first = opener(request.dataset)
    if first.splits == 1:
        return [first]
    asked = registry.variants.parse(request.dataset)
    if "split" in asked.arguments:
        return [first]
    texts = [str(Variant(asked.name, {**asked.arguments, "split": k})) for k in range(first.splits)]
    return [first, *(opener(text) for text in texts[1:])]


def fingerprints(runs: Iterable[PlannedRun]) -> dict[str, Dataset]:
    """The data sets of the runs, each once, by fingerprint."""
    return {run.dataset.fingerprint: run.dataset for run in runs}
