"""This process, one job after the other."""

from collections.abc import Generator, Sequence
from pathlib import Path

from benchmark.device import choose_device
from benchmark.progress import Progress
from zoo.experiment.engines.job import Job, Outcome, Place, attempt
from zoo.experiment.options import ExecutionOptions


class LocalEngine:
    """Carries jobs out here; see `zoo.experiment.engines.job.Engine`."""

    name = "local"
    parallel = False

    def device(self, asked: str) -> str:
        """What ``auto`` means on this machine.

        Raises:
            ValueError: there is no such device here.
        """
        return choose_device(asked)

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
