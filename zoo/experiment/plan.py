"""A benchmark: a plan of runs, method × split × seed, carried out one after the other."""

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from benchmark import rerank as reranking
from benchmark.clips import ImageError
from benchmark.datasets.base import Dataset
from benchmark.datasets.catalogue import open_dataset
from benchmark.datasets.check.image_integrity import faults
from benchmark.device import check_precision, choose_device
from benchmark.files import remove_parts, write_json, write_text
from benchmark.recipes import Recipe, recipe
from benchmark.train import Diverged
from benchmark.variants import Variant, split_list
from zoo import plugins, registry
from zoo.checkpoints.config import read_settings
from zoo.checkpoints.table import table
from zoo.cli.display import Display
from zoo.experiment import pretrained
from zoo.experiment.run import choose_protocols, run, train_only
from zoo.experiment.spec import Conditions, RunSpec, specify
from zoo.experiment.sweep import Sweep, open_sweep, score_sweep

LOOKED_AT = ".images"  # file of the fingerprints whose images were looked at
ORPHANS = 8.0  # seconds that the image loaders of a killed run may hold its folder
EXPECTED = (ValueError, LookupError, OSError, RuntimeError)  # what one failed method may raise


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the user asked for; see ``zoo bench --help``."""

    methods: str
    dataset: str
    recipe: str | None
    changes: dict[str, object]
    seeds: int
    protocols: str | None
    data_root: Path | None
    out: Path | None
    device: str
    precision: str
    workers: int
    limit: int | None
    command: str
    sweep: str | None = None
    pretrained: bool = False
    rerank: str | None = None
    train_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Runs to be carried out into a folder.

    Attributes:
        runs: each with the data set (split) that it is trained and scored on.
        out: the result folder.
        conditions: device, workers and protocols.
        sweep: further test sets that every run is scored on.
        train_only: stop every run when it is trained.
    """

    runs: tuple[tuple[RunSpec, Dataset], ...]
    out: Path
    conditions: Conditions
    sweep: Sweep | None = None
    train_only: bool = False


def plan(order: Order, display: Display) -> Plan:
    """Resolve every name, open the data and check that each method takes the recipe's clips.

    Raises:
        LookupError: an unknown name.
        ValueError: something does not fit; the message says what.
        OSError: data are missing.
    """
    device = choose_device(order.device)
    check_precision(order.precision, device)
    names = expand_methods(order.methods)
    make = _pretrained_runs if order.pretrained else _trained_runs
    splits, runs, rules = make(order, names, display)
    sweep = None
    if order.sweep is not None:
        sweep = open_sweep(order.sweep, splits[0], order.dataset, _opener(order, display))
    default = Path("results") / f"{splits[0].name}-{rules}".translate(_SAFE)
    conditions = Conditions(
        device=device,
        workers=order.workers,
        protocols=choose_protocols(order.protocols, splits[0]),
        command=order.command,
        rerank=None if order.rerank is None else str(reranking.parse(order.rerank)),
    )
    return Plan(
        runs=tuple(runs),
        out=order.out or default,
        conditions=conditions,
        sweep=sweep,
        train_only=order.train_only,
    )


Runs = list[tuple[RunSpec, Dataset]]


def _trained_runs(order: Order, names: list[str], display: Display) -> tuple[list, Runs, str]:
    """The splits, a run for each method, split and seed, and what the recipes are called."""
    recipes = {name: choose_recipe(name, order) for name in names}
    if order.recipe is None and choose_device(order.device) == "cpu":
        display.note("no GPU: recipe quick (say --recipe unified for the full one)")
    for name, chosen in recipes.items():
        check_fit(name, chosen)
    splits = _splits(order, display)
    runs = [
        (specify(name, chosen, dataset, seed=seed, precision=order.precision), dataset)
        for name, chosen in recipes.items()
        for dataset in splits
        for seed in range(order.seeds)
    ]
    return splits, runs, "paper" if order.recipe == "paper" else runs[0][0].recipe


def _pretrained_runs(order: Order, names: list[str], display: Display) -> tuple[list, Runs, str]:
    """The same where weights are taken from checkpoints; what has none is told."""
    if order.recipe is not None or order.changes or order.seeds != 1:
        raise ValueError("--pretrained trains nothing: leave out --recipe, --set and --seeds")
    settings = read_settings()
    splits = _splits(dataclasses.replace(order, limit=None), display)
    choice = pretrained.choose(names, splits[0], table(settings), settings)
    for line in choice.lines:
        display.note(line)
    if order.limit is not None:
        splits = [dataset.limited(order.limit) for dataset in splits]
    return splits, pretrained.runs(choice, splits, order.precision, settings), "pretrained"


_SAFE = str.maketrans({c: "-" for c in "[]=,:/ "})


def choose_recipe(method: str, order: Order) -> Recipe:
    """The recipe asked for; else ``unified`` on a GPU and ``quick`` elsewhere.

    ``paper`` is each method's own: ``paper/<method>``.
    """
    name = order.recipe or ("quick" if choose_device(order.device) == "cpu" else "unified")
    if name == "paper":
        name = f"paper/{registry.variants.parse(method).name}"
    return recipe(name, order.changes)


def expand_methods(text: str) -> list[str]:
    """``"stenvan,sta[blocks=8]"`` as canonical names; ``all`` and wildcards name plain methods.

    Raises:
        LookupError: a name that is not known, or a wildcard that matches nothing.
    """
    names: list[str] = []
    for part in split_list(text):
        pattern = "*" if part == "all" else part
        if "*" in pattern:
            found = registry.list_methods(pattern)
            if not found:
                raise LookupError(f"no method is called {part!r}: `zoo list methods` shows all")
            names += found
        else:
            names.append(str(registry.find(part)[1]))
    if not names:
        raise ValueError("--methods names no method, e.g. --methods stenvan,sta")
    return list(dict.fromkeys(names))


