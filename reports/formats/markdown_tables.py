"""Tables and pictures in Markdown."""

from collections.abc import Sequence

from reports.analysis.intervals import BEST, TIE
from reports.analysis.markup import code, table, text
from reports.analysis.sheets import Cell, Column, Sheet
from reports.figures.pictures import Picture


def markdown_table(columns: Sequence[Column]) -> str:
    """A table; marks become bold and ≈, names become code."""
    made = [
        (
            f"{text(column.title)}{_header(column)}",
            [_shown(cell, column.kind) for cell in column.cells],
        )
        for column in columns
    ]
    left = sum(column.kind != "number" for column in columns)
    return table(made, left=left)


def _header(column: Column) -> str:
    return f", {text(column.header)}" if column.header else ""


def _shown(cell: Cell, kind: str) -> str:
    words = code(cell.text) if kind == "name" else text(cell.text)
    words = {BEST: f"**{words}**", TIE: f"{words} ≈"}.get(cell.mark, words)
    return f"{words} {cell.sign}" if cell.sign else words


def sheet(of: Sheet) -> list[str]:
    """A table with its title above and its notes below."""
    return [
        f"**{text(of.title)}**",
        markdown_table(of.columns),
        *([small(of.notes)] if of.notes else []),
    ]


def small(notes: Sequence[str]) -> str:
    """Notes below a table; they are plain text."""
    return f"<sub>{text('; '.join(notes))}.</sub>"


def picture_link(picture: Picture) -> str:
    """A picture with its caption."""
    return f"![{text(picture.caption)}]({picture.file})\n\n*{text(picture.caption)}*"
