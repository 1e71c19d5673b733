"""The pieces of GitHub's Markdown that a report is made of; text that goes in stays text."""

import re
from collections.abc import Iterable, Sequence

_SPECIAL = r"[\\`*_\[\]<>|~#$&]"
_MADE = re.compile(
    rf"(?P<fence>`+)(?P<air> ?)(?P<inside>.+?)(?P=air)(?P=fence)(?!`)|\\(?P<character>{_SPECIAL})"
)


def text(words: str) -> str:
    """Free text on one line, with every character that Markdown would act upon escaped."""
    return re.sub(rf"({_SPECIAL})", r"\\\1", " ".join(str(words).split()))


def plain(markdown: str) -> str:
    """What `text` and `code` were made from, for formats other than Markdown."""
    return _MADE.sub(lambda found: found["inside"] or found["character"], markdown)


def code(words: str) -> str:
    """A code span; it holds backticks too, but no line breaks."""
    words = " ".join(str(words).split())
    if not words:
        return ""
    longest = max((len(run) for run in re.findall("`+", words)), default=0)
    fence = "`" * (longest + 1)
    air = " " if words.startswith("`") or words.endswith("`") else ""
    return f"{fence}{air}{words}{air}{fence}"


def names(of: Iterable[str]) -> str:
    """Names as code, joined by commas and an "and"."""
    quoted = [code(name) for name in of]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def block(lines: Iterable[str], language: str = "") -> str:
    """A fenced block of code."""
    inside = "\n".join(lines)
    longest = max((len(run) for run in re.findall("`+", inside)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{inside}\n{fence}"


def table(columns: Sequence[tuple[str, Sequence[str]]], left: int = 1) -> str:
    """A table from titles and cells, which are Markdown already; ``left`` columns stand left.

    Columns without a single filled cell are left out.
    """
    columns = [(title, cells) for title, cells in columns if any(cells)]
    marks = ["---" if i < left else "---:" for i in range(len(columns))]
    rows = zip(*(cells for _, cells in columns), strict=True)
    lines = [[title for title, _ in columns], marks, *rows]
    return "\n".join(f"| {' | '.join(_cell(c) for c in line)} |" for line in lines)


def _cell(markdown: str) -> str:
    """Keep a pipe from ending the cell; in a table a backslash does so in code spans too."""
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(markdown.split("\n")))


def bullets(lines: Iterable[str]) -> str:
    """A list, one line each."""
    return "\n".join(f"- {line}" for line in lines)
