"""A benchmark from Python: the same plan, runs and report as ``zoo bench``."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from torch import nn

from benchmark.datasets.base import Dataset
from benchmark.progress import SILENT, Progress
from benchmark.recipe import Recipe
from benchmark.record import Record
from reports.analysis.groups import groups
from reports.build import Report, build
from reports.formats import exports
from reports.read.results import collect
from zoo import plugins
from zoo.experiment import notebook
from zoo.experiment.engines.choose import open_engine
from zoo.experiment.execute import Failure, execute
from zoo.experiment.folder import RunFolder
from zoo.experiment.jobs import open_run
from zoo.experiment.live_progress import LiveProgress
from zoo.experiment.notebook import NotebookProgress
from zoo.experiment.options import EngineOptions
from zoo.experiment.plan import Plan, plan
from zoo.experiment.request import BenchRequest
from zoo.experiment.run import Run

Method = str | Callable[..., nn.Module]


@dataclass(frozen=True, eq=False)
class BenchResult:
    """What a benchmark found; in a notebook it shows its tables and figures.

    Attributes:
        plan: what was asked for.
        failures: runs that could not be finished.
    """

    plan: Plan
    failures: tuple[Failure, ...]

    @property
    def out(self) -> Path:
        """The result folder."""
        return self.plan.out

    @property
    def runs(self) -> list[Run]:
        """The runs, each in its folder: ``run.score(…)`` scores it under other rules."""
        out, options = self.plan.out, self.plan.options
        return [open_run(one.spec, one.dataset, out, options, SILENT) for one in self.plan.runs]

    @property
    def records(self) -> list[Record]:
        """A record for each run, label and test set."""
        folders = [RunFolder.of(run.spec, self.out) for run in self.plan.runs]
        return [entry for folder in folders for entry in folder.read_records()]

    @property
    def table(self) -> pd.DataFrame:
        """The report's rows with intervals, as in report.csv.

        A row a method, data set, recipe and label. Metrics are fractions in [0, 1]; costs are in
        the unit that their name ends with.
        """
        return exports.frame(groups(collect([self.out]).frame))

    def report(
        self, out: Path | str | None = None, formats: Sequence[str] = ("md", "html")
    ) -> Report:
        """Write the same files as the command does.

        Args:
            out: folder; None is the result folder.
            formats: of ``md``, ``html``, ``tex``, ``csv``, ``json``.
        """
        return build([self.out], Path(out or self.out), tuple(formats))

    def _repr_html_(self) -> str:
        return notebook.as_html(self.table, self._figures, [str(one) for one in self.failures])

    @cached_property
    def _figures(self) -> dict[str, bytes]:
        """The report's figures of the results, as PNG by file name, drawn once."""
        if self.table.empty:
            return {}
        with tempfile.TemporaryDirectory(prefix="zoo-figures-") as folder:
            made = build([self.out], Path(folder), ("md",)).written
            return {
                f"{path.parent.name}/{path.name}": path.read_bytes()
                for path in made
                if path.suffix == ".png" and path.name.startswith(notebook.SHOWN)
            }


def bench(
    methods: Method | Sequence[Method] = ("stenvan", "sta"),
    *,
    dataset: str | Dataset = "synthetic",
    recipe: str | Recipe | None = None,
    seeds: int = 1,
    protocols: str | None = None,
    rerank: str | None = None,
    also_test: Sequence[str | Dataset] = (),
    data_root: Path | str | None = None,
    out: Path | str | None = None,
    device: str = "auto",
    precision: str = "no",
    workers: int = 2,
    limit: int | None = None,
    engine: str | EngineOptions = "local",
    progress: Progress | None = None,
) -> BenchResult:
    """Train, score and cost methods under identical rules; what is done already is kept.

    The same request from the command line has the same run ids and bits; `carry_out` takes more.

    Args:
        methods: names, variants, or functions ``method(backbone, num_classes, …) -> nn.Module``.
        dataset: a variant, e.g. ``synthetic[occlusion=0.6]``, or an open data set.
        recipe: a name, ``paper``, or of `zoo.recipe`; None: ``unified`` on a GPU, else ``quick``.
        seeds: runs of each method.
        protocols: names separated by commas, or ``all``; None is the data set's own.
        rerank: score again after this re-ranking, e.g. ``kr(20,6,0.3)``.
        also_test: further data sets to score on: open, ``NAME`` or ``NAME=DIR``.
        data_root: where the data lie.
        out: result folder; None makes a name from data set and recipe.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``no`` (float32), ``fp16`` or ``bf16``.
        workers: processes that load images.
        limit: smoke test: the first so many identities only.
        engine: ``local``, ``ray``, or `zoo.experiment.options.EngineOptions`.
        progress: who is told; None shows a bar on a terminal or in a notebook.

    Raises:
        LookupError, ValueError, OSError: as `carry_out`.
    """
    request = BenchRequest(
        methods=names_of(methods),
        dataset=dataset,
        recipe=recipe,
        seeds=seeds,
        protocols=protocols,
        rerank=rerank,
        also_test=tuple(also_test),
        data_root=None if data_root is None else Path(data_root),
        out=None if out is None else Path(out),
        device=device,
        precision=precision,
        workers=workers,
        limit=limit,
        command="zoo.bench(…)",
        engine=engine_options(engine),
    )
    return carry_out(request, progress)


def carry_out(request: BenchRequest, progress: Progress | None = None) -> BenchResult:
    """Carry out everything that ``zoo bench`` can be asked for.

    Args:
        request: what is asked for.
        progress: who is told; None shows a bar on a terminal or in a notebook.

    Raises:
        LookupError: an unknown name.
        ValueError: something does not fit; the message says what.
        OSError: data are missing, or the result folder cannot be written.
    """
    with shown(progress) as told, open_engine(request.engine) as engine:
        planned = plan(request, told, engine)
        return BenchResult(planned, tuple(execute(planned, told, engine)))


def engine_options(engine: str | EngineOptions) -> EngineOptions:
    """The options of an engine that may be given by its name."""
    return EngineOptions(name=engine) if isinstance(engine, str) else engine


@contextmanager
def shown(progress: Progress | None) -> Iterator[Progress]:
    """The progress that was given; else a bar in a notebook or on a terminal, and nothing else."""
    if progress is not None:
        yield progress
    elif notebook.is_notebook():
        with NotebookProgress() as bar:
            yield bar
    else:
        with LiveProgress() as bar:
            yield bar if bar.live else SILENT


def names_of(methods: Method | Sequence[Method]) -> str:
    """The methods' names, separated by commas; a function is registered under its own."""
    asked = [methods] if isinstance(methods, str) or callable(methods) else list(methods)
    for method in asked:
        if not isinstance(method, str):
            plugins.register("method", method)
    return ",".join(one if isinstance(one, str) else one.__name__ for one in asked)


def load_records(*folders: Path | str) -> pd.DataFrame:
    """Every record below result folders, a row each.

    Returns:
        Columns are the fields of `benchmark.record.Record`; metrics are columns of their own, as
        fractions in [0, 1].

    Raises:
        FileNotFoundError: a folder is not there.
    """
    for folder in folders:
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"{folder} is no folder: name what `zoo bench --out` wrote")
    return collect([Path(folder) for folder in folders]).frame
