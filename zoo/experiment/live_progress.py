"""What people see while they wait: a live bar on a terminal or in a notebook, else plain lines."""

import sys
import time
from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from benchmark.progress import duration

SOON_S = 5.0  # until the first plain line of a piece of work
EVERY_S = 15.0  # between two further ones


class _Bars(Progress):
    """Bars that leave room for the ``^C`` that a terminal prints behind them.

    On a full line it would go to the next one, and the bar would be left standing.
    """

    def get_renderables(self) -> Iterator[RenderableType]:
        """The table of bars, narrower than the terminal."""
        yield from map(_Narrower, super().get_renderables())


class _Narrower:
    """Something on a terminal of a few columns less."""

    def __init__(self, inner: RenderableType):
        self.inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(options.max_width - len("^C") - 1, 1)
        yield from console.render(self.inner, options.update_width(width))


class LiveProgress:
    """Shows pieces of work on stderr, one after the other or side by side; use it as a context."""

    def __init__(self):
        self.console = Console(stderr=True)
        self.live = self.console.is_terminal or self.console.is_jupyter
        self.bar = _Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.live,
            transient=True,
            expand=True,
        )
        self.only = LiveLine(self, "")

    def __enter__(self) -> "LiveProgress":
        self.bar.start()
        return self

    def __exit__(self, *_) -> None:
        self.bar.stop()

    def note(self, line: str) -> None:
        """A line that stays."""
        if self.live:
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def begin(self, title: str) -> None:
        """Name the piece of work that the following progress belongs to."""
        self.only.end()
        self.note(title)

    def advance(self, what: str, done: int, total: int) -> None:
        """How far the work named ``what`` has got; what is done has no bar any longer."""
        self.only.advance(what, done, total)

    def line(self, title: str) -> "LiveLine":
        """A line of its own for work that goes on beside others."""
        return LiveLine(self, f"{title}: ")


class LiveLine:
    """A bar on a terminal, else plain lines that begin with the title."""

    def __init__(self, home: LiveProgress, title: str):
        self.home, self.title = home, title
        self.what, self.task = None, None
        self.next_line_at = self.started_at = 0.0
        self.done = 0

    def advance(self, what: str, done: int, total: int) -> None:
        """How far it has got; work that comes after finished work of its name is other work."""
        now = time.monotonic()
        if what != self.what or done < self.done:
            self._start(what, total, now)
        self.done = done
        if self.home.live:
            self.home.bar.update(self.task, completed=done, total=total)
        elif done >= total or now >= self.next_line_at:
            self.next_line_at = now + EVERY_S
            self.home.note(f"  {self.title}{what} {done}/{total}, {self._timing(now, done, total)}")
        if done >= total:
            self.end()

    def end(self) -> None:
        """Take the bar away."""
        if self.task is not None:
            self.home.bar.remove_task(self.task)
        self.what = self.task = None

    def _timing(self, now: float, done: int, total: int) -> str:
        passed = now - self.started_at
        if not 0 < done < total:
            return duration(passed)
        return f"{duration(passed)}, about {duration(passed * (total - done) / done)} left"

    def _start(self, what: str, total: int, now: float) -> None:
        self.end()
        self.what, self.started_at, self.next_line_at, self.done = what, now, now + SOON_S, 0
        if self.home.live:
            words = escape(f"  {self.title}{what}")
            self.task = self.home.bar.add_task(words, total=total)
