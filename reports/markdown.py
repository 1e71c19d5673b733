"""report.md: the tables, what they say in words, and what it takes to check them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from reports import provenance
from reports.markup import bullets, code, names, table, text
from reports.rules import explain
from reports.summary import (
    cautions,
    conditions,
    grouped,
    records_by_name,
    sentences,
    spread_of,
)
from reports.tables import METRICS, Group, Key, Results, groups

_COLUMNS = (  # title, column, significant digits of the smallest value
    ("Params (M)", "params_m", 3),
    ("GMACs", "gmacs", 4),
    ("Latency (ms)", "latency_ms", 3),
    ("Clips/s", "clips_per_s", 3),
    ("Peak memory (MB)", "peak_memory_mb", 3),
)
_INTRO = (
    "Results are ranked only within one data set, one recipe and one result label (the rules of "
    "scoring): numbers from two tables do not compare."
)
_COST_WORDS = (
    "Costs are those of embedding one clip. A GMAC is 10⁹ multiply-adds, each counted as one. "
    "Latency is the median at batch 1, its interquartile range in brackets. Clips/s is the highest "
    "throughput, the batch it needs in brackets. Peak memory is what tensors take in one forward "
    "pass of one clip, weights included. Over several runs the median is shown."
)


class Picture(NamedTuple):
    """A figure that lies beside the report: what it belongs to, its file name and its caption."""

    of: Key
    file: str
    caption: str


def render(results: Results, pictures: Sequence[Picture] = ()) -> str:
    """The whole report; the same results give the same text.

    Args:
        results: what was read.
        pictures: figures that stand beside the report already; one whose key has no label goes to
            the section on training.
    """
    tables = groups(results.frame)
    parts = [f"# {_title(tables)}", _summary(results, tables)]
    if tables:
        parts += ["## Results", _INTRO]
        parts += [part for group in tables for part in _section(group, tables, pictures)]
        parts += ["## Costs", *_costs(tables)]
        curves = [picture for picture in pictures if not picture.of.label]
        if curves:
            parts += ["## Training", *(_picture(picture) for picture in curves)]
        parts += provenance.sections(results)
    parts += provenance.trouble(results)
    return "\n\n".join(part for part in parts if part) + "\n"


def headline(key: Key, tables: Sequence[Group]) -> str:
    """Data set, recipe and label; the fingerprint too where several go by the data set's name."""
    prints = {group.key.fingerprint for group in tables if group.key.dataset == key.dataset}
    bits = f" ({code(key.fingerprint)})" if len(prints) > 1 else ""
    training = "each method's own recipe" if key.training == "paper" else code(key.training)
    parts = (code(key.dataset) + bits, training, code(key.label))
    return " · ".join(part for part in parts if part)


def _title(tables: Sequence[Group]) -> str:
    if not tables:
        return "No results"
    methods = {name for group in tables for name in group.rows["method"]}
    sets = list(dict.fromkeys(group.key.dataset for group in tables))
    count = f"{len(methods)} methods" if len(methods) > 1 else code(next(iter(methods)))
    return f"{count} on {names(sets)}"


def _summary(results: Results, tables: Sequence[Group]) -> str:
    lines = [f"**{headline(group.key, tables)}.** {' '.join(sentences(group))}" for group in tables]
    counts = (
        (len(results.failures), "run failed", "runs failed"),
        (len(results.unfinished), "run has no result yet", "runs have no result yet"),
        (len(results.problems), "file could not be used", "files could not be used"),
    )
    missing = [f"{n} {one if n == 1 else more}" for n, one, more in counts if n]
    if missing:
        lines.append(f"**Not everything is here:** {', '.join(missing)} (see the end).")
    runs = results.frame["run"].nunique() if tables else 0
    size = f"{runs} run{'s' * (runs != 1)}, {len(results.frame)} record"
    size += "s" * (len(results.frame) != 1)
    spread = any(group.rows["mAP_sd"].notna().any() for group in tables)
    caveat = " A lead larger than the spread is a hint, no test of significance." * spread
    return f"## Summary\n\n{bullets(lines)}\n\nFrom {size}.{caveat}"


def _section(group: Group, tables: Sequence[Group], pictures: Sequence[Picture]) -> list[str]:
    rules = [f"**{code(part)}**: {words}" for part, words in explain(group.key.label)]
    warned = [f"**Caution.** {' '.join(cautions(group))}"] if cautions(group) else []
    return [
        f"### {headline(group.key, tables)}",
        f"{_sizes(group)} Data set fingerprint {code(group.key.fingerprint)}.",
        *warned,
        table(columns(group), left=2 if group.key.training == "paper" else 1),
        _legend(group),
        *(_picture(picture) for picture in pictures if picture.of == group.key),
        f"**Rules.** The label {code(group.key.label)} says how results were scored:",
        bullets(rules),
    ]


