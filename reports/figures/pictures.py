"""Which figures a report has: what each shows, what its file is called, what stands below it."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from benchmark.files import hash_of
from reports.analysis import papers, trends
from reports.analysis.cautions import conditions
from reports.analysis.convergence import SIGN
from reports.analysis.groups import Group, Key
from reports.analysis.headlines import plain_headline
from reports.figures import plots, tradeoffs
from reports.figures.style import Style, styles
from reports.figures.training import training
from reports.figures.tuning import tuning
from reports.read.results import Results
from reports.read.rows import base
from reports.read.studies import Study

# names that a report gives its pictures, below its own folder; the last line is an earlier form
GENERATED = re.compile(
    r"(?:[\w.+@-]+-[0-9a-f]{6}/(?:map-gmacs|map-latency|map-memory|cmc|training)"
    r"|published/[\w]+-(?:gmacs|frames)"
    r"|trends/(?:accuracy|cost)-[\w.+-]*-[0-9a-f]{6}"
    r"|studies/[\w.+-]*-[0-9a-f]{6}"
    r"|inspected/[\w.+@()-]*"
    r"|(?:map-gmacs|map-latency|map-memory|cmc|training|trend|cost|published|tuning)-[\w.+-]*"
    r"-[0-9a-f]{12}|inspect-[\w.+@()-]*)\.(?:png|pdf)"
)
_COSTS = (
    ("gmacs", "map-gmacs", "computation"),
    ("latency_ms", "map-latency", "latency"),
    ("peak_memory_mb", "map-memory", "peak memory"),
)


class Picture(NamedTuple):
    """A figure that lies beside the report.

    Attributes:
        section: of the report: ``results``, ``published``, ``trends``, ``training``, ``tuning``,
            ``inspected``.
        of: the table that it belongs to, in ``results``.
        file: its path below the report, ``<table>/<figure>.png``.
        caption: what it shows, in words.
    """

    section: str
    of: Key | None
    file: str
    caption: str


Drawn = tuple[Picture, Callable[[], Figure]]


def all_figures(results: Results, tables: Sequence[Group]) -> Iterator[Drawn]:
    """Every figure that has something to show, to be drawn when it is asked for."""
    families = trends.all_trends(results)
    style_of = styles(shown_names(results, tables, families))
    counted = trends.counted(results)
    for group in tables:
        title = plain_headline(group.key, tables)
        yield from _tradeoffs(group, style_of, title, counted)
        shown = group.rows[group.rows["cmc"].notna()]
        if len(shown):
            mean = ", mean over runs" if (shown["runs"] > 1).any() else ""
            whiskers = " Whiskers: 95 % intervals." if shown["R1_low"].notna().any() else ""
            caption = f"CMC curves{mean}.{whiskers}{_absent(group, shown['name'])}"
            picture = Picture("results", group.key, _file(group.key, "cmc"), caption)
            yield picture, partial(plots.cmc, group.rows, style_of, title)
    yield from _published(tables, counted)
    for family in families:
        yield _trend(family, style_of)
    yield from _training_curves(results, tables, style_of)
    yield from tuning_figures(results.studies, style_of)


def _tradeoffs(
    group: Group, style_of: dict[str, Style], title: str, counted: pd.DataFrame
) -> Iterator[Drawn]:
    """Accuracy against each cost; time and memory only if all were measured alike."""
    rows = group.rows
    printed = papers.points(base(group.key.dataset), counted)
    for cost, short, words in _COSTS:
        shown = rows[rows[cost].notna() & rows["mAP"].notna()]
        if len(shown) < 2 or (cost != "gmacs" and len(conditions(group)) != 1):
            continue
        caption = f"mAP and R1 against {words}.{_absent(group, shown['name'])}"
        if len(shown) > tradeoffs.MOST_NAMES:
            caption += " Named: those on the front, or where there is none, the best."
        published = printed[printed["method"].isin(rows["method"])] if cost == "gmacs" else None
        if published is not None and published["gmacs"].notna().any():
            caption += " Grey: published, under the papers' own rules; dotted: more frames."
            caption += _doubts(published[published["gmacs"].notna()])
        picture = Picture("results", group.key, _file(group.key, short), caption)
        yield picture, partial(tradeoffs.tradeoff, rows, cost, style_of, title, published)


def _absent(group: Group, shown: Sequence[str]) -> str:
    absent = [name for name in group.rows["name"] if name not in set(shown)]
    words = f" Not measured, so not shown: {', '.join(absent)}." if absent else ""
    return words + (f" {SIGN}: not converged." if any(group.rows["convergence"]) else "")


def _published(tables: Sequence[Group], counted: pd.DataFrame) -> Iterator[Drawn]:
    """What the papers print of the methods in this report, on their data sets."""
    measured = {name for group in tables for name in group.rows["method"]}
    empty = pd.DataFrame(columns=["name", "x"])
    for dataset in ("mars", "duke_video"):
        printed = papers.points(dataset, counted)
        printed = printed[printed["method"].isin(measured)]
        placed = printed[printed["gmacs"].notna()]
        if len(placed) > 1:
            caption = (
                f"Published figures on {dataset} against GMACs, as printed or, where a paper "
                "prints none, as counted by us for the same clip. Dotted: one method, more frames."
                f"{_doubts(placed)}"
            )
            picture = Picture("published", None, f"published/{dataset}-gmacs.png", caption)
            title = f"{dataset} · published in the papers"
            yield picture, partial(tradeoffs.tradeoff, empty, "gmacs", {}, title, placed)
        lines = printed[printed["line"] != ""]
        if len(lines):
            caption = f"Published figures on {dataset} against the frames of a clip."
            picture = Picture("published", None, f"published/{dataset}-frames.png", caption)
            title, axis = f"{dataset} · published in the papers", "Frames of a clip, T"
            yield picture, partial(plots.trend, empty, {}, title, axis, lines)


def _doubts(printed: pd.DataFrame) -> str:
    """What the daggers at published points are, where there are any."""
    doubtful = printed["label"].str.endswith(papers.DAGGERS[0]).any()
    return " †: a doubtful figure, see the notes at the tables." if doubtful else ""


def _trend(family: trends.Trend, style_of: dict[str, Style]) -> Drawn:
    same = [family.dataset, family.kind, family.axis, family.title]
    of = f"{family.axis}: {family.title}"
    if family.kind.startswith("cost"):
        picture = Picture(
            "trends",
            None,
            _numbered("trends/cost", _what(family), same),
            f"Cost against {_small(of)}.",
        )
        return picture, partial(plots.cost_trend, family.rows, style_of, family.title, family.axis)
    printed = papers.points(family.dataset, pd.DataFrame())
    printed = printed[(printed["line"] != "") & printed["method"].isin(family.rows["method"])]
    printed = printed if family.kind == "frames" and len(printed) else None
    seeds = " and seeds" if (family.rows["seeds"] > 1).any() else ""
    dotted = "" if printed is None else " Dotted: published."
    caption = (
        f"Accuracy against {_small(of)}. Bands: 95 % bootstrap intervals over test persons{seeds}."
        f"{dotted}"
    )
    picture = Picture("trends", None, _numbered("trends/accuracy", _what(family), same), caption)
    rows, title, axis = family.rows, family.title, family.axis
    return picture, partial(plots.trend, rows, style_of, title, axis, printed)


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]


def _training_curves(
    results: Results, tables: Sequence[Group], style_of: dict[str, Style]
) -> Iterator[Drawn]:
    """One figure a data set and recipe: training knows nothing of labels."""
    for key in dict.fromkeys(group.key._replace(label="") for group in tables):
        runs: dict[str, str] = {}
        unconverged = set()
        for group in tables:
            if group.key._replace(label="") == key:
                marked = [bool(verdicts) for verdicts in group.rows["convergence"]]
                unconverged |= set(group.rows.loc[marked, "name"])
                for name, records in group.by_name.items():
                    runs |= {run: runs.get(run, name) for run in records["run"]}
        logs: dict[str, list] = {}
        for run, name in runs.items():
            log = results.log(run)
            if len(log):
                logs.setdefault(name, []).append(log)
        if logs:
            title = plain_headline(key, tables)
            several = any(len(of_one) > 1 for of_one in logs.values())
            lines = " Thick: mean over runs; thin: single runs." if several else ""
            caption = (
                f"Training, {title}.{lines} Losses have other parts in other methods, so only "
                "their course compares."
            )
            picture = Picture("training", None, _file(key, "training"), caption)
            yield picture, partial(training, logs, style_of, title, unconverged)


def tuning_figures(studies: Sequence[Study], style_of: dict[str, Style]) -> Iterator[Drawn]:
    """One figure a study with trials."""
    for study in studies:
        if any(method.trials for method in study.methods):
            yield _tuning(study, style_of)


def shown_names(
    results: Results, tables: Sequence[Group], families: Sequence[trends.Trend]
) -> set[str]:
    """Every name that a figure of the report draws; the same names get the same styles."""
    names = {name for group in tables for name in group.rows["name"]}
    names |= {name for family in families for name in family.rows["name"]}
    return names | {method.method for study in results.studies for method in study.methods}


def _tuning(study: Study, style_of: dict[str, Style]) -> Drawn:
    caption = (
        f"Tuning, study {study.name}. Left: the best validation mAP to be expected of so many "
        "trials, bands of one standard deviation. Right: every trial, with quartiles; a diverged "
        "one counts as 0; the bar is the shared recipe."
    )
    file = _numbered("studies/", study.name, [study.name, study.space])
    title = f"study {study.name} · space {study.space} · held-out training identities"
    return Picture("tuning", None, file, caption), partial(tuning, study, style_of, title)


def folder_of(key: Key) -> str:
    """The folder of a table's pictures: the same for the same table, another for another."""
    protocol = key.label.partition("@")[0]
    parts = (key.dataset, key.training, protocol)
    return f"{_words(*parts)}-{hash_of(list(key))[:6]}"


def _file(key: Key, figure: str) -> str:
    return f"{folder_of(key)}/{figure}.png"


def _numbered(start: str, name: str, same: Sequence[str]) -> str:
    words = "-".join(filter(None, (_words(name), hash_of(list(same))[:6])))
    return f"{start}{'' if start.endswith('/') else '-'}{words}.png"


def _what(family: trends.Trend) -> str:
    """What varies along a family, in a word."""
    return "frames" if family.axis.startswith("Frames") else family.axis.partition(" ")[0]


def _words(*parts: str) -> str:
    return re.sub(r"[^\w.+]+", "-", "-".join(filter(None, parts)))[:40].strip("-.")
