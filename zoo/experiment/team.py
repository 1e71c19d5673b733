"""The processes of one command: what the first shares with the others, and how they all end.

A process that fails alone, dies or stops answering ends them all with one line.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn, TypeVar

import torch.distributed as dist

from benchmark import distributed
from zoo import plugins
from zoo.experiment.store import open_store

T = TypeVar("T")
# seconds that a process which failed waits for all others to fail alike: a loss that is no number
# is seen by all, and ends one run of many; what one of them saw alone ends the program
FAIL_ALIKE_S = 8.0
SILENCE_S = 25.0  # seconds after which a process that works with others and says nothing is gone
BEAT_S = 0.5
WAIT = timedelta(days=30)  # the first process may prepare, rank and report while the others wait
SHOW_CURSOR = "\033[?25h"
TERMINATED = "ended by SIGTERM, which launchers send when another process was killed"
LAST_WORDS_S = 10.0  # that a process which finds out later leaves the first one to tell why all end
Tell = Callable[[str, bool], None]


def print_line(line: str, again: bool) -> None:
    """Tell a terminal why all processes end.

    Args:
        line: why.
        again: whether the same command may well get further.
    """
    cursor = SHOW_CURSOR if sys.stderr.isatty() else ""
    more = ": the same command goes on from the last checkpoint" if again else ""
    print(f"{cursor}zoo: {line}{more}", file=sys.stderr, flush=True)


class Team:
    """The processes of the default group, and a thread that watches over them.

    Args:
        tell: is told once, by one of the processes, why they all end, and whether that may be worth
            another try.
    """

    def __init__(self, tell: Tell = print_line) -> None:
        self.tell, self.ending = tell, False
        self.rank, self.size, self.works = dist.get_rank(), dist.get_world_size(), 0
        self.objects = dist.new_group(backend="gloo", timeout=WAIT)
        self.busy_since: float | None = None
        self.store = self._open_store()
        self.left = threading.Event()
        threading.Thread(target=self._watch, daemon=True, name="zoo-watch").start()
        if threading.current_thread() is threading.main_thread():
            self.process = os.getpid()
            self.before = signal.signal(signal.SIGTERM, self._on_sigterm)

    def _open_store(self) -> dist.TCPStore:
        """A store of our own: the group's is held by whoever waits for another process."""
        host = os.environ.get("MASTER_ADDR") or socket.gethostname()
        store = open_store(host) if self.rank == 0 else None
        host, port = self._tell_all(None if store is None else (host, store.port))
        return store or dist.TCPStore(host, port, is_master=False)

    def _tell_all(self, thing: object) -> Any:
        """What the first process says, on all."""
        told = [thing]
        dist.broadcast_object_list(told, src=0, group=self.objects)
        return told[0]

    # ---- work ------------------------------------------------------------------------------------

    def run(self, program: Callable[[], T]) -> T:
        """The first process: the program, and then the others are told that it is over."""
        try:
            found = program()
        except KeyboardInterrupt:  # the others may wait inside of what was shared
            self._stop_others()
            raise
        except Exception:
            self._dismiss()
            raise
        self._dismiss()
        return found

    def _dismiss(self) -> None:
        """Nothing more will be shared; nobody goes before all have heard it."""
        self._tell_all(None)
        self._leave()

    def _leave(self) -> None:
        self.left.set()
        dist.barrier(group=self.objects)
        if hasattr(self, "before"):
            signal.signal(signal.SIGTERM, self.before)

    def help(self) -> None:
        """The others: everything that is shared, until the program is over."""
        try:
            while (told := self._tell_all(None)) is not None:
                self._help(*told)
            self._leave()
        except KeyboardInterrupt:
            os._exit(130)
        except Exception as error:
            self._end(error)

    def _help(self, texts: list[str], work: Callable, arguments: tuple) -> None:
        self.works += 1
        try:
            for text in texts:
                if text not in plugins.loaded():
                    plugins.add_plugin(text)
            self._carry_out(work, arguments, {})
        except Exception as error:
            self._settle(error)

    def share(self, work: Callable[..., T], arguments: tuple, own: dict) -> T:
        """The first process: the work with all others."""
        self.works += 1
        self._tell_all((plugins.loaded(), work, arguments))
        try:
            return self._carry_out(work, arguments, own)
        except Exception as error:
            self._settle(error)
            raise

    def _carry_out(self, work: Callable[..., T], arguments: tuple, own: dict) -> T:
        self.busy_since = time.monotonic()
        try:
            with distributed.joined(self.objects):
                return work(*arguments, **own)
        finally:
            self.busy_since = None

    # ---- failure ---------------------------------------------------------------------------------

    def _settle(self, error: Exception) -> None:
        """Come back if every process failed at this work; else end them all."""
        if _of_connection(error):
            self._end(error)
        keys = [f"failed/{self.works}/{rank}" for rank in range(self.size)]
        try:
            self.store.set(keys[self.rank], "")
            until = time.monotonic() + FAIL_ALIKE_S
            while time.monotonic() < until:
                if self.store.check(keys):
                    return
                time.sleep(0.05)
        except (RuntimeError, OSError):  # the first process, which holds the store, is gone
            self._first_is_gone()
        self._end(error)

    def _end(self, error: Exception) -> NoReturn:
        """One line from the first that finds out, and no process goes on."""
        self.ending = True
        try:
            if self.store.add("ends", 1) > 1:  # the watching thread ends this one, too
                time.sleep(LAST_WORDS_S)
            else:
                self.tell(*self._in_words(error))
            self._stop_others()
        except (RuntimeError, OSError):
            self._first_is_gone()
        finally:  # whatever telling it meets
            os._exit(1)

    def _stop_others(self) -> None:
        self.left.set()
        self.store.set("ended", "")
        time.sleep(3 * BEAT_S if self.rank == 0 else 0)  # the store goes with the first process

    def _first_is_gone(self) -> NoReturn:
        if self.rank == 1:
            self.tell(self._gone("process 1"), True)
        os._exit(1)

    def _on_sigterm(self, *_: object) -> None:
        if os.getpid() != self.process:  # a process that loads images has its parent's handlers
            os._exit(1)
        if self.ending:
            return
        if self.rank > 0:  # a launcher sends it to all, and the first one says why
            time.sleep(LAST_WORDS_S)
            os._exit(1)
        self._end(InterruptedError(TERMINATED))

    def _in_words(self, error: Exception) -> tuple[str, bool]:
        """Why all end, and whether that may be worth another try."""
        terminated = isinstance(error, InterruptedError)
        if terminated or _of_connection(error):
            silent = self._silent()
            if terminated and not silent:
                return str(error), True
            return self._gone(f"process {silent[0] + 1}" if silent else "a process"), True
        text = " ".join(str(error).split()) or type(error).__name__
        return f"process {self.rank + 1} of {self.size} failed, which ends all: {text}", False

    def _silent(self) -> list[int]:
        """The others that say nothing any longer."""
        before = self._beats()
        time.sleep(3 * BEAT_S)
        now = enumerate(self._beats())
        return [r for r, beat in now if beat == before[r] and r != self.rank]

    def _gone(self, who: str) -> str:
        return f"{who} of {self.size} is gone (killed, or out of memory?), which ends all"

    # ---- the watching thread ---------------------------------------------------------------------

    def _watch(self) -> None:
        """Say that this process is there; end it when another one ended, or fell silent at work."""
        beats, heard = [0] * self.size, [time.monotonic()] * self.size
        while not self.left.wait(BEAT_S):
            try:
                self.store.add(f"beat/{self.rank}", 1)
                if self.store.check(["ended"]) and not self.left.is_set():
                    os._exit(1)
                for rank, beat in enumerate(self._beats()):
                    if beat != beats[rank]:
                        beats[rank], heard[rank] = beat, time.monotonic()
            except (RuntimeError, OSError):
                if not self.left.is_set():
                    self._first_is_gone()
                return
            busy = self.busy_since
            if busy is not None and time.monotonic() - max(min(heard), busy) > SILENCE_S:
                self._end(dist.DistError("a process is silent"))

    def _beats(self) -> list[int]:
        return [self.store.add(f"beat/{rank}", 0) for rank in range(self.size)]


def _of_connection(error: Exception) -> bool:
    """Whether it tells of another process; gloo's errors are of no class of their own."""
    return isinstance(error, dist.DistError) or "third_party/gloo" in str(error)
