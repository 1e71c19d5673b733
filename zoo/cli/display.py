"""Tables for people and for programs: rich on a terminal, tab-separated or JSON when piped."""

import json
import sys
import textwrap
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

GAP = "   "  # between two fields of a row that takes several lines
SHORT = 24  # columns, up to which a cell stands on one line


def show(rows: Sequence[dict], *, as_json: bool, title: str = "") -> None:
    """Print rows of equal keys: a table on a terminal, tab-separated when piped, or JSON.

    On a terminal text is broken between words only: no name, label or path is cut or folded. Rows
    that the terminal is too narrow for take several lines each.
    """
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
    console = Console(highlight=False)
    if title:
        for line in _wrapped(title, console.width):
            console.print(Text(line, style="bold"), soft_wrap=True)
    if fits(rows):
        console.print(_table(rows, console.width))
        return
    for line in _narrow(rows, columns, console.width):
        console.print(line, soft_wrap=True)  # a word that is longer still is wrapped, not cut


def tell(line: str) -> None:
    """Print a sentence that belongs to the table above it."""
    width = Console().width
    print("\n".join(textwrap.wrap(line, width, initial_indent="  ", subsequent_indent="    ")))


def fits(rows: Sequence[dict]) -> bool:
    """Whether the terminal is wide enough for a table of these rows."""
    return sum(_widest(rows, column) + 2 for column in rows[0]) <= Console().width


def _narrow(rows: Sequence[dict], columns: Sequence[str], width: int) -> Iterator[Text]:
    """Several lines a row; what is a name and its value alone stays beside each other."""
    name, *others = columns
    if len(others) == 1:
        wide = max(cell_len(_text(row[name])) for row in rows)
        for row in rows:
            first, *more = _wrapped(_text(row[others[0]]), max(width - wide - 2, 20)) or [""]
            yield Text.assemble((_text(row[name]).ljust(wide), "bold"), f"  {first}")
            yield from (Text(" " * (wide + 2) + line) for line in more)
        return
    for row in rows:
        yield Text(_text(row[name]), style="bold")
        yield from map(
            Text, _lines([f"{c} {_text(row[c])}" for c in others if _text(row[c])], width)
        )


def _table(rows: Sequence[dict], width: int) -> Table:
    """A table whose text is no markup, so that brackets stay."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for column, wide in _widths(rows, width).items():
        values = [row[column] for row in rows if row[column] is not None]
        numeric = bool(values) and all(isinstance(value, int | float) for value in values)
        table.add_column(Text(column), justify="right" if numeric else "left", width=wide)
    for row in rows:
        table.add_row(*(Text(_text(value)) for value in row.values()))
    return table


def _widths(rows: Sequence[dict], width: int) -> dict[str, int]:
    """Columns of each column: as many as it would have, less where there is most to spare."""
    least = {column: _widest(rows, column) for column in rows[0]}
    found = {
        column: max(cell_len(text) for text in (column, *(_text(row[column]) for row in rows)))
        for column in rows[0]
    }
    while sum(found.values()) + 2 * len(found) > width:
        widest = max(found, key=lambda column: found[column] - least[column])
        if found[widest] == least[widest]:
            break
        found[widest] -= 1
    return found


def _widest(rows: Sequence[dict], column: str) -> int:
    """Columns that a column takes at least: short cells are not broken, long ones between words."""
    parts = column.split()
    for text in (_text(row[column]) for row in rows):
        parts += [text] if cell_len(text) <= SHORT else text.split()
    return max(map(cell_len, parts))


def _lines(fields: Sequence[str], width: int) -> list[str]:
    """Fields side by side, as many as fit on a line; one that is longer takes several."""
    lines: list[str] = []
    for field in fields:
        if lines and cell_len(lines[-1]) + cell_len(GAP + field) <= width:
            lines[-1] += GAP + field
        else:
            first, *more = _wrapped(field, width - 4)
            lines += [f"  {first}", *(f"    {line}" for line in more)]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def score_row(
    label: str, dataset: str, metrics: dict[str, float], counts: object, about: dict | None = None
) -> dict:
    """A row of scores in percent, with the sizes of gallery and queries."""
    percent = {name: round(100 * value, 2) for name, value in metrics.items()}
    numbers = {name: getattr(counts, name) for name in ("gallery", "queries", "dropped")}
    return {"label": label, "dataset": dataset, **(about or {}), **percent, **numbers}


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
