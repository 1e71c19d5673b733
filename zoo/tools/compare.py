"""Runs side by side: what they differ by, where, and what that looks like."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.base import Dataset
from benchmark.datasets.catalogue import is_self_made
from benchmark.progress import SILENT, Progress
from benchmark.record import Record
from reports import comparison as pages
from reports.analysis.comparing import differences, widest
from reports.read import inspection
from reports.read.compared import Compared, Film, System
from reports.read.inspection import Inspection
from zoo.experiment.data import open_data_of
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.run import Run
from zoo.tools.compared_runs import Chosen, Member, choose_runs
from zoo.tools.distances import Tally
from zoo.tools.inspect_query import film
from zoo.tools.inspected_run import InspectedRun, look_into

TOP = 5  # tracks shown of each ranking
MOST_LOOKED = 10  # inspections shown


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found.

    Attributes:
        compared: systems, films and the rest, as arrays and tables.
    """

    compared: Compared

    @cached_property
    def table(self) -> pd.DataFrame:
        """Every pair under every metric, see `reports.analysis.comparing.differences`."""
        return differences(self.compared.systems)

    def report(self, out: Path | str, formats: Sequence[str] = pages.FORMATS) -> list[Path]:
        """Write compare.md, compare.html and their pictures, as the command does.

        Args:
            out: folder.
            formats: of ``md`` and ``html``.
        """
        return pages.write(self.compared, Path(out), tuple(formats))


def compare(
    *runs: Path | str,
    methods: str | None = None,
    label: str | None = None,
    split: int | None = None,
    data_root: Path | str | None = None,
    progress: Progress = SILENT,
) -> Comparison:
    """Compare finished runs on the queries that all of them were scored on; nothing is trained.

    Args:
        runs: folders of runs, or of results, all of whose finished runs are taken. Runs that differ
            in the seed alone are one system.
        methods: names or wildcards, separated by commas: which of the runs found.
        label: a result label or its protocol; None takes the first that all runs have.
        split: which split, where runs are of several.
        data_root: where the data set lies; film strips and tracklet lengths need it, unless it is a
            set that makes itself.
        progress: told the queries done.

    Raises:
        FileNotFoundError: a folder holds no finished run, or data are missing.
        LookupError: no run of such a method, or no such label.
        ValueError: the runs do not compare: other data, split or label.
    """
    if not runs:
        raise ValueError("nothing to compare: name two runs or more, or a result folder")
    chosen = choose_runs([Path(run) for run in runs], methods, label, split)
    notes: list[str] = []
    systems = sorted(
        (_system(name, of_one, notes, progress) for name, of_one in chosen.systems.items()),
        key=lambda one: (-float(one.mean("AP").mean()), one.name),
    )
    dataset = _open(chosen, data_root, notes, progress)
    rows = widest(systems)
    firsts = [chosen.systems[one.name][0] for one in systems]
    films = _films(firsts, dataset, rows, notes, progress)
    frames = None if dataset is None else _lengths(dataset, systems[0])
    spec = chosen.spec
    return Comparison(
        Compared(
            dataset=spec.dataset,
            fingerprint=spec.fingerprint,
            split=spec.split,
            label=str(chosen.label),
            systems=tuple(systems),
            frames=frames,
            films=films,
            looked=_looked(chosen, systems, rows, notes),
            notes=tuple(dict.fromkeys(notes)),
        )
    )


def _system(
    name: str, members: Sequence[tuple[Member, Record]], notes: list[str], progress: Progress
) -> System:
    tally = Tally()
    try:
        for member, record in members:
            progress.begin(member.name)
            tally.add(member, record, progress)
    except FileNotFoundError as error:
        notes.append(f"no distances and no pairs of cameras of {name}: {error}")
        tally = Tally()
    first = members[0][0]
    tables = [pd.read_csv(one.folder.records / str(record.per_query)) for one, record in members]
    costs = [record.cost.get("gmacs") for _, record in members if record.cost]
    return System(
        name=name,
        method=first.spec.method,
        recipe=first.spec.recipe,
        seeds=tuple(member.spec.seed for member, _ in members),
        folders=tuple(str(member.folder) for member, _ in members),
        queries=tuple(tables),
        gmacs=float(costs[0]) if costs and costs[0] is not None else float("nan"),
        distances=tally.distances(),
        cameras=tally.cameras(len(members)),
    )


def _open(
    chosen: Chosen, data_root: Path | str | None, notes: list[str], progress: Progress
) -> Dataset | None:
    if data_root is None and not is_self_made(chosen.spec.dataset):
        notes.append(
            f"no film strips and no tracklet lengths: name the folder of {chosen.spec.dataset} "
            "with --data-root"
        )
        return None
    return open_data_of(chosen.spec, None if data_root is None else Path(data_root), progress)


def _lengths(dataset: Dataset, system: System) -> pd.Series:
    rows = np.sort(system.queries[0]["query"].to_numpy())
    return pd.Series([len(dataset.test[row]) for row in rows.tolist()], index=rows)


def _films(
    firsts: Sequence[tuple[Member, Record]],
    dataset: Dataset | None,
    rows: Sequence[int],
    notes: list[str],
    progress: Progress,
) -> tuple[Film, ...]:
    """Each query as the first run of each system ranks it."""
    if dataset is None or not rows:
        return ()
    try:
        opened = [
            look_into(Run(one.spec, dataset, ExecutionOptions(), one.folder, progress), record)
            for one, record in firsts
        ]
    except FileNotFoundError:  # of vectors that have gone, which a note has said already
        return ()
    found = []
    for i, row in enumerate(rows):
        progress.advance("film strips", i, len(rows))
        found.append(Film(query=row, shown=tuple(_ranked(run, row) for run in opened)))
    progress.advance("film strips", len(rows), len(rows))
    return tuple(found)


def _ranked(run: InspectedRun, row: int) -> Inspection:
    """The query and its ranking; junk, which is the same for every system, is left out."""
    found = film(run, row, TOP)
    kept = tuple(strip for strip in found.strips if strip.kind != "junk")
    return dataclasses.replace(found, strips=kept, notes=())


def _looked(
    chosen: Chosen, systems: Sequence[System], rows: Sequence[int], notes: list[str]
) -> list[tuple[str, Inspection]]:
    """Inspections of the first runs: of the queries that differ most, then of others."""
    found: list[tuple[int, int, str, Inspection]] = []
    for i, system in enumerate(systems):
        for member, _ in chosen.systems[system.name]:
            for path in sorted(member.folder.inspection(chosen.label).glob("query-*.json")):
                try:
                    one = inspection.load(path)
                except ValueError as error:
                    notes.append(str(error))
                    continue
                place = rows.index(one.query) if one.query in rows else len(rows)
                found.append((place, i, system.name, one))
    found.sort(key=lambda one: (one[0], one[3].query, one[1]))
    if len(found) > MOST_LOOKED:
        notes.append(f"{len(found) - MOST_LOOKED} more inspected queries are not shown")
    return [(name, one) for _, _, name, one in found[:MOST_LOOKED]]
