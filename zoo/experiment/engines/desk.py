"""What workers tell and send the driver: one object, a process of its own beside the driver."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmark.files import inside, write_whole
from zoo.experiment.engines.travel import found

Event = tuple  # what happened and to which job, then whatever belongs to it


class Attempt(NamedTuple):
    """One of the times that a job is begun."""

    number: int
    again: int


class Desk:
    """Keeps events until the driver takes them, and files of workers that do not see its folder.

    Args:
        out: result folder.
    """

    def __init__(self, out: Path):
        self.out = Path(out)
        self.events: list[Event] = []
        self.latest: dict[int, int] = {}
        self.meetings: dict[Attempt, tuple[str, int]] = {}

    def begin(self, attempt: Attempt) -> None:
        """From now on files come from this attempt; a worker thought lost may still be at work."""
        self.latest[attempt.number] = max(attempt.again, self.latest.get(attempt.number, 0))

    def tell(self, *event: object) -> None:
        """Something happened."""
        self.events.append(event)

    def take(self) -> list[Event]:
        """What happened since the last call."""
        events, self.events = self.events, []
        return events

    def meet(self, attempt: Attempt, place: tuple[str, int]) -> None:
        """The first process of an attempt waits for the others at a host and port."""
        self.meetings[attempt] = place

    def meeting(self, attempt: Attempt) -> tuple[str, int] | None:
        """Where that is; None before it is known."""
        return self.meetings.get(attempt)

    def files(self, patterns: Sequence[str]) -> dict[str, bytes]:
        """What the result folder holds of a job, by name."""
        return {name: (self.out / name).read_bytes() for name in found(self.out, patterns)}

    def store(self, attempt: Attempt, name: str, data: bytes) -> None:
        """Keep a file in the result folder, whole.

        Raises:
            ValueError: the name leads out of it.
            OSError: it cannot be written.
        """
        if self._counts(attempt):
            write_whole(inside(self.out, name), lambda part: part.write_bytes(data))

    def remove(self, attempt: Attempt, name: str) -> None:
        """A file that the worker no longer needs."""
        if self._counts(attempt):
            inside(self.out, name).unlink(missing_ok=True)

    def _counts(self, attempt: Attempt) -> bool:
        return self.latest.get(attempt.number) == attempt.again
