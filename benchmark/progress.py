"""Who is told how far work has got: anything with these methods; silent unless somebody asks.

Planning, training, embedding and scoring take a `Progress` and know nothing of screens.
"""

from typing import Protocol


class Line(Protocol):
    """Somebody who is told of one piece of work among several that go on at a time."""

    def advance(self, what: str, done: int, total: int) -> None:
        """The work named ``what`` has done so much of so much."""

    def end(self) -> None:
        """It is over, or goes on elsewhere."""


class Progress(Protocol):
    """Somebody who waits."""

    def begin(self, title: str) -> None:
        """A new piece of work, e.g. ``[2/6] sta, seed 0``; what follows belongs to it."""

    def advance(self, what: str, done: int, total: int) -> None:
        """The work named ``what`` has done so much of so much."""

    def note(self, line: str) -> None:
        """A line that stays."""

    def line(self, title: str) -> Line:
        """For a piece of work that goes on beside others."""


class Silent:
    """Nobody is told."""

    def begin(self, title: str) -> None:
        """Nothing."""

    def advance(self, what: str, done: int, total: int) -> None:
        """Nothing."""

    def note(self, line: str) -> None:
        """Nothing."""

    def line(self, title: str) -> Line:
        """Nobody, either."""
        return self

    def end(self) -> None:
        """Nothing."""


SILENT: Progress = Silent()


def duration(seconds: float) -> str:
    """``48 s``, ``3 min 20 s``, ``2 h 5 min``."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
