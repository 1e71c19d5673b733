"""What a notebook shows: one line with a bar while it runs, then tables and figures."""

import base64
import html
import sys
import time
from collections.abc import Iterable, Mapping

import pandas as pd

from benchmark.progress import duration

SHOWN = ("map-gmacs", "map-latency", "cmc", "accuracy")  # figures that are shown, by their names
EVERY_S = 0.2  # between two drawings of the bar


def is_notebook() -> bool:
    """True in Jupyter, where output is HTML; False in plain Python and in IPython's terminal."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


class NotebookProgress:
    """A bar below the cell, drawn over itself, and gone when the work is done; use it as a context.

    Notes stay, as lines below the bar.
    """

    def __init__(self):
        self.title = self.what = ""
        self.done = self.total = 0
        self.notes: list[str] = []
        self.lines: list[NotebookLine] = []
        self.started_at = self.drawn_at = 0.0
        self.handle = None

    def __enter__(self) -> "NotebookProgress":
        from IPython.display import HTML, display

        self.as_html = HTML
        self.handle = display(HTML(""), display_id=True)
        return self

    def __exit__(self, *_) -> None:
        self.what = self.title = ""
        self._draw()

    def begin(self, title: str) -> None:
        """Name the piece of work that the following progress belongs to."""
        self.title, self.what = title, ""
        self._draw()

    def advance(self, what: str, done: int, total: int) -> None:
        """How far the work named ``what`` has got."""
        now = time.monotonic()
        if what != self.what:
            self.started_at = now
        soon = what == self.what and done < total and now - self.drawn_at < EVERY_S
        self.what, self.done, self.total = what, done, total
        if not soon:
            self.drawn_at = now
            self._draw()

    def note(self, line: str) -> None:
        """A line that stays."""
        self.notes.append(line.strip())
        self._draw()

    def line(self, title: str) -> "NotebookLine":
        """A bar of its own for work that goes on beside others."""
        line = NotebookLine(self, title)
        self.lines.append(line)
        return line

    def _draw(self) -> None:
        lines = [html.escape(line) for line in self.notes]
        if self.what:
            lines.append(_bar(self))
        elif self.title:
            lines.append(html.escape(self.title))
        lines += [line.as_html() for line in self.lines if line.what]
        self.handle.update(self.as_html("<br>".join(lines)))


class NotebookLine:
    """One bar among several."""

    def __init__(self, home: NotebookProgress, title: str):
        self.home, self.title, self.what = home, title, ""
        self.done = self.total = 0
        self.started_at = self.drawn_at = 0.0

    def advance(self, what: str, done: int, total: int) -> None:
        """How far it has got."""
        now = time.monotonic()
        if what != self.what:
            self.started_at = now
        soon = what == self.what and done < total and now - self.drawn_at < EVERY_S
        self.what, self.done, self.total = what, done, total
        if not soon:
            self.drawn_at = now
            self.home._draw()

    def end(self) -> None:
        """Take the bar away."""
        self.home.lines.remove(self)
        self.home._draw()

    def as_html(self) -> str:
        """The bar, drawn."""
        return _bar(self)


def _bar(line: NotebookProgress | NotebookLine) -> str:
    spent = duration(time.monotonic() - line.started_at)
    bar = f'<progress value="{line.done}" max="{line.total}"></progress>'
    words = html.escape(f"{line.title} · {line.what}".strip(" ·"))
    return f"{words} {bar} {line.done}/{line.total}, {spent}"


def as_html(table: pd.DataFrame, figures: Mapping[str, bytes], lines: Iterable[str] = ()) -> str:
    """Tables of what compares, figures below them, and lines of plain text.

    Args:
        table: rows of `reports.formats.exports.frame`.
        figures: PNG files by name.
        lines: of text, e.g. what failed.
    """
    parts = [_table(rows) for _, rows in table.groupby(["dataset", "training", "label"])]
    parts += [
        f'<img alt="{html.escape(name.rpartition(".")[0])}" width="480" '
        f'src="data:image/png;base64,{base64.b64encode(data).decode()}">'
        for name, data in figures.items()
    ]
    return "\n".join([*parts, *(f"<p>{html.escape(line)}</p>" for line in lines)])


def _table(rows: pd.DataFrame) -> str:
    """One table: percent with 95 % intervals, and what a clip costs."""
    first = rows.iloc[0]
    shown = pd.DataFrame({"method": rows["name"], "runs": rows["runs"]})
    for metric in ("mAP", "R1"):
        shown[f"{metric} (%)"] = [_with_interval(row, metric) for row in rows.to_dict("records")]
    shown["parameters (10⁶)"] = rows["params_m"].map("{:.3g}".format)
    shown["GMACs"] = rows["gmacs"].map("{:.3g}".format)
    caption = html.escape(f"{first['dataset']} · {first['training']} · {first['label']}")
    return f"<p>{caption}</p>\n{shown.to_html(index=False, border=0)}"


def _with_interval(row: Mapping[str, float], metric: str) -> str:
    value, low, high = (100 * row[f"{metric}{end}"] for end in ("", "_low", "_high"))
    return f"{value:.1f}" if pd.isna(low) else f"{value:.1f} ({low:.1f} to {high:.1f})"
