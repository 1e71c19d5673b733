"""A Ray cluster: jobs go where there is room, and begin again where a worker or machine was lost.

Ray places and starts the work. What is counted here is how often a job was begun, and which
machines lack the data; what is kept lies in the result folder.
"""

import os
from collections import deque
from collections.abc import Generator, Sequence
from pathlib import Path

from benchmark.device import choose_device
from benchmark.extras import require
from benchmark.progress import Progress
from zoo.experiment.engines.job import Job, Outcome
from zoo.experiment.engines.luggage import pack
from zoo.experiment.options import EngineOptions, ExecutionOptions

POLL_S = 0.2  # between two looks at what happened
# a Ray that is started here tells nobody of its use, and listens on the loopback address alone: it
# reads these when it is imported, and the second is its own switch for machines with firewalls
KEPT_TO_ITSELF = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


class RayEngine:
    """Carries jobs out on a cluster; see `zoo.experiment.engines.job.Engine`.

    Args:
        options: which cluster, and how much of it a job gets.

    Raises:
        RuntimeError: Ray is not installed.
    """

    name = "ray"
    parallel = True

    def __init__(self, options: EngineOptions):
        require("runs under --engine ray", "ray")
        if options.address == "local":
            os.environ.update(KEPT_TO_ITSELF)
        self.options = options
        self.started = False

    @property
    def processes(self) -> int:
        """Ray tasks of a run."""
        return self.options.processes_per_run

    def device(self, asked: str) -> str:
        """``cuda`` where the cluster has a GPU, else ``cpu``.

        Raises:
            ValueError: the cluster has no such device.
            OSError: there is no cluster.
        """
        if asked in ("auto", "cuda"):
            if self.options.address == "local":
                return choose_device("cuda" if asked == "cuda" else _without_mps())
            there = any(node.gpus for node in self._cluster().nodes())
            if asked == "cuda" and not there:
                raise ValueError(f"no machine of the cluster at {self.options.address} has a GPU")
            return "cuda" if there else "cpu"
        if asked != "cpu":
            raise ValueError(f"device {asked!r} is not for --engine ray: expected cpu or cuda")
        return asked

    def carry_out(
        self, jobs: Sequence[Job], out: Path, options: ExecutionOptions, progress: Progress
    ) -> Generator[Outcome, None, None]:
        """As many at a time as find room."""
        from zoo.experiment.engines.errands import Errands

        luggage = pack()
        cluster = self._cluster()
        limit = self.options.at_once or len(jobs)
        with Errands(cluster, jobs, Path(out).absolute(), options, luggage, progress) as errands:
            waiting = deque(range(len(jobs)))
            while waiting or errands.running:
                while waiting and len(errands.running) < limit:
                    errands.send(waiting.popleft())
                for number, outcome in errands.look(POLL_S):
                    if outcome is None:
                        waiting.append(number)
                    else:
                        yield outcome

    def close(self) -> None:
        """Stop the Ray that was started here; one that was joined goes on."""
        if self.started:
            import ray

            ray.shutdown()
            self.started = False

    def _cluster(self):
        from zoo.experiment.engines.cluster import Cluster, connect

        self.started = connect(self.options.address) or self.started
        return Cluster(self.options)


def _without_mps() -> str:
    found = choose_device("auto")
    return "cpu" if found == "mps" else found
