"""One command on several processes that torchrun, accelerate, Slurm or Ray Train started.

The first process is the program: it reads and writes files, decides and prints. The others wait for
work that it shares with them by `together`, and know nothing else.
"""

import os
from collections.abc import Callable
from typing import TypeVar

import torch
import torch.distributed as dist

from zoo.experiment.team import Team, Tell, print_line

T = TypeVar("T")
_team: Team | None = None


class TooFewProcesses(ValueError):
    """More processes are asked for than were started; the command line starts them.

    Args:
        wanted: processes.
    """

    def __init__(self, wanted: int):
        self.wanted = wanted
        super().__init__(
            f"this is one process, not {wanted}: start the script by torchrun --nproc-per-node "
            f"{wanted} and call zoo.experiment.processes.lead in it, or take the engine ray"
        )


def lead(program: Callable[[], T], tell: Tell = print_line) -> T | None:
    """Run a program on the first process; the others help until it ends, and return None.

    Started by none of the launchers, or as one process, it just runs. Inside, `together` shares
    work. A process group that is there already, as under Ray Train, is used and left.

    Args:
        program: called on the first process only.
        tell: is told once, by one of the processes, why they all end if they do.

    Raises:
        OSError: the processes do not find each other.
    """
    global _team
    own_group = not dist.is_initialized()
    if own_group and int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return program()
    if own_group:
        _begin_group()
    if dist.get_world_size() < 2:
        return program()
    _team = Team(tell)
    try:
        found = _team.help() if _team.rank > 0 else _team.run(program)
    finally:
        _team = None
    if own_group:
        dist.destroy_process_group()
    return found


def together(work: Callable[..., T], *arguments: object, **own: object) -> T:
    """Call a function on all processes at the same time; what it gives on the first one.

    Args:
        work: a function of a module; between the processes `benchmark.distributed` speaks for it.
        arguments: pickled for the others.
        own: named arguments that only the first process gets, such as who is told of progress.

    Raises:
        Exception: what the work raises, if it raises on every process; else all of them end.
    """
    return work(*arguments, **own) if _team is None else _team.share(work, arguments, own)


def size() -> int:
    """Processes that work shared by `together` has."""
    return 1 if _team is None else _team.size


def check_size(wanted: int) -> None:
    """Refuse another number of processes than is asked for; one says nothing.

    Raises:
        TooFewProcesses: there is one alone.
        ValueError: a launcher started another number.
    """
    if wanted == 1 or wanted == size():
        return
    if size() == 1:
        raise TooFewProcesses(wanted)
    raise ValueError(f"--processes-per-run is {wanted}, but a launcher started {size()} processes")


def check_gpus(there: int) -> None:
    """Refuse more processes on this machine than it has GPUs, which NCCL does not share.

    Args:
        there: GPUs of this machine.

    Raises:
        ValueError: says how many would fit.
    """
    here = 1 if size() == 1 else int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if here > there:
        raise ValueError(
            f"{here} processes of a run need a GPU each and this machine has {there}: take {there} "
            "processes, or --device cpu"
        )


def _begin_group() -> None:
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    try:
        dist.init_process_group()
    except (ValueError, RuntimeError) as error:
        raise OSError(
            "the processes do not find each other: start them by torchrun or accelerate launch "
            f"({' '.join(str(error).split())[:200]})"
        ) from None
