"""What people see while they wait: a live bar on a terminal or in a notebook, else plain lines."""

import sys
import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from benchmark.progress import duration

EVERY_S = 15.0  # between two plain lines of the same work


class LiveProgress:
    """Shows one piece of work after the other on stderr; use it as a context."""

    def __init__(self):
        self.console = Console(stderr=True)
        self.live = self.console.is_terminal or self.console.is_jupyter
        self.what, self.task = None, None
        self.last_line_at = self.started_at = 0.0
        self.done = 0
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.live,
            transient=True,
        )

    def __enter__(self) -> "LiveProgress":
        self.bar.start()
        return self

    def __exit__(self, *_) -> None:
        self.bar.stop()

    def note(self, line: str) -> None:
        """A line that stays."""
        if self.live:
            self.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=sys.stderr, flush=True)

    def begin(self, title: str) -> None:
        """Name the piece of work that the following progress belongs to."""
        self.what = None
        self.note(title)

    def advance(self, what: str, done: int, total: int) -> None:
        """How far the work named ``what`` has got; its clock starts anew when it does."""
        now = time.monotonic()
        if what != self.what or done < self.done:
            self._start(what, total, now)
        self.done = done
        if self.live:
            self.bar.update(self.task, completed=done, total=total)
        elif done >= total or now - self.last_line_at >= EVERY_S:
            self.last_line_at = now
            print(f"  {what} {done}/{total}, {self._timing(now, done, total)}", file=sys.stderr)
            sys.stderr.flush()

    def _timing(self, now: float, done: int, total: int) -> str:
        passed = now - self.started_at
        if not 0 < done < total:
            return duration(passed)
        return f"{duration(passed)}, about {duration(passed * (total - done) / done)} left"

    def _start(self, what: str, total: int, now: float) -> None:
        self.what, self.started_at, self.last_line_at, self.done = what, now, now, 0
        if self.live:
            if self.task is not None:
                self.bar.remove_task(self.task)
            self.task = self.bar.add_task(f"  {what}", total=total)
