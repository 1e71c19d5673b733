"""Four equal runs by the Ray engine: two machines of one CPU against one, and what it costs a run.

The machines are simulated on this one, which must be idle and have three processors or more: the
driver works beside them. The same runs by the local engine, one thread, are the measure of what the
engine adds to a run.
"""

import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import torch

from zoo.experiment.engines.local import LOCAL
from zoo.experiment.engines.ray_engine import KEPT_TO_ITSELF, RayEngine
from zoo.experiment.execute import execute
from zoo.experiment.options import EngineOptions
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.plan import plan
from zoo.experiment.request import BenchRequest

RUNS, EPOCHS, PERSONS = 4, 2, 40
MACHINE = {"num_cpus": 1, "object_store_memory": 100 * 2**20, "include_dashboard": False}


def main() -> None:
    """Print seconds and ratios."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        local = seconds(Path(folder) / "local", LOCAL)
        one, two = on_clusters(Path(folder))
    print(f"engine, {RUNS} equal runs, local: {local:.1f} s")
    print(f"engine, ray, one machine of one CPU: {one:.1f} s; two: {two:.1f} s")
    print(f"engine, two machines against one: ratio {one / two:.2f} (target 1.7)")
    print(f"engine, what ray adds to a run: {(one - local) / RUNS:.1f} s (target 5)")
    sys.stdout.flush()


def on_clusters(folder: Path) -> tuple[float, float]:
    """Seconds on one machine and on two, each with its workers awake."""
    os.environ.update(KEPT_TO_ITSELF)
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=MACHINE)
    ray.init(cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    try:
        engine = RayEngine(EngineOptions(name="ray", address=cluster.address))
        one = seconds(folder / "one", engine)
        cluster.add_node(**MACHINE)
        cluster.wait_for_nodes()
        return one, seconds(folder / "two", engine)
    finally:
        ray.shutdown()
        cluster.shutdown()


def seconds(out: Path, engine) -> float:
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
