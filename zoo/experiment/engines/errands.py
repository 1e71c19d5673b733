"""Jobs that are under way on a cluster: sent, heard of, lost and sent again."""

import dataclasses
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
from zoo.experiment.engines.tasks import Tasks, send
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
        self.node, self.stage = "a machine", "start"
        self.line: Line | None = None
        self.ended: tuple[str, bool] | None = None  # why its processes did, and if to try again
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
        self.running: dict[int, Tasks] = {}
        self.task = ray.remote(max_retries=0)(carry_out)
        # a process that was in a group is used for nothing else
        self.shared_task = ray.remote(max_retries=0, max_calls=1)(carry_out)
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
            processes=1 if job.alone else self.cluster.options.processes_per_run,
        )
        refs = []
        for source in job.sources:
            if source.fingerprint not in self.sources:
                self.sources[source.fingerprint] = ray.put(source.packed())
            refs.append(self.sources[source.fingerprint])
        self.desk.begin.remote(attempt)
        bare = Job(title=job.title, work=job.work, files=job.files, alone=job.alone)
        task = self.task if errand.processes == 1 else self.shared_task

        def start(rank: int, options: dict) -> ray.ObjectRef:
            own = dataclasses.replace(errand, rank=rank)
            return task.options(name=job.title, **options).remote(bare, own, *refs)

        self.running[number] = send(start, asked, errand.processes)

    def look(self, seconds: float) -> Iterator[tuple[int, Outcome | None]]:
        """Wait a moment; the jobs that are over, and with None those that must be sent again."""
        going = [ref for tasks in self.running.values() for ref in tasks.going]
        ray.wait(going, timeout=seconds)
        over = {number: tasks.ended() for number, tasks in self.running.items()}
        for event in ray.get(self.desk.take.remote()):
            self._hear(*event)
        for number, ref in over.items():
            if ref is not None:
                self.running.pop(number).end()
                self.known[number].end_line()
                yield number, self._result(ref, number)

    # ---- what is heard ---------------------------------------------------------------------------

    def _hear(self, kind: str, attempt: Attempt, *parts) -> None:
        one = self.known[attempt.number]
        if attempt.again != one.again:
            return  # of a worker that was thought lost
        if kind == "start":
            self._started(one, *parts)
        elif kind == "ended":
            one.ended = parts
        elif kind == "note":
            self.progress.note(f"{one.title}, on {one.node}: {parts[0].strip()}")
        elif one.line is not None:
            what, done, total = parts
            one.stage = what
            one.line.advance(what, done, total)

    def _started(self, one: UnderWay, host: str, node_id: str) -> None:
        one.node = self._name(node_id, host)
        one.began = time.monotonic()
        one.line = self.progress.line(f"{one.title}, on {one.node}")
        one.line.advance("start", 0, 1)
        self.progress.note(f"{one.title}, on {one.node}")

    def _name(self, node_id: str, host: str = "a machine") -> str:
        return {node.id: node.name for node in self.cluster.nodes()}.get(node_id, host)

    def _result(self, ref: ray.ObjectRef, number: int) -> Outcome | None:
        """How a job ended; None if it is to be sent again."""
        one = self.known[number]
        try:
            found = ray.get(ref)
        except RayTaskError as error:  # a bug, or something that cannot be sent
            cause = getattr(error, "cause", error)
            return self._failed(number, f"{type(cause).__name__}: {one_line(cause)}")
        except RayError as error:
            (why, again), one.ended = one.ended or (type(error).__name__, True), None
            return self._lost(number, f"was lost ({why})") if again else self._failed(number, why)
        if isinstance(found, Unfit):
            node = self._name(found.node_id)
            if found.node_id not in self.cluster.unfit:  # jobs may have been on their way there
                self.progress.note(f"{node} gets no more runs: {found.reason}")
            self.cluster.unfit[found.node_id] = f"{node}: {found.reason}"
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
        firsts = [tasks.first for tasks in self.running.values()]
        for ref in firsts:
            ray.cancel(ref, force=False)
        _, late = ray.wait(firsts, num_returns=len(firsts), timeout=PATIENCE_S)
        for ref in late:
            ray.cancel(ref, force=True)
        for tasks in self.running.values():
            tasks.end()
        self.running.clear()
