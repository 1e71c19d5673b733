"""Ctrl-C and SIGTERM, for a program and the processes that it starts.

A program that has called `listen` is interrupted by either signal in the same way: an exception
passes through it, which ends its processes and deletes what is half-written. Processes that are
started `deaf` leave Ctrl-C, which a terminal sends to all of them, to the one that started them,
and `end_with_parent` ends them should that one be killed.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LOOK_EVERY = 1.0  # seconds between two looks at whether the parent is still there
_received: list[int] = []


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def listen() -> None:
    """Have SIGINT and SIGTERM raise, and remember that they came; only in the main thread."""
    _received.clear()
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _raise)


def received() -> int | None:
    """The first signal that came since `listen`; None if none did.

    Libraries swallow the exception now and then, or make another one of it.
    """
    return _received[0] if _received else None


def ignore() -> None:
    """Let nothing disturb what is done at the very end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _raise(number: int, _frame: FrameType | None) -> None:
    _received.append(number)
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


@contextmanager
def deaf() -> Iterator[None]:
    """Processes started herein never hear of Ctrl-C; here it is heard when this ends."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent(parent: int) -> None:
    """End this process within seconds once the one that started it is gone, however it ended.

    Args:
        parent: its process id.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_EVERY)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def leave_to_parent(_number: int) -> None:
    """For a worker of a loader, which has a watchdog of its own: leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
