"""A Ray cluster of two machines with one CPU each, and a method that dies where it is told to."""

import os

import pytest

from tests.conftest import TINY
from tests.zoo.conftest import ask
from tests.zoo.experiment.engines.shaky import shaky_in
from zoo import plugins
from zoo.experiment.engines.ray_engine import KEPT_TO_ITSELF, RayEngine
from zoo.experiment.execute import execute
from zoo.experiment.options import EngineOptions
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.plan import plan

EIGHT_STEPS = recipe("quick", TINY | {"epochs": 4})
LONGEST_S = 300  # that a machine busy with other things may take to begin a process
# a machine that is killed is known to be gone after 5 looks, one that is slow after 50 s as ever
WATCHED = {
    "RAY_health_check_period_ms": "400",
    "RAY_worker_register_timeout_seconds": str(LONGEST_S),
}
SMALL = {"num_cpus": 1, "object_store_memory": 100 * 2**20, "include_dashboard": False}


@pytest.fixture(scope="session")
def whole_cluster():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (KEPT_TO_ITSELF | WATCHED).items():
            patch.setenv(name, value)
        ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")
        from ray.cluster_utils import Cluster

        found = Cluster()
        add_machine(found)
        ray.init(found.address, log_to_driver=False, logging_level="ERROR")
        yield found
        ray.shutdown()
        found.shutdown()


def add_machine(cluster, attempts=5):
    """Ray itself gives a machine 30 s to begin, which is little where others keep it busy."""
    for left in reversed(range(attempts)):
        try:
            cluster.add_node(wait=False, **SMALL)
            cluster.wait_for_nodes(LONGEST_S)
            return
        except Exception as error:  # of no class of its own
            if not left or "timed out during startup" not in str(error):
                raise


@pytest.fixture
def cluster(whole_cluster):
    """Two machines, whatever an earlier test did to the second one."""
    if not whole_cluster.worker_nodes:
        add_machine(whole_cluster)
    return whole_cluster


@pytest.fixture
def engine(cluster):
    """The engine on that cluster, which this process has joined."""
    return RayEngine(EngineOptions(name="ray", address=cluster.address))


@pytest.fixture(scope="session")
def marks(tmp_path_factory):
    """Folder of the files that tell the method `shaky` where to die; each is taken once."""
    return tmp_path_factory.mktemp("marks")


@pytest.fixture(scope="session")
def shaky_method(marks):
    return shaky_in(marks, os.getpid())


@pytest.fixture
def shaky(shaky_method, marks, monkeypatch):
    """The method is known; nothing is left of earlier marks."""
    for mark in marks.iterdir():
        mark.unlink()
    monkeypatch.setitem(plugins._ADDED["METHODS"], "shaky", shaky_method)
    monkeypatch.setitem(plugins.CALLS, ("method", "shaky"), shaky_method)
    return marks


@pytest.fixture
def runs(shaky, people):
    """Makes a request for so many runs of that method into a folder; each has eight steps."""
    return lambda seeds, out: ask(people, out, methods="shaky", recipe=EIGHT_STEPS, seeds=seeds)


@pytest.fixture(scope="session")
def kept():
    """What the local engine finds, made when it is first asked for."""
    return {}


@pytest.fixture
def undisturbed(runs, kept, tmp_path_factory):
    """Metrics and weights of the four runs by the local engine."""
    if not kept:
        out = tmp_path_factory.mktemp("undisturbed")
        assert execute(plan(runs(4, out))) == []
        kept.update(results(out))
    return kept


def of_seeds(count, found):
    """The results of the first so many seeds."""
    return {key: value for key, value in found.items() if key[1] < count}


def results(out):
    """Metrics and sha256 of the weights of every run."""
    from benchmark import record

    found = map(record.load, sorted(out.glob("runs/*/records/*.json")))
    return {(r.method, r.seed, r.label): (r.metrics, r.cmc, r.checkpoint) for r in found}
