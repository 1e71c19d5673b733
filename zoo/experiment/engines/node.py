"""What a worker of a Ray cluster does with a job."""

import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ray
import torch

from benchmark.datasets.base import Dataset
from benchmark.datasets.storage import path_of
from benchmark.progress import SILENT, Line, Progress
from zoo.experiment.data import open_dataset
from zoo.experiment.engines.desk import Attempt
from zoo.experiment.engines.job import Job, Outcome, Place, Source, attempt
from zoo.experiment.engines.luggage import Piece, unpack
from zoo.experiment.engines.meeting import process_group
from zoo.experiment.engines.travel import Copy, scratch_folder, sees
from zoo.experiment.faults import one_line
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.processes import lead

TELL_EVERY_S = 0.3  # between two times that the driver hears of the same stage
_OPENED: dict[tuple[str, str | None], Dataset] = {}


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What a worker is told beside the job.

    Attributes:
        attempt: which job, and which time it is begun.
        out: the user's result folder.
        token: of the probe that lies in it.
        options: device and workers.
        threads: of torch.
        luggage: what the user added.
        desk: actor that events and files go to.
        rank: which of the job's processes it is, from 0.
        processes: that share the job.
    """

    attempt: Attempt
    out: Path
    token: str
    options: ExecutionOptions
    threads: int
    luggage: tuple[Piece, ...]
    desk: ray.actor.ActorHandle
    rank: int = 0
    processes: int = 1


@dataclass(frozen=True)
class Unfit:
    """A machine, by Ray's id, lacks what the job needs; another may have it."""

    reason: str
    node_id: str


@dataclass(frozen=True)
class Broken:
    """The machine failed the job: its disk is full, say."""

    reason: str


def carry_out(job: Job, errand: Errand, *sources: Source) -> Outcome | Unfit | Broken | None:
    """Carry out a job on this machine, or help the first of its processes; then None is returned.

    Args:
        job: what is to be done; its own sources stayed with the driver.
        errand: with what.
        sources: data sets, by name or whole.
    """
    reporter, is_first = Reporter(errand), errand.rank == 0
    if is_first:
        reporter.start()
    torch.set_num_threads(errand.threads)
    try:
        unpack(errand.luggage)
        told = reporter if is_first else SILENT
        datasets = {one.fingerprint: _open(one, told) for one in sources}
    except (OSError, ValueError, LookupError) as error:
        return Unfit(one_line(error), ray.get_runtime_context().get_node_id())

    def work() -> Outcome:
        with _folder(job, errand, reporter) as out:
            place = Place(out=out, datasets=datasets, options=errand.options, progress=reporter)
            return attempt(job, errand.attempt.number, place)

    try:
        with process_group(errand.desk, errand.attempt, errand.rank, errand.processes):
            return work() if errand.processes == 1 else lead(work, reporter.ended)
    except OSError as error:
        return Broken(one_line(error))


def _open(source: Source, progress: Progress) -> Dataset:
    """A data set on this machine; once a process.

    Raises:
        OSError, LookupError: it is not here.
        ValueError: it is another one.
    """
    key = source.fingerprint, source.name
    if key not in _OPENED:
        found = source.dataset
        if found is None:
            found = open_dataset(source.name, source.root, progress=progress)
        else:
            _check_folders(found)
        if found.fingerprint != source.fingerprint:
            raise ValueError(
                f"{source.name} there has fingerprint {found.fingerprint}, not "
                f"{source.fingerprint}: copy the same data to {source.root}"
            )
        _OPENED[key] = found
    return _OPENED[key]


def _check_folders(dataset: Dataset) -> None:
    for folder in dict.fromkeys(t.folder for t in (*dataset.train, *dataset.test)):
        if not path_of(folder).is_dir():
            raise FileNotFoundError(f"{folder} is not there: every machine needs the same data")


@contextmanager
def _folder(job: Job, errand: Errand, reporter: "Reporter") -> Iterator[Path]:
    """The user's result folder where it is seen, else one whose files travel."""
    if sees(errand.out, errand.token):
        yield errand.out
        return
    with scratch_folder() as scratch:
        reporter.copy = Copy(scratch, job.files, _Home(errand))
        reporter.copy.fetch()
        try:
            yield scratch
        finally:  # a job that was cancelled or failed leaves its checkpoint, too
            reporter.copy.send()


class _Home:
    """The driver's result folder, behind the desk."""

    def __init__(self, errand: Errand):
        self.desk, self.attempt = errand.desk, errand.attempt

    def files(self, patterns: Sequence[str]) -> Mapping[str, bytes]:
        """See `Desk.files`."""
        return ray.get(self.desk.files.remote(patterns))

    def store(self, name: str, data: bytes) -> None:
        """See `Desk.store`; waits until it is safe."""
        ray.get(self.desk.store.remote(self.attempt, name, data))

    def remove(self, name: str) -> None:
        """See `Desk.remove`."""
        ray.get(self.desk.remove.remote(self.attempt, name))


class Reporter:
    """Tells the desk how far a job is, and sends files when it is time to."""

    def __init__(self, errand: Errand):
        self.desk, self.attempt = errand.desk, errand.attempt
        self.what, self.told_at = "", 0.0
        self.copy: Copy | None = None

    def start(self) -> None:
        """The job has begun here; waits, since whoever dies next must be known."""
        node = ray.get_runtime_context().get_node_id()
        ray.get(self.desk.tell.remote("start", self.attempt, platform.node(), node))

    def begin(self, title: str) -> None:
        """A new part of the job."""
        self._tell("note", title)

    def advance(self, what: str, done: int, total: int) -> None:
        """How far it is; the driver hears of it now and then."""
        now = time.monotonic()
        if what != self.what or done >= total or now - self.told_at >= TELL_EVERY_S:
            self.what, self.told_at = what, now
            self._tell("advance", what, done, total)
        if self.copy is not None:
            self.copy.send_if_due()

    def note(self, line: str) -> None:
        """A line that stays."""
        self._tell("note", line)

    def line(self, title: str) -> Line:
        """A job is one line."""
        return self

    def end(self) -> None:
        """The driver sees that by itself."""

    def ended(self, line: str, again: bool) -> None:
        """Why all processes of the job end; waits, since this one is the next."""
        ray.get(self.desk.tell.remote("ended", self.attempt, line, again))

    def _tell(self, kind: str, *parts: object) -> None:
        self.desk.tell.remote(kind, self.attempt, *parts)
