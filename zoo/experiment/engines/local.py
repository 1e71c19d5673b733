"""This process, one job after the other."""

from collections.abc import Generator, Sequence
from pathlib import Path

import torch

from benchmark.device import choose_device
from benchmark.progress import Progress
from zoo.experiment import processes
from zoo.experiment.engines.job import Job, Outcome, Place, attempt
from zoo.experiment.options import ExecutionOptions


class LocalEngine:
    """Carries jobs out here; see `zoo.experiment.engines.job.Engine`."""

    name = "local"
    parallel = False

    @property
    def processes(self) -> int:
        """Those that a launcher started."""
        return processes.size()

    def device(self, asked: str) -> str:
        """What ``auto`` means on this machine.

        Raises:
            ValueError: there is no such device here, or too few for the processes.
        """
        found = choose_device(asked)
        if found == "cuda":
            processes.check_gpus(torch.cuda.device_count())
        return found

    def carry_out(
        self, jobs: Sequence[Job], out: Path, options: ExecutionOptions, progress: Progress
    ) -> Generator[Outcome, None, None]:
        """One after the other."""
        for number, job in enumerate(jobs):
            progress.begin(job.title)
            datasets = {s.fingerprint: s.dataset for s in job.sources if s.dataset is not None}
            place = Place(out=out, datasets=datasets, options=options, progress=progress)
            yield attempt(job, number, place)

    def close(self) -> None:
        """There is nothing to give back."""


LOCAL = LocalEngine()
