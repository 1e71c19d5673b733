"""Several processes that find each other as those of a launcher do, for tests.

They are forked from one that has torch and the project loaded, so that each costs no import.
"""

import multiprocessing
import os
import socket
import sys
import time
import traceback

import torch

METHOD = multiprocessing.get_context("forkserver")
METHOD.set_forkserver_preload(["tests.processes", "benchmark.train", "zoo.experiment.run"])
LONGEST_S = 120.0  # a test that hangs fails


def on_processes(count, work, folder, *arguments):
    """Call ``work(folder, …)`` on so many processes, with the variables that launchers set.

    Returns:
        Exit statuses by rank, and what each wrote to stderr.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = [folder / f"stderr-{rank}" for rank in range(count)]
    own = [
        (_variables(rank, count, port), told[rank], work, folder, arguments)
        for rank in range(count)
    ]
    started = [METHOD.Process(target=_begin, args=each) for each in own]
    for process in started:
        process.start()
    until = time.monotonic() + LONGEST_S
    for process in started:
        process.join(max(until - time.monotonic(), 0.1))
    hanging = [process for process in started if process.is_alive()]
    for process in hanging:
        process.kill()
    lines = [path.read_text() if path.exists() else "" for path in told]
    assert not hanging, f"{len(hanging)} of {count} processes hang: {lines}"
    return [process.exitcode for process in started], lines


def _variables(rank, count, port):
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": 1}
    return place | {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": count,
        "LOCAL_WORLD_SIZE": count,
    }


def _begin(variables, told, work, folder, arguments):
    os.environ |= {name: str(value) for name, value in variables.items()}
    with told.open("w") as file:
        os.dup2(file.fileno(), 2)
    torch.set_num_threads(1)
    try:
        work(folder, *arguments)
    except Exception:
        traceback.print_exc()
        sys.exit(3)
