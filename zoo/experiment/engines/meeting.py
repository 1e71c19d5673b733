"""How the processes of a job find each other on a cluster."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import ray
import torch.distributed as dist

from zoo.experiment.engines.desk import Attempt
from zoo.experiment.store import open_store

ASK_EVERY_S = 0.2


@contextmanager
def process_group(
    desk: ray.actor.ActorHandle, attempt: Attempt, rank: int, processes: int
) -> Iterator[None]:
    """This process and the others of its job are torch's default group.

    Args:
        desk: where the first one leaves word.
        attempt: at the job.
        rank: which of them this is, from 0.
        processes: how many there are; one alone needs no group.

    Raises:
        OSError: they do not find each other.
    """
    if processes == 1:
        yield
        return
    try:
        if rank == 0:
            host = ray.util.get_node_ip_address()
            store = open_store(host)
            ray.get(desk.meet.remote(attempt, (host, store.port)))
        else:
            host, port = _asked(desk, attempt)
            store = dist.TCPStore(host, port, is_master=False)
        os.environ["MASTER_ADDR"] = host  # where `zoo.experiment.team` opens a further store
        dist.init_process_group(store=store, rank=rank, world_size=processes)
    except RuntimeError as error:
        told = " ".join(str(error).split())[:200]
        raise OSError(f"the processes of a run do not find each other ({told})") from None
    yield
    dist.destroy_process_group()


def _asked(desk: ray.actor.ActorHandle, attempt: Attempt) -> tuple[str, int]:
    """Where the first process is, once it is there."""
    while (found := ray.get(desk.meeting.remote(attempt))) is None:
        time.sleep(ASK_EVERY_S)
    return found
