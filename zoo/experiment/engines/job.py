"""What every engine is given, and what it gives back.

A job is a piece of work that can be sent to another process and begun again: it takes from the
result folder what an earlier attempt left there. Engines know nothing of runs, and what plans them
nothing of engines.
"""

import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from benchmark.datasets.base import Dataset
from benchmark.progress import Line, Progress
from zoo.experiment.faults import ends_the_plan, reason_of
from zoo.experiment.options import ExecutionOptions


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A data set that a job reads.

    Attributes:
        fingerprint: which bits.
        name: what opens it by name on another machine; None for one that was made in Python.
        root: where it lies, the same path on every machine; None for a set that makes itself.
        dataset: open in this process; None where it is to be opened by name.
    """

    fingerprint: str
    name: str | None
    root: Path | None
    dataset: Dataset | None

    def packed(self) -> "Source":
        """What is sent elsewhere: a name, or a whole data set where it has none."""
        return self if self.name is None else replace(self, dataset=None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """Where a job is carried out.

    Attributes:
        out: result folder, or one like it on a machine that does not see the user's.
        datasets: the job's, by fingerprint.
        options: device and workers.
        progress: who is told.
    """

    out: Path
    datasets: Mapping[str, Dataset]
    options: ExecutionOptions
    progress: Progress


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """A piece of work.

    Attributes:
        title: for people.
        work: does it; begun again, it goes on from its files.
        sources: data sets that it reads.
        files: patterns of what it reads and writes, relative to the result folder.
        alone: nothing else may happen on its GPU, or on its machine where it has none.
    """

    title: str
    work: Callable[[Place], object]
    sources: tuple[Source, ...] = ()
    files: tuple[str, ...] = ()
    alone: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """How a job ended.

    Attributes:
        number: place of the job among those that the engine was given.
        value: what the work returned.
        stage: what it was at when it failed; None if it did not.
        reason: why, in one line.
        seconds: from its beginning to its end, where it was carried out.
    """

    number: int
    value: object = None
    stage: str | None = None
    reason: str = ""
    seconds: float = 0.0


class Engine(Protocol):
    """What carries jobs out.

    Attributes:
        name: of the engine, for records.
        parallel: several jobs may go on at a time.
    """

    name: str
    parallel: bool

    @property
    def processes(self) -> int:
        """How many share a run."""

    def device(self, asked: str) -> str:
        """``cpu``, ``cuda`` or ``mps``: what ``auto`` means where the jobs will be.

        Raises:
            ValueError: there is no such device.
            OSError: there is no such cluster.
        """

    def carry_out(
        self, jobs: Sequence[Job], out: Path, options: ExecutionOptions, progress: Progress
    ) -> Generator[Outcome, None, None]:
        """Carry out jobs; yields each when it is over. Closing the generator ends all others.

        Args:
            jobs: in the order in which they begin.
            out: result folder.
            options: device and workers.
            progress: told what begins where, how far it is, and what was lost.

        Raises:
            OSError: the result folder cannot be written.
        """

    def close(self) -> None:
        """Give back what the engine holds."""


class Stages:
    """Passes progress on and remembers which stage work has come to."""

    def __init__(self, progress: Progress):
        self.progress, self.stage = progress, "start"

    def begin(self, title: str) -> None:
        """Pass it on."""
        self.progress.begin(title)

    def advance(self, what: str, done: int, total: int) -> None:
        """Pass it on."""
        self.stage = what
        self.progress.advance(what, done, total)

    def note(self, line: str) -> None:
        """Pass it on."""
        self.progress.note(line)

    def line(self, title: str) -> Line:
        """Pass it on."""
        return self.progress.line(title)


def attempt(job: Job, number: int, place: Place) -> Outcome:
    """Carry out a job here; whatever it raises is its failure, unless no other could go on either.

    Raises:
        OSError: the disk is full or lost.
    """
    stages, began = Stages(place.progress), time.monotonic()
    try:
        value = job.work(replace(place, progress=stages))
        return Outcome(number=number, value=value, seconds=time.monotonic() - began)
    except (Exception, SystemExit) as error:  # whatever a method's code may raise
        if os.environ.get("ZOO_DEBUG") or ends_the_plan(error, place.out):
            raise
        return Outcome(
            number=number,
            stage=stages.stage,
            reason=reason_of(error),
            seconds=time.monotonic() - began,
        )
