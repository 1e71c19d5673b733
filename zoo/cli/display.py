"""Tables for people and for programs: rich on a terminal, tab-separated or JSON when piped."""

import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table


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
        table.add_row(*(escape(_text(row[c])) for c in columns))
    Console().print(table)


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
