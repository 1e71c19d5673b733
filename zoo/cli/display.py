"""What people see while they wait, and tables for people and for programs.

Progress goes to stderr, a live bar on a terminal and plain lines elsewhere; tables go to stdout,
rich on a terminal and tab-separated (or JSON) when piped.
"""

import json
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

EVERY = 15.0  # seconds between two plain lines of the same work


class Display:
    """Progress of one piece of work after the other; use it as a context."""

    def __init__(self):
        self.console = Console(stderr=True)
        self.live = self.console.is_terminal
        self.title = ""
        self.what, self.task, self.said, self.started = None, None, 0.0, 0.0
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.live,
        )

    def __enter__(self) -> "Display":
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
        self.title, self.what = title, None
        self.note(title)

    def progress(self, what: str, done: int, total: int) -> None:
        """How far the work named ``what`` has got."""
        now = time.monotonic()
        if what != self.what:
            self._next(what, total, now)
        if self.live:
            self.bar.update(self.task, completed=done, total=total)
        elif done >= total or now - self.said >= EVERY:
            self.said = now
            passed = now - self.started
            left = (
                f", about {duration(passed * (total - done) / done)} left"
                if 0 < done < total
                else ""
            )
            print(f"  {what} {done}/{total}, {duration(passed)}{left}", file=sys.stderr, flush=True)

    advance = progress  # the name that `benchmark.progress.Progress` gives it

    def _next(self, what: str, total: int, now: float) -> None:
        self.what, self.started, self.said = what, now, now
        if self.live:
            if self.task is not None:
                self.bar.remove_task(self.task)
            self.task = self.bar.add_task(f"  {what}", total=total)


def duration(seconds: float) -> str:
    """``48 s``, ``3 min 20 s``, ``2 h 5 min``."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def show(rows: Sequence[dict], *, as_json: bool, title: str = "") -> None:
    """Print rows of equal keys: a table on a terminal, tab-separated when piped, or JSON."""
    if as_json:
        print(json.dumps(list(rows), indent=1, ensure_ascii=False))
        return
    if not rows:
        return
    columns = list(rows[0])
    if not sys.stdout.isatty():
        print("\t".join(columns))
        for row in rows:
            print("\t".join(_text(row[c]) for c in columns))
        return
    table = Table(title=title or None, title_justify="left")
    for column in columns:
        numeric = isinstance(rows[0][column], int | float)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_text(row[c]) for c in columns))
    Console().print(table)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
