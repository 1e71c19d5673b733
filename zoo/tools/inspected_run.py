"""A finished run opened to be looked into, and which of its queries are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark import embed
from benchmark.datasets.base import Dataset
from benchmark.label import Label
from benchmark.ranking import Embeddings
from benchmark.recipe import DISTANCES, Evaluation, Recipe
from benchmark.record import Record
from benchmark.variants import choose
from zoo.experiment.folder import RunFolder
from zoo.experiment.rescore import open_run_folder
from zoo.experiment.run import Run


@dataclass(frozen=True, kw_only=True, eq=False)
class InspectedRun:
    """A run that has results, with what is needed to look into it.

    Attributes:
        run: the run, with the data set that it was scored on.
        record: the result that is looked into.
        label: of the record.
        recipe: how its clips are made.
        per_query: its per-query table, by test row.
        tracks: one vector a test track.
    """

    run: Run
    record: Record
    label: Label
    recipe: Recipe
    per_query: pd.DataFrame
    tracks: Embeddings

    @property
    def dataset(self) -> Dataset:
        """The one it was scored on."""
        return self.run.dataset


def open_run(path: Path, label: str | None = None, data_root: Path | None = None) -> InspectedRun:
    """Read a finished run and open its data.

    Args:
        path: the run's folder.
        label: a result label or the name of its protocol; None takes the data set's own.
        data_root: where the data set lies.

    Raises:
        FileNotFoundError: the folder is no finished run, or data are missing.
        LookupError: the run has no such label.
        ValueError: the data set is not the one that was scored.
    """
    folder = RunFolder(path)
    found = results_of(folder)
    if not found:
        folder.spec()
        raise FileNotFoundError(f"{path} has no records: the run is not finished")
    names = {entry.label: entry for entry in found}
    names |= {Label.parse(entry.label).protocol: entry for entry in reversed(found)}
    run = open_run_folder(path, data_root)
    if label is None:
        chosen = names.get(run.dataset.protocol, found[0])
    else:
        chosen = choose(label, names, "label of this run,")
    return look_into(run, chosen)


def look_into(run: Run, chosen: Record) -> InspectedRun:
    """A finished run with one of its results.

    Raises:
        FileNotFoundError: its vectors have gone.
    """
    folder, rules = run.folder, Label.parse(chosen.label)
    recipe = run.spec.trained_by(Evaluation(frames=rules.frames, distance=rules.distance))
    embeddings = embed.load(folder.embeddings(recipe.rule))
    return InspectedRun(
        run=run,
        record=chosen,
        label=rules,
        recipe=recipe,
        per_query=pd.read_csv(folder.records / str(chosen.per_query)).set_index("query"),
        tracks=embeddings.pooled(DISTANCES[rules.distance][1]),
    )


def results_of(folder: RunFolder) -> list[Record]:
    """Those on the run's own data set, without re-ranking, which has other distances."""
    own = folder.spec().fingerprint
    return [
        entry
        for entry in folder.read_records()
        if entry.fingerprint == own and Label.parse(entry.label).rerank is None and entry.per_query
    ]


def choose_queries(run: InspectedRun, rows: Sequence[int], worst: int) -> list[int]:
    """The given test rows, then those of the ``worst`` lowest AP.

    Raises:
        ValueError: a row is no query that was scored.
    """
    for row in rows:
        if row not in run.per_query.index:
            near = run.per_query.index[np.argsort(np.abs(run.per_query.index - row))[:3]]
            raise ValueError(
                f"test row {row} is no query of {run.record.label}: the nearest are "
                f"{', '.join(str(n) for n in sorted(near))} "
                f"({run.run.folder.records / str(run.record.per_query)} lists all)"
            )
    ordered = run.per_query.sort_values(["AP", "query"], kind="stable").index
    return list(dict.fromkeys([*rows, *ordered[:worst].tolist()]))
