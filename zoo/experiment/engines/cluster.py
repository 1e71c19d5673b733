"""A Ray cluster: joined or started, its machines, and what of one a job asks for."""

import logging
import math
import warnings
from collections import Counter
from dataclasses import dataclass

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from zoo.experiment.engines.job import Job
from zoo.experiment.options import EngineOptions

LOOPBACK = "127.0.0.1"


def connect(address: str) -> bool:
    """Join or start a cluster; True if one was started. A process that has joined one stays there.

    One that is started here listens on the loopback address alone, has no dashboard and tells
    nobody of its use.

    Raises:
        OSError: there is no cluster at that address.
    """
    if ray.is_initialized():
        return False
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        ray.init("local", include_dashboard=False, **quiet)
        if ray.util.get_node_ip_address() != LOOPBACK:
            warnings.warn(
                "Ray was imported before zoo could tell it to listen on the loopback address "
                "alone: import zoo first, or set RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0",
                stacklevel=2,
            )
        return True
    try:
        ray.init(address, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = "here" if address == "auto" else f"at {address}"
        raise OSError(
            f"no Ray cluster answers {where}: start one by `ray start --head`, or say --address "
            f"local ({' '.join(str(error).split())[:200]})"
        ) from None
    return True


@dataclass(frozen=True, kw_only=True)
class Node:
    """A machine of the cluster.

    Attributes:
        id: Ray's.
        name: its host's, with the beginning of Ray's id where several share it.
        cpus: in all; ``gpus`` likewise.
    """

    id: str
    name: str
    cpus: float
    gpus: float


class Cluster:
    """The machines that there are, and how jobs ask for them.

    Args:
        options: how much of a machine a job gets.
    """

    def __init__(self, options: EngineOptions):
        self.options = options
        self.unfit: dict[str, str] = {}  # machines that get no more jobs, and why

    def nodes(self) -> list[Node]:
        """Machines that are there now, the largest first."""
        alive = [node for node in ray.nodes() if node["Alive"]]
        hosts = Counter(node["NodeManagerHostname"] for node in alive)
        found = [
            Node(
                id=node["NodeID"],
                name=_name(node["NodeManagerHostname"], node["NodeID"], hosts),
                cpus=node["Resources"].get("CPU", 0.0),
                gpus=node["Resources"].get("GPU", 0.0),
            )
            for node in alive
        ]
        return sorted(found, key=lambda node: (-node.gpus, -node.cpus, node.name))

    def cpus(self, device: str) -> int:
        """CPUs and threads of a job: what was asked for, a GPU's share, or 1."""
        if self.options.cpus_per_run is not None:
            return self.options.cpus_per_run
        if device != "cuda":
            return 1
        share = self.options.gpus_per_run
        shares = [node.cpus * share / node.gpus for node in self.nodes() if node.gpus >= share]
        return max(1, int(min(shares, default=1)))

    def demand(self, job: Job, device: str) -> dict:
        """The options of a job's Ray task, or of each where processes share it.

        Raises:
            ValueError: no machine is large enough, or there are too few of them.
            OSError: no machine that is has what the job needs.
        """
        cpus, gpus = self.cpus(device), self.options.gpus_per_run if device == "cuda" else 0
        large = [node for node in self.nodes() if node.cpus >= cpus and node.gpus >= gpus]
        wanted = f"{cpus} CPUs" + (f" and {gpus:g} GPUs" if gpus else "")
        if not large:
            raise ValueError(f"no machine of the cluster has {wanted}: ask for less of it")
        self._check_room(large, wanted, cpus, gpus)
        fit = [node for node in large if node.id not in self.unfit]
        if _room(fit, cpus, gpus) < self.options.processes_per_run:
            few = "no machine" if not fit else "too few machines"
            raise OSError(f"{few} can do it: " + "; ".join(dict.fromkeys(self.unfit.values())))
        if job.alone:
            whole = NodeAffinitySchedulingStrategy(fit[0].id, soft=False)
            if gpus:
                return {"num_cpus": cpus, "num_gpus": max(1, gpus), "scheduling_strategy": whole}
            return {"num_cpus": fit[0].cpus, "num_gpus": 0, "scheduling_strategy": whole}
        asked = {"num_cpus": cpus, "num_gpus": gpus}
        if self.unfit:
            asked["label_selector"] = {"ray.io/node-id": f"!in({','.join(self.unfit)})"}
        return asked

    def _check_room(self, nodes: list[Node], wanted: str, cpus: float, gpus: float) -> None:
        """Refuse more processes of a run than the whole cluster has places for."""
        processes, room = self.options.processes_per_run, _room(nodes, cpus, gpus)
        if processes > 1 and 0 < gpus < 1:
            raise ValueError(
                f"--gpus-per-run is {gpus:g}, but each of the {processes} processes of a run needs "
                "a GPU of its own: --gpus-per-run 1"
            )
        if processes > room:
            raise ValueError(
                f"the cluster has room for {room} processes of a run with {wanted} each, not "
                f"{processes}: --processes-per-run {room}, or ask for less of each"
            )


def _room(nodes: list[Node], cpus: float, gpus: float) -> int:
    """Processes that find room on machines that do nothing else."""
    shares = [(node.cpus / cpus, node.gpus / gpus if gpus else math.inf) for node in nodes]
    return sum(int(min(share)) for share in shares)


def _name(host: str, node: str, hosts: Counter) -> str:
    return host if hosts[host] == 1 else f"{host}/{node[:6]}"
