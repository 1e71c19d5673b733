"""Data sets by name, those of plugins among them."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.datasets import catalogue
from benchmark.datasets.base import OUTLINE, Dataset
from benchmark.datasets.check.scores import cautions
from benchmark.progress import SILENT, Progress
from zoo import plugins
from zoo.checkpoints.publish import FinishedRun
from zoo.experiment.engines.job import Source
from zoo.experiment.spec import RunSpec

_WITH_FOLDER = re.compile(r"(?P<name>([^=\[]|\[[^]]*\])+)=(?P<folder>.+)")


def open_dataset(
    name: str,
    root: Path | str | None = None,
    *,
    progress: Progress = SILENT,
    render: bool = True,
) -> Dataset:
    """Open a data set by name: names and numbers, no pixels.

    What is wrong with the copy and changes scores, as ``zoo data check`` tells it, is in its notes.

    Args:
        name: a variant, e.g. ``mars`` or ``synthetic[occlusion=0.6]``.
        root: where it lies; the synthetic set renders itself into a cache without one.
        progress: told of long work.
        render: False tells what a set that makes itself will hold, and makes nothing.

    Raises:
        LookupError: no data set, or no knob, of that name.
        ValueError: a knob's value does not fit, or no root was given where one is needed.
        FileNotFoundError: data are missing; the message names the first missing thing.
    """
    extra = plugins.plugin_functions("DATASETS", "zoo.datasets")
    folder = None if root is None else Path(root)
    found = catalogue.open_dataset(name, folder, progress=progress, extra=extra, render=render)
    return found if OUTLINE in found.notes else _with_cautions(found, folder, extra)


def name_of_test_part(name: str) -> str:
    """The data set of that name, its test part alone if it makes itself; nothing is opened."""
    extra = plugins.plugin_functions("DATASETS", "zoo.datasets")
    return catalogue.name_of_test_part(name, extra) or name


def is_same(name: str, other: str) -> bool:
    """Whether two names, without suffixes, are of one data set with the same knobs.

    Raises:
        LookupError, ValueError: one of them is no name.
    """
    extra = plugins.plugin_functions("DATASETS", "zoo.datasets")
    return catalogue.canonical(name, extra) == catalogue.canonical(other, extra)


def _with_cautions(
    found: Dataset, root: Path | None, extra: Sequence[catalogue.Brought]
) -> Dataset:
    """With a note on each fault of the copy that changes scores, so that every record tells it."""
    first, *others = catalogue.parse_name(found.name).variants
    if others:
        return found  # joined sets are numbered anew
    told = cautions(catalogue.find_kind(first.name, extra), found, root)
    return dataclasses.replace(found, notes=(*found.notes, *told)) if told else found


def open_further(
    text: str, root: Path | None, progress: Progress = SILENT, *, render: bool = True
) -> Dataset:
    """Open a data set beside the one that is trained on: ``NAME`` or ``NAME=DIR``.

    Without DIR it lies in the folder of its name, in or beside that of the first, or in the same
    one; a set that makes itself needs none.

    Raises:
        LookupError, ValueError, FileNotFoundError: as `open_dataset`.
    """
    name, place = place_of_further(text, root)
    return open_dataset(name, place, progress=progress, render=render)


def place_of_further(text: str, root: Path | None) -> tuple[str, Path | None]:
    """Name and folder of such a data set."""
    given = _WITH_FOLDER.fullmatch(text)
    if given:
        return given["name"], Path(given["folder"])
    name = catalogue.parse_name(text).variants[0].name
    if root is None or catalogue.is_self_made(text):
        return text, None
    around = root.absolute().parent
    places = (root / name, root / f"{name}.pack", around / name, around / f"{name}.pack")
    return text, next(filter(Path.is_dir, places), root)


def source_of(dataset: Dataset, roots: Mapping[str, Path | None]) -> Source:
    """An open data set, and how another machine opens it.

    Args:
        dataset: open here.
        roots: where data sets that were opened by name lie, by fingerprint.
    """
    if dataset.fingerprint not in roots:
        return Source(fingerprint=dataset.fingerprint, name=None, root=None, dataset=dataset)
    root = roots[dataset.fingerprint]
    return Source(
        fingerprint=dataset.fingerprint,
        name=catalogue.name_of_split(dataset.name, dataset.split),
        root=None if root is None else root.absolute(),
        dataset=dataset,
    )


def open_data_of(
    run: RunSpec | FinishedRun, data_root: Path | None = None, progress: Progress = SILENT
) -> Dataset:
    """The data set, split and limit of a run.

    Raises:
        FileNotFoundError: data are missing.
        ValueError: the data here have another fingerprint.
    """
    name = catalogue.name_of_split(run.dataset, run.split)
    dataset = open_dataset(name, data_root, progress=progress)
    if dataset.fingerprint != run.fingerprint:
        raise ValueError(
            f"{run.dataset} here has fingerprint {dataset.fingerprint}, the run was made on "
            f"{run.fingerprint}: look at it where that copy lies, or run it again"
        )
    return dataset
