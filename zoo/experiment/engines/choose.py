"""The engine that somebody asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

from zoo.experiment.engines.job import Engine
from zoo.experiment.engines.local import LOCAL
from zoo.experiment.options import EngineOptions


@contextmanager
def open_engine(asked: EngineOptions) -> Iterator[Engine]:
    """An engine, until it is no longer needed.

    Raises:
        RuntimeError: Ray is not installed.
    """
    if asked.name == "local":
        yield LOCAL
        return
    from zoo.experiment.engines.ray_engine import RayEngine

    engine = RayEngine(asked)
    try:
        yield engine
    finally:
        engine.close()
