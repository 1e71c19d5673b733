"""The Ray tasks of one attempt at a job: one for each of the processes that share it."""

import time
from collections.abc import Callable

import ray
from ray.exceptions import RayError
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from zoo.experiment.engines.node import Unfit

FOLLOW_S = 30.0  # that the first process may go on for after another one failed


class Tasks:
    """Tasks that begin together and end together; the first one's result is the job's.

    Args:
        refs: what they will return, in the order of the processes.
        placement: the places that were reserved for them; None for one task.
    """

    def __init__(self, refs: list[ray.ObjectRef], placement: PlacementGroup | None = None):
        self.refs, self.placement = refs, placement
        self.going, self.failed = list(refs), []
        self.until = float("inf")

    @property
    def first(self) -> ray.ObjectRef:
        """Of the first process."""
        return self.refs[0]

    def ended(self) -> ray.ObjectRef | None:
        """The task whose result is the job's, once the job is over.

        It is another one's than the first's if that one failed and the first does not notice: it
        may still wait for it to begin.
        """
        done, self.going = ray.wait(self.going, num_returns=len(self.going), timeout=0)
        if self.first not in self.going:
            return self.first
        for ref in done:
            found = _result(ref)
            if found is not None:
                self.failed.append(ref)
                wait = 0.0 if isinstance(found, Unfit) else FOLLOW_S
                self.until = min(self.until, time.monotonic() + wait)
        return self.failed[-1] if time.monotonic() >= self.until else None

    def end(self) -> None:
        """Nothing goes on any longer, and the places are free."""
        if self.placement is not None:
            remove_placement_group(self.placement)


def send(start: Callable[[int, dict], ray.ObjectRef], asked: dict, processes: int) -> Tasks:
    """Let Ray place the tasks, all of them or none.

    Args:
        start: starts the task of a process with options.
        asked: what one of them needs, as of `zoo.experiment.engines.cluster.Cluster.demand`.
        processes: how many there are.
    """
    if processes == 1:
        return Tasks([start(0, asked)])
    labels = asked.get("label_selector")
    needs = {"num_cpus": asked["num_cpus"], "num_gpus": asked["num_gpus"]}
    bundle = {"CPU": needs["num_cpus"]}
    if needs["num_gpus"]:
        bundle["GPU"] = needs["num_gpus"]
    placement = placement_group(
        [bundle] * processes,
        strategy="PACK",
        bundle_label_selector=[labels] * processes if labels else None,
    )
    places = [PlacementGroupSchedulingStrategy(placement, i) for i in range(processes)]
    started = [start(i, needs | {"scheduling_strategy": place}) for i, place in enumerate(places)]
    return Tasks(started, placement)


def _result(ref: ray.ObjectRef) -> object:
    """What a task that is over returned, or why it returned nothing."""
    try:
        return ray.get(ref)
    except RayError as error:
        return error
