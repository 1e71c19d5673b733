"""A comparison as Markdown and as a page: compare.md with its pictures, compare.html by itself."""

import shlex
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from benchmark.label import Label
from reports.analysis.comparing import (
    camera_sheet,
    difference_sheet,
    length_sheet,
    score_sheet,
    sentences,
)
from reports.analysis.label_text import explain
from reports.analysis.markup import block, bullets, code, names, plain, text
from reports.analysis.sheets import Sheet
from reports.figures import attention, film_pairs
from reports.figures.comparing import charts
from reports.figures.style import styles
from reports.formats import embedded
from reports.formats.html import environment, page_file, style
from reports.formats.markdown_tables import sheet
from reports.read.compared import Compared, Film
from reports.read.inspection import Strip


class Shown(NamedTuple):
    """A picture of a comparison.

    Attributes:
        name: of its file, without the ending.
        caption: what it shows.
        draw: draws it.
    """

    name: str
    caption: str
    draw: Callable[[], Figure]


class Parts(NamedTuple):
    """What a comparison shows, whatever it is written as.

    Attributes:
        of: what was compared.
        differences: of its systems, see `reports.analysis.comparing.differences`.
        sheets: tables; ``charts``: drawn from numbers; ``films``: one a query.
        attention: where the methods looked, of queries that were inspected.
    """

    of: Compared
    differences: pd.DataFrame
    sheets: list[Sheet]
    charts: list[Shown]
    films: list[Shown]
    attention: list[Shown]


def parts(of: Compared, found: pd.DataFrame) -> Parts:
    """Everything that there is to be shown, nothing of it drawn yet."""
    tables = [difference_sheet(found), score_sheet(of), camera_sheet(of), length_sheet(of)]
    films = [_film(film, of.names) for film in of.films]
    drawn = [Shown(*chart) for chart in charts(of, found, styles(of.names))]
    looked = [
        shown
        for name, one in of.looked
        for i, strip in enumerate(one.strips)
        if attention.views(strip)
        for shown in [_looked(name, one.query, i, strip)]
    ]
    return Parts(of, found, [one for one in tables if one], drawn, films, looked)


def _film(film: Film, systems: Sequence[str]) -> Shown:
    def draw() -> Figure:
        return film_pairs.side_by_side(film, systems)

    return Shown(f"query-{film.query:05d}", film_pairs.headline(film, systems), draw)


def _looked(name: str, query: int, place: int, strip: Strip) -> Shown:
    what = "the query" if place == 0 else f"what ranks at {strip.rank}"
    caption = f"{name}, test row {query}: attention over the frames of {what}"

    def draw() -> Figure:
        return attention.draw(strip, caption)

    safe = "".join(c if c.isalnum() or c in "_-" else "-" for c in name)
    return Shown(f"attention-{query:05d}-{place}-{safe[:60]}", caption, draw)


def title(of: Compared) -> str:
    """Who is compared, in Markdown."""
    return f"{names(of.names)} compared"


def to_markdown(found: Parts, folder: str) -> str:
    """The page as Markdown; its pictures lie in ``folder`` beside it, as PNG."""
    of = found.of
    lines = [f"# {title(of)}", _where(of), bullets(sentences(of, found.differences))]
    lines.append("## Differences")
    for one in found.sheets:
        lines += sheet(one)
    lines += [_picture(shown, folder) for shown in found.charts]
    if found.films:
        lines += ["## Queries that differ most", *(_picture(one, folder) for one in found.films)]
    if found.attention:
        lines += ["## Where attention looked", *(_picture(one, folder) for one in found.attention)]
    lines += ["## What was compared", bullets(_made(of))]
    rules = explain(Label.parse(of.label))
    lines += ["### Rules", bullets(f"**{code(part)}**: {words}" for part, words in rules)]
    lines += ["### To see where they looked", block(commands(of), "sh")] if of.films else []
    return "\n\n".join(line for line in lines if line) + "\n"


def to_html(found: Parts) -> str:
    """The page as one HTML file that holds its pictures."""
    of = found.of
    told = [plain(line) for line in sentences(of, found.differences)]
    caution = told.pop(0) if told and told[0].startswith("Only ") else ""
    films = [
        _columns(film, shown, of.names) for film, shown in zip(of.films, found.films, strict=True)
    ]
    page = environment().get_template("compare.html")
    return page.render(
        title=plain(title(of)),
        of=of,
        caution=caution,
        sentences=told,
        sheets=found.sheets,
        charts=[embedded.drawn(one.caption, one.draw) for one in found.charts],
        films=films,
        attention=[embedded.drawn(one.caption, one.draw) for one in found.attention],
        made=[plain(line) for line in _made(of)],
        rules=explain(Label.parse(of.label)),
        style=Markup(style()),
        script=Markup(page_file("theme.js")),
    )


def _columns(film: Film, shown: Shown, systems: Sequence[str]) -> dict:
    each = [
        (name, [embedded.strip(strip) for strip in one.strips[1:]])
        for name, one in zip(systems, film.shown, strict=True)
    ]
    query = embedded.strip(film.shown[0].strips[0])
    return {"headline": shown.caption, "query": query, "columns": each}


def _picture(shown: Shown, folder: str) -> str:
    return f"![{text(shown.caption)}]({folder}/{shown.name}.png)\n\n*{text(shown.caption)}*"


def _where(of: Compared) -> str:
    split = f", split {of.split}" if of.split else ""
    queries = len(of.systems[0].queries[0])
    return (
        f"{code(of.dataset)}{split} (fingerprint {code(of.fingerprint)}), {code(of.label)}: "
        f"{queries:,} queries of {of.persons:,} persons."
    )


def _made(of: Compared) -> list[str]:
    """The runs behind each system, and what is not shown."""
    lines = [
        f"{code(system.name)}: {', '.join(code(folder) for folder in system.folders)}"
        for system in of.systems
    ]
    return [*lines, *(text(note) for note in of.notes)]


def commands(of: Compared) -> list[str]:
    """What to type so that attention is shown here, too."""
    rows = " ".join(f"--query {film.query}" for film in of.films)
    label = shlex.quote(of.label)
    return [
        f"zoo inspect {shlex.quote(system.folders[0])} --label {label} {rows}"
        for system in of.systems
    ]
