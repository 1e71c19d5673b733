"""One command on several processes that torchrun, accelerate, Slurm or Ray Train started.

The first process is the program: it reads and writes files, decides and prints. The others wait for
work that it shares with them by `together`, and know nothing else.
"""

import os
from collections.abc import Callable
from typing import TypeVar

import torch
import torch.distributed as dist

from zoo.experiment.team import Team

T = TypeVar("T")
_team: Team | None = None


def lead(program: Callable[[], T]) -> T | None:
    """Run a program on the first process; the others help until it ends, and return None.

    Started by none of the launchers, or as one process, it just runs. Inside, `together` shares
    work. A process group that is there already, as under Ray Train, is used and left.

    Args:
        program: called on the first process only.

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
    _team = Team()
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
