"""The engine that somebody asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

from zoo.experiment import processes
from zoo.experiment.engines.job import Engine
from zoo.experiment.engines.local import LOCAL
from zoo.experiment.options import EngineOptions


@contextmanager
def open_engine(asked: EngineOptions) -> Iterator[Engine]:
    """An engine, until it is no longer needed.

    Raises:
        RuntimeError: Ray is not installed.
        TooFewProcesses: the local engine needs more than there are; a launcher starts them.
        ValueError: a launcher started another number of processes, or several for Ray.
    """
    if asked.name == "local":
        processes.check_size(asked.processes_per_run)
        yield LOCAL
        return
    from zoo.experiment.engines.ray_engine import RayEngine

    if processes.size() > 1:
        raise ValueError("--engine ray places runs by itself: start it once, without torchrun")
    engine = RayEngine(asked)
    try:
        yield engine
    finally:
        engine.close()