def _sizes(group: Group) -> str:
    """Gallery, queries used and dropped: one line if all records agree, else said to differ."""
    sizes = ["gallery", "queries", "dropped"]
    pairs = [
        (f"{name}, split {split}" if group.records["split"].nunique() > 1 else name, tuple(size))
        for name, runs in records_by_name(group)
        for split, *size in runs[["split", *sizes]].drop_duplicates().itertuples(index=False)
    ]
    found = grouped(pairs)
    if len(found) == 1:
        return f"{_size(found[0][0])}."
    splits = {split: records[sizes].drop_duplicates() for split, records in _by_split(group)}
    if all(len(one) == 1 for one in splits.values()):
        each = (f"split {s}: {_size(one.iloc[0])}" for s, one in splits.items())
        return f"Gallery and queries differ between splits: {'; '.join(each)}."
    each = (f"{_size(size)} ({names(who)})" for size, who in found)
    return f"**Gallery and queries differ between records:** {'; '.join(each)}."


def _by_split(group: Group) -> list[tuple[int, pd.DataFrame]]:
    return list(group.records.groupby("split", sort=True))


def _size(size: Sequence[int]) -> str:
    gallery, queries, dropped = size
    return f"{gallery:,} gallery tracks, {queries:,} queries used, {dropped:,} dropped"


def columns(group: Group) -> list[tuple[str, list[str]]]:
    """Titles and cells of a group's table, in Markdown; what was not measured is blank."""
    rows, own_recipe = group.rows, group.key.training == "paper"
    made = [("Method", [code(name) for name in rows["name"]])]
    made += [("Recipe", [code(recipe) for recipe in rows["recipe"]])] * own_recipe
    made += [(f"{m} (%)", _percent(rows[m], rows[f"{m}_sd"])) for m in METRICS]
    for title, column, digits in _COLUMNS:
        cells = _numbers(rows[column], digits)
        if column == "latency_ms":
            cells = _bracketed(cells, _numbers(rows["latency_iqr_ms"], digits - 1))
        if column == "clips_per_s":
            cells = _bracketed(cells, _numbers(rows["best_batch"], 1))
        made.append((title, cells))
    if (rows["splits"] > 1).any():
        counts = zip(rows["runs"], rows["splits"], rows["seeds"], strict=True)
        cells = [f"{n} ({splits} × {seeds})" for n, splits, seeds in counts]
        return [*made, ("Runs (splits × seeds)", cells)]
    return [*made, ("Seeds", [str(seeds) for seeds in rows["seeds"]])]


def _percent(means: pd.Series, spreads: pd.Series) -> list[str]:
    """Percent with one decimal, the spread where it is known, the best of several in bold."""
    shown = [f"{100 * mean:.1f}" if mean == mean else "" for mean in means]
    best = max((float(cell) for cell in shown if cell), default=np.nan)
    cells = [
        f"{cell} ± {100 * spread:.1f}" if cell and spread == spread else cell
        for cell, spread in zip(shown, spreads, strict=True)
    ]
    if len(cells) == 1:
        return cells
    return [
        f"**{cell}**" if plain and float(plain) == best else cell
        for cell, plain in zip(cells, shown, strict=True)
    ]


def _numbers(values: pd.Series, digits: int) -> list[str]:
    """All with as many decimals as give the smallest ``digits`` significant ones, within reason."""
    positive = values[values > 0]
    least = int(np.floor(np.log10(positive.min()))) if len(positive) else 0
    decimals = min(max(digits - 1 - least, 0), 2 if least >= 0 else 3)
    return [f"{value:,.{decimals}f}" if value == value else "" for value in values]


def _bracketed(cells: list[str], extra: list[str]) -> list[str]:
    pairs = zip(cells, extra, strict=True)
    return [f"{cell} ({more})" if cell and more else cell for cell, more in pairs]


def _legend(group: Group) -> str:
    parts = []
    if group.rows["mAP_sd"].notna().any():
        parts.append(f"mean ± standard deviation (n − 1) {spread_of(group)}")
    if len(group.rows) > 1:
        parts.append("bold: best in its column, as shown")
    return f"<sub>{'; '.join([*parts, 'blank: not measured'])}.</sub>"


def _picture(picture: Picture) -> str:
    return f"![{text(picture.caption)}]({picture.file})\n\n*{text(picture.caption)}*"


def _costs(tables: Sequence[Group]) -> list[str]:
    """Under what conditions costs were measured, and what GMACs leave out."""
    where, left_out = [], []
    for group in tables:
        where += [(n, condition) for condition, found in conditions(group).items() for n in found]
        for name, runs in records_by_name(group):
            counts = {_operators(cost.get("left_out")) for cost in runs["cost"] if cost}
            left_out += [(name, count) for count in sorted(counts) if count]
    every = {name for group in tables for name in group.rows["name"]}
    parts = [_COST_WORDS]
    if where:
        parts.append("Measured on:\n\n" + bullets(_who(where, every)))
    if left_out:
        inside = bullets(_who(left_out, every))
        told = "Operators without multiply-adds, which GMACs leave out, with how often they ran"
        parts.append(f"<details><summary>{told}</summary>\n\n{inside}\n\n</details>")
    return parts


def _who(pairs: list[tuple[str, str]], every: set[str]) -> list[str]:
    """A line for each value, with the methods it holds for."""
    unique = grouped(dict.fromkeys(pairs))
    return [
        f"{'all methods' if len(unique) == 1 and set(found) == every else names(found)}: {value}"
        for value, found in unique
    ]


def _operators(counts: object) -> str:
    if not isinstance(counts, dict):
        return ""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{code(name)} × {count}" for name, count in ordered)
