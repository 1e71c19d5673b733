"""Which figures a report has: what each shows, what its file is called, what stands below it."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from benchmark.files import hash_of
from reports.analysis import papers, trends
from reports.analysis.groups import Group, Key, Results
from reports.analysis.summary import conditions
from reports.figures import film_strips as gallery
from reports.figures import plots as figures
from reports.figures import tradeoffs
from reports.read import inspection

MOST_LOOKED_AT = 30  # inspected queries in a report
KINDS = ("map-gmacs", "map-latency", "map-memory", "cmc", "training", "trend", "cost", "published")
OURS = re.compile(rf"(({'|'.join(KINDS)})-[\w.+-]*-[0-9a-f]{{12}}|inspect-[\w.+@()-]*)\.(png|pdf)")
_COSTS = (
    ("gmacs", "map-gmacs", "computation"),
    ("latency_ms", "map-latency", "latency"),
    ("peak_memory_mb", "map-memory", "peak memory"),
)


class Picture(NamedTuple):
    """A figure that lies beside the report.

    Attributes:
        section: of the report: ``results``, ``published``, ``trends``, ``training``, ``looked-at``.
        of: the table that it belongs to, in ``results``.
        file: its name.
        caption: what it shows, in words.
    """

    section: str
    of: Key | None
    file: str
    caption: str


Drawn = tuple[Picture, Callable[[], Figure]]


def all_figures(
    results: Results, tables: Sequence[Group], headline: Callable[[Key], str]
) -> Iterator[Drawn]:
    """Every figure that has something to show, to be drawn when it is asked for.

    Args:
        results: what was read.
        tables: its groups.
        headline: a table's title in plain words.
    """
    families = trends.all_trends(results)
    names = {name for group in tables for name in group.rows["name"]}
    names |= {name for family in families for name in family.rows["name"]}
    looks = figures.styles(names)
    counted = trends.counted(results)
    for group in tables:
        title = headline(group.key)
        yield from _tradeoffs(group, looks, title, counted)
        shown = group.rows[group.rows["cmc"].notna()]
        if len(shown):
            mean = ", mean over runs" * bool((shown["runs"] > 1).any())
            caption = f"CMC curves{mean}.{_absent(group, shown['name'])}"
            picture = Picture("results", group.key, _file("cmc", group.key), caption)
            yield picture, _later(figures.cmc, group.rows, looks, title)
    yield from _published(tables, counted)
    for family in families:
        yield _trend(family, looks)
    yield from _curves(results, tables, looks, headline)


def _later(draw: Callable[..., Figure], *arguments: object) -> Callable[[], Figure]:
    return lambda: draw(*arguments)


def _tradeoffs(
    group: Group, looks: dict[str, figures.Style], title: str, counted: pd.DataFrame
) -> Iterator[Drawn]:
    """Accuracy against each cost; time and memory only if all were measured alike."""
    rows = group.rows
    printed = papers.points(papers.base(group.key.dataset), counted)
    for cost, short, words in _COSTS:
        shown = rows[rows[cost].notna() & rows["mAP"].notna()]
        if len(shown) < 2 or (cost != "gmacs" and len(conditions(group)) != 1):
            continue
        caption = f"mAP and R1 against {words}.{_absent(group, shown['name'])}"
        if len(shown) > tradeoffs.MOST_NAMES:
            caption += " Named: those on the front."
        beside = printed[printed["method"].isin(rows["method"])] if cost == "gmacs" else None
        if beside is not None and beside["gmacs"].notna().any():
            caption += " Grey: published, under the papers' own rules; dotted: more frames."
        picture = Picture("results", group.key, _file(short, group.key), caption)
        yield picture, _later(tradeoffs.tradeoff, rows, cost, looks, title, beside)


def _absent(group: Group, shown: Sequence[str]) -> str:
    absent = [name for name in group.rows["name"] if name not in set(shown)]
    return f" Not measured, so not shown: {', '.join(absent)}." if absent else ""


def _published(tables: Sequence[Group], counted: pd.DataFrame) -> Iterator[Drawn]:
    """What the papers print of the methods in this report, on their data sets."""
    measured = {name for group in tables for name in group.rows["method"]}
    for dataset in ("mars", "duke_video"):
        printed = papers.points(dataset, counted)
        printed = printed[printed["method"].isin(measured)]
        placed = printed[printed["gmacs"].notna()]
        if len(placed) > 1:
            caption = (
                f"Published figures on {dataset} against GMACs, as printed or, where a paper "
                "prints none, as counted by us for the same clip. Dotted: one method, more frames."
            )
            key = Key(dataset, "", "published", "gmacs")
            picture = Picture("published", None, _file("published", key), caption)
            title = f"{dataset} · published in the papers"
            empty = pd.DataFrame(columns=["name"])
            yield picture, _later(tradeoffs.tradeoff, empty, "gmacs", {}, title, placed)
        lines = printed[printed["line"] != ""]
        if len(lines):
            caption = f"Published figures on {dataset} against the frames of a clip."
            key = Key(dataset, "", "published", "frames")
            picture = Picture("published", None, _file("published", key), caption)
            title, axis = f"{dataset} · published in the papers", "Frames of a clip, T"
            empty = pd.DataFrame(columns=["name", "x"])
            yield picture, _later(figures.trend, empty, {}, title, axis, lines)


def _trend(family: trends.Trend, looks: dict[str, figures.Style]) -> Drawn:
    key = Key(family.dataset, "", family.kind, f"{family.axis} {family.title}")
    of = f"{family.axis}: {family.title}"
    if family.kind.startswith("cost"):
        picture = Picture("trends", None, _file("cost", key), f"Cost against {_small(of)}.")
        return picture, _later(figures.cost_trend, family.rows, looks, family.title, family.axis)
    printed = papers.points(family.dataset, pd.DataFrame())
    printed = printed[(printed["line"] != "") & printed["method"].isin(family.rows["method"])]
    printed = printed if family.kind == "frames" and len(printed) else None
    caption = f"Accuracy against {_small(of)}. Bands: 95 % bootstrap intervals over test persons"
    caption += " and seeds." * bool((family.rows["seeds"] > 1).any()) or "."
    caption += " Dotted: published." * (printed is not None)
    picture = Picture("trends", None, _file("trend", key), caption)
    rows, title, axis = family.rows, family.title, family.axis
    return picture, _later(figures.trend, rows, looks, title, axis, printed)


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]


def _curves(
    results: Results,
    tables: Sequence[Group],
    looks: dict[str, figures.Style],
    headline: Callable[[Key], str],
) -> Iterator[Drawn]:
    """One figure a data set and recipe: training knows nothing of labels."""
    for key in dict.fromkeys(group.key._replace(label="") for group in tables):
        runs: dict[str, str] = {}
        for group in tables:
            if group.key._replace(label="") == key:
                for name, records in group.by_name.items():
                    runs |= {run: runs.get(run, name) for run in records["run"]}
        logs: dict[str, list] = {}
        for run, name in runs.items():
            log = results.log(run)
            if len(log):
                logs.setdefault(name, []).append(log)
        if logs:
            title = headline(key)
            several = any(len(of_one) > 1 for of_one in logs.values())
            caption = (
                f"Training, {title}. " + "Thick: mean over runs; thin: single runs. " * several
            )
            caption += "Losses have other parts in other methods, so only their course compares."
            picture = Picture("training", None, _file("training", key), caption)
            yield picture, _later(figures.training, logs, looks, title)


def _file(kind: str, key: Key) -> str:
    """A name that is the same for the same table, and another for another."""
    parts = (key.dataset, key.training, key.label)
    words = re.sub(r"[^\w.+]+", "-", "-".join(parts)).strip("-")
    return f"{kind}-{words[:70].strip('-')}-{hash_of(list(key))}.png"


def looked_at(results: Results) -> tuple[list[tuple[Path, inspection.Inspection]], list[str]]:
    """Inspected queries with their files, at most `MOST_LOOKED_AT`; problems in words."""
    found, problems = [], []
    for path in results.inspections[:MOST_LOOKED_AT]:
        try:
            found.append((path, inspection.load(path)))
        except ValueError as error:
            short = "/".join(path.parts[-4:])
            problems.append(" ".join(str(error).replace(str(path), short).split()))
    return found, problems


class Looked(NamedTuple):
    """One picture of an inspected query."""

    picture: Picture
    source: Path  # where `zoo inspect` drew it
    draw: Callable[[], Figure]


def inspected(found: Sequence[tuple[Path, inspection.Inspection]]) -> list[Looked]:
    """The pictures of inspected queries."""
    made = []
    for path, one in found:
        for end, caption, draw in gallery.drawn(one):
            label = path.parent.name
            file = re.sub(r"[^\w.+@()-]", "-", f"inspect-{path.parts[-4]}-{label}-{path.stem}{end}")
            picture = Picture("looked-at", None, f"{file}.png", caption)
            made.append(Looked(picture, path.with_name(f"{path.stem}{end}.png"), draw))
    return made
