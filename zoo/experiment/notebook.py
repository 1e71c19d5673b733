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
        self.only = NotebookLine(self, "")
        self.notes: list[str] = []
        self.lines: list[NotebookLine] = [self.only]
        self.handle = None

    def __enter__(self) -> "NotebookProgress":
        from IPython.display import HTML, display

        self.as_html = HTML
        self.handle = display(HTML(""), display_id=True)
        return self

    def __exit__(self, *_) -> None:
        self.only.title = self.only.what = ""
        self._draw()

    def begin(self, title: str) -> None:
        """Name the piece of work that the following progress belongs to."""
        self.only.title, self.only.what = title, ""
        self._draw()

    def advance(self, what: str, done: int, total: int) -> None:
        """How far the work named ``what`` has got."""
        self.only.advance(what, done, total)

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
        drawn = (line.as_html() for line in self.lines)
        lines = [*map(html.escape, self.notes), *(line for line in drawn if line)]
        self.handle.update(self.as_html("<br>".join(lines)))


class NotebookLine:
    """One bar, alone or among several."""

    def __init__(self, home: NotebookProgress, title: str):
        self.home, self.title, self.what = home, title, ""
        self.done = self.total = 0
        self.started_at = self.drawn_at = 0.0

    def advance(self, what: str, done: int, total: int) -> None:
        """How far it has got; its clock starts anew when the work does."""
        now = time.monotonic()
        if what != self.what or done < self.done or self.done >= self.total:
            self.started_at = now  # work of the same name may come again
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
        """The bar, drawn; the title alone before there is any work."""
        words = html.escape(f"{self.title} · {self.what}".strip(" ·"))
        if not self.what:
            return words
        spent = duration(time.monotonic() - self.started_at)
        bar = f'<progress value="{self.done}" max="{self.total}"></progress>'
        return f"{words} {bar} {self.done}/{self.total}, {spent}"


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
