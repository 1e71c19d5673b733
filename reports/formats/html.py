"""report.html: one file with an interactive leaderboard that needs no network.

The script draws with plotly's own bundle, which lies in the page; tables beside the papers and the
galleries are plain HTML. The same records give the same bytes.
"""

import base64
import io
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib import image
from matplotlib.figure import Figure

from reports.analysis import paper_sheets
from reports.analysis.factors import ablations
from reports.analysis.groups import Group
from reports.analysis.headlines import plain_headline, title_of
from reports.analysis.markup import plain
from reports.analysis.sheets import better
from reports.analysis.trends import all_trends, counted
from reports.analysis.tuning_sheets import change_sheet, study_sheets
from reports.figures import film_strips
from reports.figures.pictures import Picture, shown_names, tuning_figures
from reports.figures.style import styles
from reports.formats.payload import payload
from reports.read.inspection import Inspection, Strip
from reports.read.results import Results

_PAGE = Path(__file__).parent / "page"
_SHOWN = 128  # pixels of a frame on the page
_SCRIPTS = ("table.js", "plots.js", "start.js")  # in this order
_QUALITY = 80  # of the galleries' pictures, as WebP


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
    environment = Environment(
        loader=FileSystemLoader(_PAGE), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("page.html").render(
        title=plain(title_of(tables)),
        style=Markup(style()),
        script=Markup(script()),
        plotly=Markup(_plotly()),
        data=Markup(_json(payload(tables, titles, families, counted(results), style_of))),
        published=[(headline, sheets) for headline, sheets in published if sheets],
        pairs=[(title, [sheet]) for title, sheet in pairs if sheet],
        variants=[(title, found) for title, found in variants if found],
        tuning=tuning,
        curves=[_drawn(*one) for one in tuning_figures(results.studies, style_of)],
        inspected=[_inspected(path, one) for path, one in inspected],
        results=results,
        runs=results.frame["run"].nunique() if tables else 0,
    )


def style() -> str:
    """The page's style sheet."""
    return (_PAGE / "style.css").read_text(encoding="utf-8")


def script() -> str:
    """The page's own script."""
    return "\n".join((_PAGE / name).read_text(encoding="utf-8") for name in _SCRIPTS)


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs  # its JavaScript lies in the package

    return get_plotlyjs()


def _json(data: dict) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _drawn(picture: Picture, draw: Callable[[], Figure]) -> dict:
    """A figure that lies in the page."""
    pixels = _pixels(draw())
    return {"caption": picture.caption, "source": _webp(pixels), "width": pixels.shape[1] // 2}


def _pixels(figure: Figure) -> np.ndarray:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    file.seek(0)
    return image.imread(file)


def _inspected(path: Path, one: Inspection) -> dict:
    """What the page shows of an inspected query."""
    of, rules = film_strips.headline(one)
    pictures = []
    for end, caption, draw in film_strips.drawn(one)[1:]:
        drawn = path.with_name(f"{path.stem}{end}.png")
        # what `zoo inspect` drew already is not drawn again
        pixels = image.imread(drawn) if drawn.is_file() else _pixels(draw())
        pictures.append({"caption": caption, "source": _webp(pixels), "width": pixels.shape[1]})
    return {
        "of": of,
        "rules": rules,
        "method": one.method,
        "notes": one.notes,
        "strips": [_strip(strip) for strip in one.strips],
        "attention": pictures,
    }


def _strip(strip: Strip) -> dict:
    frames, height, width, _ = strip.frames.shape
    film = np.full((height, frames * (width + 2) - 2, 3), 255, np.uint8)
    for i, frame in enumerate(strip.frames):
        film[:, i * (width + 2) : i * (width + 2) + width] = frame
    return {
        "kind": strip.kind,
        "caption": film_strips.caption(strip),
        "alt": f"{frames} frames of {film_strips.person_text(strip)}",
        "source": _webp(film),
        "width": round(film.shape[1] * _SHOWN / height),
        "height": _SHOWN,
    }


def _webp(pixels: np.ndarray) -> str:
    """A picture as an address that holds it."""
    file = io.BytesIO()
    image.imsave(file, pixels, format="webp", pil_kwargs={"quality": _QUALITY, "method": 4})
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
