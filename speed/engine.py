"""Four equal runs by the Ray engine: two machines of one CPU against one, and what it costs a run.

The machines are simulated on this one, which must be idle and have three processors or more: the
driver works beside them. The same runs by the local engine, one thread, are the measure of what the
engine adds to a run. Workers are awake before the runs are timed: how long a machine's first one
takes to load Python, torch and this package is printed apart.
"""

import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmark.progress import SILENT
from zoo.experiment.engines.job import Engine, Job, Place
from zoo.experiment.engines.local import LOCAL
from zoo.experiment.engines.ray_engine import KEPT_TO_ITSELF, RayEngine
from zoo.experiment.execute import execute
from zoo.experiment.options import EngineOptions, ExecutionOptions
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.plan import plan
from zoo.experiment.request import BenchRequest

RUNS, EPOCHS, PERSONS = 4, 4, 40
LASTS_S = 3.0
MACHINE = {"num_cpus": 1, "object_store_memory": 100 * 2**20, "include_dashboard": False}


def main() -> None:
    """Print seconds and ratios."""
    torch.set_num_threads(1)
    if (processors := os.cpu_count() or 1) < 3:
        print(f"engine, {processors} processors are too few: two machines and a driver share them")
    with tempfile.TemporaryDirectory() as folder:
        local = seconds(Path(folder) / "local", LOCAL)
        awake, one, two = on_clusters(Path(folder))
    print(f"engine, a machine's first worker: awake after {awake:.1f} s")
    print(f"engine, {RUNS} equal runs, local: {local:.1f} s")
    print(f"engine, ray, one machine of one CPU: {one:.1f} s; two: {two:.1f} s")
    print(f"engine, two machines against one: ratio {one / two:.2f} (target 1.7)")
    print(f"engine, what ray adds to a run: {(one - local) / RUNS:.1f} s (target 5)")
    sys.stdout.flush()


def on_clusters(folder: Path) -> tuple[float, float, float]:
    """Seconds until a worker is awake, and of the runs on one machine and on two."""
    os.environ.update(KEPT_TO_ITSELF)
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=MACHINE)
    ray.init(cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    try:
        engine = RayEngine(EngineOptions(name="ray", address=cluster.address))
        awake = wake(engine, folder / "awake", 1)
        one = seconds(folder / "one", engine)
        cluster.add_node(**MACHINE)
        cluster.wait_for_nodes()
        wake(engine, folder / "awake", 2)
        return awake, one, seconds(folder / "two", engine)
    finally:
        ray.shutdown()
        cluster.shutdown()


def wake(engine: RayEngine, out: Path, machines: int) -> float:
    """How long it takes until every machine has carried out a job that does nothing but last."""
    started = time.perf_counter()
    jobs = [Job(title="wake", work=last)] * machines
    for outcome in engine.carry_out(jobs, out, ExecutionOptions(), SILENT):
        if outcome.stage is not None:
            raise RuntimeError(outcome.reason)
    return time.perf_counter() - started - LASTS_S


def last(place: Place) -> None:
    """Keep a machine's CPU for a moment, so that another job goes to another machine."""
    time.sleep(LASTS_S)


def seconds(out: Path, engine: Engine) -> float:
    """How long the runs take."""
    asked = BenchRequest(
        methods="resnet50_avg",
        recipe=recipe("quick", {"epochs": EPOCHS}),
        seeds=RUNS,
        train_only=True,
        out=out,
        device="cpu",
        workers=0,
        limit=PERSONS,
        command="speed/engine.py",
    )
    planned = plan(asked, engine=engine)
    started = time.perf_counter()
    failures = execute(planned, engine=engine)
    if failures:
        raise RuntimeError(str(failures[0]))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
