"""What of a cluster's machines a job asks for."""

import dataclasses

import pytest

from zoo.experiment.engines.job import Job
from zoo.experiment.options import EngineOptions

ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")


def machine(name, number, cpus, gpus=0, alive=True):
    resources = {"CPU": cpus, "GPU": gpus} if gpus else {"CPU": cpus}
    return {
        "NodeID": f"{number}" * 56,
        "NodeManagerHostname": name,
        "Resources": resources,
        "Alive": alive,
    }


@pytest.fixture
def cluster(monkeypatch):
    """Two machines with GPUs, one of the two small, a head without, and one that is gone."""
    from zoo.experiment.engines.cluster import Cluster

    machines = [
        machine("head", 0, 4),
        machine("big", 1, 96, 8),
        machine("small", 2, 16, 2),
        machine("gone", 3, 96, 8, alive=False),
    ]
    monkeypatch.setattr(ray, "nodes", lambda: machines)
    return lambda **options: Cluster(EngineOptions(name="ray", **options))


JOB = Job(title="t", work=print)


def test_machines_are_named_for_their_hosts_and_the_largest_is_first(cluster, monkeypatch):
    assert [node.name for node in cluster().nodes()] == ["big", "small", "head"]
    twins = [machine("vm", 1, 1), machine("vm", 2, 1)]
    monkeypatch.setattr(ray, "nodes", lambda: twins)
    assert [node.name for node in cluster().nodes()] == ["vm/111111", "vm/222222"]


def test_a_run_gets_a_gpu_and_its_share_of_the_cpus_that_every_machine_can_give(cluster):
    assert cluster().demand(JOB, "cuda") == {"num_cpus": 8, "num_gpus": 1}
    half = cluster(gpus_per_run=0.5).demand(JOB, "cuda")
    assert half == {"num_cpus": 4, "num_gpus": 0.5}
    assert cluster(cpus_per_run=3).demand(JOB, "cuda") == {"num_cpus": 3, "num_gpus": 1}
    assert cluster().demand(JOB, "cpu") == {"num_cpus": 1, "num_gpus": 0}


@pytest.mark.parametrize(("device", "cpus", "gpus"), [("cuda", 8, 1), ("cpu", 96, 0)])
def test_a_cost_has_a_whole_gpu_or_all_cpus_of_one_machine(cluster, device, cpus, gpus):
    asked = cluster(gpus_per_run=1).demand(dataclasses.replace(JOB, alone=True), device)
    assert (asked["num_cpus"], asked["num_gpus"]) == (cpus, gpus)
    assert asked["scheduling_strategy"].node_id == "1" * 56


def test_a_machine_that_lacks_something_gets_no_more(cluster):
    found = cluster()
    found.unfit = {"1" * 56: "big: no data"}
    assert found.demand(JOB, "cuda")["label_selector"] == {"ray.io/node-id": f"!in({'1' * 56})"}
    found.unfit["2" * 56] = "small: no data"
    with pytest.raises(OSError, match="no machine can do it: big: no data; small: no data"):
        found.demand(JOB, "cuda")


def test_processes_of_a_run_find_room_on_several_machines_or_are_refused_with_what_would_fit(
    cluster,
):
    assert cluster(processes_per_run=10).demand(JOB, "cuda") == {"num_cpus": 8, "num_gpus": 1}
    with pytest.raises(ValueError, match="room for 10 processes of a run with 8 CPUs and 1 GPUs"):
        cluster(processes_per_run=11).demand(JOB, "cuda")
    with pytest.raises(ValueError, match="not 15: --processes-per-run 14, or ask for less"):
        cluster(processes_per_run=15, cpus_per_run=8).demand(JOB, "cpu")
    with pytest.raises(ValueError, match="each of the 2 processes of a run needs a GPU of its own"):
        cluster(processes_per_run=2, gpus_per_run=0.5).demand(JOB, "cuda")


def test_processes_that_find_too_few_machines_with_the_data_are_refused(cluster):
    found = cluster(processes_per_run=8)
    found.unfit = {"2" * 56: "small: no data"}
    assert "label_selector" in found.demand(JOB, "cuda")
    found.unfit = {"1" * 56: "big: no data"}
    with pytest.raises(OSError, match="too few machines can do it: big: no data"):
        found.demand(JOB, "cuda")


def test_more_than_any_machine_has_is_refused(cluster):
    with pytest.raises(ValueError, match="no machine of the cluster has 200 CPUs: ask for less"):
        cluster(cpus_per_run=200).demand(JOB, "cpu")
    with pytest.raises(ValueError, match="has 12 CPUs and 16 GPUs"):
        cluster(cpus_per_run=12, gpus_per_run=16).demand(JOB, "cuda")