def check_fit(method: str, chosen: Recipe) -> None:
    """Refuse clips that a method does not take, before anything is trained.

    Raises:
        ValueError: names the method and the number that does not fit.
    """
    function, _ = registry.find(method)
    backbone = str(chosen.backbone_of(registry.own_backbone(function)))
    size = chosen.height, chosen.width
    model = registry.create(method, backbone=backbone, size=size).eval()
    for frames in dict.fromkeys((chosen.frames, chosen.rule.frames)):
        try:
            with torch.inference_mode():
                model(torch.zeros(1, frames, 3, chosen.height, chosen.width))
        except ValueError as error:
            raise ValueError(f"{method} under recipe {chosen.variant}: {error}") from None


def _opener(order: Order, display: Display) -> Callable[[str], Dataset]:
    """Opens a data set by name, from where the user said and no more of it than asked for."""

    def opened(text: str) -> Dataset:
        found = open_dataset(
            text,
            order.data_root,
            on_progress=display.progress,
            extra=plugins.plugin_functions("DATASETS", "zoo.datasets"),
        )
        return found if order.limit is None else found.limited(order.limit)

    return opened


def _splits(order: Order, display: Display) -> list[Dataset]:
    """The data set, once for each of its splits."""
    opened = _opener(order, display)
    first = opened(order.dataset)
    if first.splits == 1:
        return [first]
    asked = registry.variants.parse(order.dataset)
    if "split" in asked.arguments:
        return [first]
    texts = [str(Variant(asked.name, {**asked.arguments, "split": k})) for k in range(first.splits)]
    return [first, *(opened(text) for text in texts[1:])]


# ---- carrying it out -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that could not be finished."""

    method: str
    split: int
    seed: int
    stage: str
    reason: str


def execute(plan: Plan, display: Display) -> list[Failure]:
    """Carry out the runs; one that fails does not stop the others.

    Raises:
        OSError: the result folder cannot be written, or another process is writing into it.
    """
    with lock(plan.out):
        _look_at_images(plan, display)
        failures = []
        for i, (spec, dataset) in enumerate(plan.runs, start=1):
            split = f", split {spec.split}" if dataset.splits > 1 else ""
            display.begin(f"[{i}/{len(plan.runs)}] {spec.method}, seed {spec.seed}{split}")
            failure = _attempt(spec, dataset, plan, display)
            if failure is not None:
                failures.append(failure)
                display.note(f"  failed: {failure.reason}")
        return failures


def _look_at_images(plan: Plan, display: Display) -> None:
    """Stop at an image that is missing or cut short before hours of training do; once a folder.

    Raises:
        ImageError: names the first one, and how many there are.
    """
    kept = plan.out / LOOKED_AT
    seen = kept.read_text(encoding="utf-8").split() if kept.is_file() else []
    datasets = {dataset.fingerprint: dataset for _, dataset in plan.runs}
    new = [dataset for fingerprint, dataset in datasets.items() if fingerprint not in seen]
    if not new:
        return
    tracklets = dict.fromkeys(t for dataset in new for t in (*dataset.train, *dataset.test))
    paths = list(dict.fromkeys(t.path(i) for t in tracklets for i in range(len(t))))
    broken = list(faults(paths, deep=False, on_progress=display.progress))
    if broken:
        more = f", and {len(broken) - 1} more" if len(broken) > 1 else ""
        raise ImageError(
            f"{' '.join(broken[0])}{more}: put the image back, or take its tracklet out "
            "(`zoo data check` names all)"
        )
    write_text(kept, "\n".join([*seen, *(dataset.fingerprint for dataset in new)]) + "\n")


def _attempt(spec: RunSpec, dataset: Dataset, plan: Plan, display: Display) -> Failure | None:
    folder = plan.out / "runs" / spec.folder
    stage = "start"

    def progress(what: str, done: int, total: int) -> None:
        nonlocal stage
        stage = what
        display.progress(what, done, total)

    how = {"dataset": dataset, "conditions": plan.conditions, "on_progress": progress}
    try:
        if plan.train_only:
            train_only(spec, folder, **how)
        elif spec.checkpoint:
            run(spec, folder, **how, checkpoint=pretrained.fetch(spec, display))
        else:
            run(spec, folder, **how)
        if plan.sweep is not None:
            score_sweep(spec, folder, plan.sweep, plan.conditions, progress)
    except EXPECTED as error:
        if os.environ.get("ZOO_DEBUG"):
            raise
        reason = one_line(error)
        failure = Failure(
            method=spec.method, split=spec.split, seed=spec.seed, stage=stage, reason=reason
        )
        if isinstance(error, ValueError | LookupError | ImageError | Diverged | RuntimeError):
            write_json(folder / "failure.json", dataclasses.asdict(failure))
            return failure
        raise  # the disk is full or read-only: no other run would fare better
    (folder / "failure.json").unlink(missing_ok=True)
    return None


def lock(out: Path) -> FileLock:
    """Hold a result folder, so that no other process writes into it.

    Raises:
        OSError: another process holds it, or it cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        held = FileLock(out / ".lock")
        held.acquire(timeout=ORPHANS)
    except Timeout:
        raise OSError(
            f"{out} is being written by another process: wait for it, or give another --out"
        ) from None
    except OSError as error:
        raise OSError(
            f"{out} cannot be written ({error.strerror or error}): give another --out"
        ) from None
    for folder in (out, out / "runs"):
        remove_parts(folder)
    return held


def one_line(error: BaseException) -> str:
    """What an error says, in one line."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    return " ".join(text.split()) or type(error).__name__
