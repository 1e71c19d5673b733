"""report.html: one file with an interactive leaderboard that needs no network.

The script draws with plotly's own bundle, which lies in the page; tables beside the papers and the
galleries are plain HTML. The same records give the same bytes.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from reports.analysis import paper_sheets
from reports.analysis.factors import ablations
from reports.analysis.groups import Group
from reports.analysis.headlines import plain_headline, title_of
from reports.analysis.markup import plain
from reports.analysis.matrix import matrices
from reports.analysis.sheets import better
from reports.analysis.trends import all_trends, counted
from reports.analysis.tuning_sheets import change_sheet, study_sheets
from reports.figures import film_strips
from reports.figures.pictures import Drawn, all_figures, shown_names
from reports.figures.style import styles
from reports.formats import embedded, provenance
from reports.formats.markdown import cost_parts
from reports.formats.payload import payload
from reports.read.inspection import Inspection
from reports.read.results import Results

_PAGE = Path(__file__).parent / "page"
# in this order
_SCRIPTS = ("theme.js", "table.js", "plots.js", "address.js", "export.js", "start.js")


def render(
    results: Results, tables: Sequence[Group], inspected: Sequence[tuple[Path, Inspection]]
) -> str:
    """The whole page; the same results give the same text."""
    families = all_trends(results)
    style_of = styles(shown_names(results, tables, families))
    titles = [plain_headline(group.key, tables) for group in tables]
    published = [
        (plain_headline(group.key, tables), paper_sheets.sheets(group))
        for group in paper_sheets.chosen(tables)
    ]
    pairs = [(title, better(group)) for title, group in zip(titles, tables, strict=True)]
    variants = [(title, ablations(group)) for title, group in zip(titles, tables, strict=True)]
    tuning = [(f"Study {study.name}", study_sheets(study)) for study in results.studies]
    changed = [
        (title, change_sheet(group, tables)) for title, group in zip(titles, tables, strict=True)
    ]
    tuning += [(title, [sheet]) for title, sheet in changed if sheet]
    figures = list(all_figures(results, tables))
    page = environment().get_template("page.html")
    return page.render(
        title=plain(title_of(tables)),
        style=Markup(style()),
        script=Markup(script()),
        plotly=Markup(_plotly()),
        data=Markup(_json(payload(tables, titles, families, counted(results), style_of))),
        matrices=matrices(tables),
        published=[(headline, sheets) for headline, sheets in published if sheets],
        printed=_figures(figures, "published"),
        pairs=[(title, [sheet]) for title, sheet in pairs if sheet],
        variants=[(title, found) for title, found in variants if found],
        tuning=tuning,
        curves=_figures(figures, "tuning"),
        training=_figures(figures, "training"),
        costs=_from_markdown(cost_parts(tables)) if tables else "",
        provenance=_from_markdown(provenance.sections(results)) if tables else "",
        inspected=[_inspected(one) for _, one in inspected],
        results=results,
        runs=results.frame["run"].nunique() if tables else 0,
    )


def _figures(figures: Sequence[Drawn], section: str) -> list[dict]:
    """The figures of a section of the report, drawn into the page."""
    return [
        embedded.drawn(picture.caption, draw)
        for picture, draw in figures
        if picture.section == section
    ]


def _from_markdown(parts: Sequence[str]) -> Markup:
    """Parts of the Markdown report; what came from records was escaped when they were made."""
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    return Markup(reader.render("\n\n".join(parts)))


def environment() -> Environment:
    """Where the pages' templates lie; what goes into them stays text."""
    return Environment(
        loader=FileSystemLoader(_PAGE), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


def page_file(name: str) -> str:
    """A file of the pages: a script or a style sheet."""
    return (_PAGE / name).read_text(encoding="utf-8")


def style() -> str:
    """The pages' style sheet."""
    return page_file("style.css")


def script() -> str:
    """The page's own script."""
    return "\n".join(page_file(name) for name in _SCRIPTS)


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs  # its JavaScript lies in the package

    return get_plotlyjs()


def _json(data: dict) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _inspected(one: Inspection) -> dict:
    """What the page shows of an inspected query."""
    of, rules = film_strips.headline(one)
    return {
        "of": of,
        "rules": rules,
        "method": one.method,
        "notes": one.notes,
        "strips": [embedded.strip(strip) for strip in one.strips],
        "attention": [
            embedded.drawn(caption, draw) for _, caption, draw in film_strips.drawn(one)[1:]
        ],
    }
