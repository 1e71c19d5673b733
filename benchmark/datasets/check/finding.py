"""One thing that was looked at in a copy of a data set, and what was seen."""

from dataclasses import dataclass

AGAIN = "get it from the archive again"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what, e.g. ``train persons``.
        found: a number, or what is wrong in words.
        expected: the published number, or what is right; None if nothing is.
        verdict: ``right``, ``official`` (as published), ``differs`` (from the published),
            ``damaged`` (usable, with a part lost) or ``wrong``.
        remedy: what to do about it, if it is wrong.
    """

    check: str
    found: str | int
    expected: str | int | None = None
    verdict: str = "right"
    remedy: str = ""

    def __str__(self) -> str:
        expected = "" if self.expected is None else f", expected {self.expected}"
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.check}: {self.found}{expected}{remedy}"
