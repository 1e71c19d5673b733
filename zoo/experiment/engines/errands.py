"""Jobs that are under way on a cluster: sent, heard of, lost and sent again."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from benchmark.progress import Line, Progress
from zoo.experiment.engines.cluster import Cluster
from zoo.experiment.engines.desk import Attempt, Desk
from zoo.experiment.engines.job import Job, Outcome
from zoo.experiment.engines.luggage import Piece
from zoo.experiment.engines.node import Broken, Errand, Unfit, carry_out
from zoo.experiment.engines.travel import remove_probe, write_probe
from zoo.experiment.faults import one_line
from zoo.experiment.options import ExecutionOptions

AGAIN = 3  # how often a job that was lost is sent once more
PATIENCE_S = 5.0  # how long cancelled jobs may take to put their files away


class UnderWay:
    """What is known of one job.

    Args:
        title: for people.
    """

    def __init__(self, title: str):
        self.title = title
        self.again = 0
        self.node_id, self.node, self.stage = "", "a machine", "start"
        self.line: Line | None = None
        self.began = time.monotonic()

    def end_line(self) -> None:
        """It is no longer shown."""
        if self.line is not None:
            self.line.end()
        self.line = None


class Errands:
    """Sends jobs and follows them; use it as a context, which cancels what is left.

    Args:
        cluster: where.
        jobs: all that there are.
        out: result folder.
        options: device and workers.
        luggage: what the user added.
        progress: told what happens.
    """

    def __init__(
        self,
        cluster: Cluster,
        jobs: Sequence[Job],
        out: Path,
        options: ExecutionOptions,
        luggage: tuple[Piece, ...],
        progress: Progress,
    ):
        self.cluster, self.jobs, self.out, self.options = cluster, jobs, out, options
        self.luggage, self.progress = luggage, progress
        self.known = [UnderWay(job.title) for job in jobs]
        self.running: dict[ray.ObjectRef, int] = {}
        self.task = ray.remote(max_retries=0)(carry_out)
        self.sources: dict[str, ray.ObjectRef] = {}

    def __enter__(self) -> "Errands":
        here = ray.get_runtime_context().get_node_id()
        beside = NodeAffinitySchedulingStrategy(here, soft=False)
        self.out.mkdir(parents=True, exist_ok=True)
        self.token = write_probe(self.out)
        self.desk = (
            ray.remote(Desk).options(num_cpus=0, scheduling_strategy=beside).remote(self.out)
        )
        return self

    def __exit__(self, *_) -> None:
        try:
            self._cancel()
        finally:
            ray.kill(self.desk)
            remove_probe(self.out, self.token)
            for one in self.known:
                one.end_line()

    def send(self, number: int) -> None:
        """Let Ray place a job.

        Raises:
            ValueError, OSError: as `Cluster.demand`.
        """
        job, attempt = self.jobs[number], Attempt(number, self.known[number].again)
        asked = self.cluster.demand(job, self.options.device)
        errand = Errand(
            attempt=attempt,
            out=self.out,
            token=self.token,
            options=self.options,
            threads=self.cluster.cpus(self.options.device),
            luggage=self.luggage,
            desk=self.desk,
        )
        refs = []
        for source in job.sources:
            if source.fingerprint not in self.sources:
                self.sources[source.fingerprint] = ray.put(source.packed())
            refs.append(self.sources[source.fingerprint])
        self.desk.begin.remote(attempt)
        bare = Job(title=job.title, work=job.work, files=job.files, alone=job.alone)
        ref = self.task.options(name=job.title, **asked).remote(bare, errand, *refs)
        self.running[ref] = number

    def look(self, seconds: float) -> Iterator[tuple[int, Outcome | None]]:
        """Wait a moment; the jobs that are over, and with None those that must be sent again."""
        done, _ = ray.wait(list(self.running), timeout=seconds)
        for event in ray.get(self.desk.take.remote()):
            self._hear(*event)
        for ref in done:
            number = self.running.pop(ref)
            self.known[number].end_line()
            yield number, self._result(ref, number)

    # ---- what is heard ---------------------------------------------------------------------------

    def _hear(self, kind: str, attempt: Attempt, *parts) -> None:
        one = self.known[attempt.number]
        if attempt.again != one.again:
            return  # of a worker that was thought lost
        if kind == "start":
            self._started(one, *parts)
        elif kind == "note":
            self.progress.note(f"{one.title}, on {one.node}: {parts[0].strip()}")
        elif one.line is not None:
            what, done, total = parts
            one.stage = what
            one.line.advance(what, done, total)

    def _started(self, one: UnderWay, host: str, node_id: str) -> None:
        names = {node.id: node.name for node in self.cluster.nodes()}
        one.node_id, one.node = node_id, names.get(node_id, host)
        one.began = time.monotonic()
        one.line = self.progress.line(f"{one.title}, on {one.node}")
        one.line.advance("start", 0, 1)
        self.progress.note(f"{one.title}, on {one.node}")

    def _result(self, ref: ray.ObjectRef, number: int) -> Outcome | None:
        """How a job ended; None if it is to be sent again."""
        one = self.known[number]
        try:
            found = ray.get(ref)
        except RayTaskError as error:  # a bug, or something that cannot be sent
            cause = getattr(error, "cause", error)
            return self._failed(number, f"{type(cause).__name__}: {one_line(cause)}")
        except RayError as error:
            return self._lost(number, f"was lost ({type(error).__name__})")
        if isinstance(found, Unfit):
            if one.node_id not in self.cluster.unfit:  # jobs may have been on their way there
                self.progress.note(f"{one.node} gets no more runs: {found.reason}")
            self.cluster.unfit[one.node_id] = f"{one.node}: {found.reason}"
            return None
        if isinstance(found, Broken):
            return self._lost(number, f"failed ({found.reason})")
        return found

    def _lost(self, number: int, why: str) -> Outcome | None:
        one = self.known[number]
        one.again += 1
        if one.again > AGAIN:
            return self._failed(number, f"{one.node} {why}, after {AGAIN} further attempts")
        self.progress.note(f"{one.title}: {one.node} {why}; begun again ({one.again} of {AGAIN})")
        return None

    def _failed(self, number: int, reason: str) -> Outcome:
        one = self.known[number]
        took = time.monotonic() - one.began
        return Outcome(number=number, stage=one.stage, reason=reason, seconds=took)

    def _cancel(self) -> None:
        """End what is under way; a job has a moment to put its checkpoint away."""
        if not self.running:
            return
        for ref in self.running:
            ray.cancel(ref, force=False)
        _, late = ray.wait(list(self.running), num_returns=len(self.running), timeout=PATIENCE_S)
        for ref in late:
            ray.cancel(ref, force=True)
        self.running.clear()
