"""Tables and numbers as Markdown."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """A Markdown table; columns after the first ``words`` hold numbers, to the right."""
    marks = ["---" if place < words else "---:" for place in range(len(head))]
    lines = [head, marks, *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def percent(share: float | None) -> str:
    """A share as per cent with one decimal; nothing for what is missing."""
    return "" if share is None else f"{100 * share:.1f}"


def number(value: float | None, digits: int = 2) -> str:
    """A number; nothing for what is missing."""
    return "" if value is None else f"{value:.{digits}f}"
