"""report.md: the tables, what they say in words, and what it takes to check them."""

from collections.abc import Sequence

import pandas as pd

from benchmark.label import Label
from reports.analysis import paper_sheets
from reports.analysis.cautions import cautions, conditions, grouped
from reports.analysis.factors import ablations
from reports.analysis.footnotes import common_notes
from reports.analysis.groups import Group
from reports.analysis.headlines import headline, title_of
from reports.analysis.label_text import explain
from reports.analysis.markup import bullets, code, names, text
from reports.analysis.matrix import matrices
from reports.analysis.sheets import accuracy, accuracy_notes, better, cost_notes, costs
from reports.analysis.summary import sentences, spread_of
from reports.analysis.tuning_sheets import change_sheet, study_sheets
from reports.figures.pictures import Picture
from reports.formats import provenance
from reports.formats.markdown_tables import markdown_table, picture_link, sheet, small
from reports.read.results import Results

_INTRO = (
    "Results are ranked only within one data set, one level of comparison (each paper's own "
    "recipe, a recipe shared by all, or one tuned for each method) and one result label (the rules "
    "of scoring): numbers from two tables do not compare."
)
_COST_WORDS = (
    "Costs are those of embedding one clip. A GMAC is 10⁹ multiply-adds, each counted as one. "
    "Latency is the median at batch 1, its interquartile range in brackets. Clips/s is the highest "
    "throughput, the batch it needs in brackets. Peak memory is what tensors take in one forward "
    "pass of one clip, weights included. Over several runs the median is shown."
)


def render(results: Results, tables: Sequence[Group], pictures: Sequence[Picture] = ()) -> str:
    """The whole report; the same results give the same text.

    Args:
        results: what was read.
        tables: its groups.
        pictures: figures that stand beside the report already.
    """
    parts = [f"# {title_of(tables)}", _summary(results, tables)]
    if tables:
        for one in matrices(tables):
            parts += ["## All data sets", *sheet(one)]
        parts += ["## Results", _INTRO]
        parts += [part for group in tables for part in _section(group, tables, pictures)]
    parts += _tuning(results, tables, pictures)
    if tables:
        parts += _papers(tables, [p for p in pictures if p.section == "published"])
        parts += ["## Costs", *cost_parts(tables)]
        parts += _pictures("## What varies", "trends", pictures)
        parts += _pictures("## Training", "training", pictures)
        parts += _pictures("## Inspected queries", "inspected", pictures)
        parts += provenance.sections(results)
    parts += provenance.failures_and_problems(results)
    return "\n\n".join(part for part in parts if part) + "\n"


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
    records = len(results.frame)
    size = f"{runs} run{'' if runs == 1 else 's'}, {records} record{'' if records == 1 else 's'}"
    return f"## Summary\n\n{bullets(lines)}\n\nFrom {size}. {_intervals(tables)}".rstrip()


def _intervals(tables: Sequence[Group]) -> str:
    if not any(group.rows["mAP_low"].notna().any() for group in tables):
        return ""
    return (
        "Brackets hold 95 % bootstrap intervals over test persons (and seeds, where there are "
        "several): of a score, or of the paired difference from the best."
    )


def _section(group: Group, tables: Sequence[Group], pictures: Sequence[Picture]) -> list[str]:
    rules = [f"**{code(part)}**: {words}" for part, words in explain(Label.parse(group.key.label))]
    warned = [f"**Caution.** {' '.join(cautions(group))}"] if cautions(group) else []
    common = " ".join(text(note) for note in common_notes(group))
    pairs, shown_costs = better(group), costs(group)
    notes = accuracy_notes(group, spread_of(group)) + (cost_notes(group) if shown_costs else [])
    return [
        f"### {headline(group.key, tables)}",
        f"{_sizes(group)} Data set fingerprint {code(group.key.fingerprint)}.",
        *warned,
        f"**Note.** {common}" if common else "",
        markdown_table([*accuracy(group), *shown_costs]),
        small(notes),
        *(sheet(pairs) if pairs else ()),
        *(part for one in ablations(group) for part in sheet(one)),
        *(picture_link(picture) for picture in pictures if picture.of == group.key),
        f"**Rules.** The label {code(group.key.label)} says how results were scored:",
        bullets(rules),
    ]


def _pictures(title: str, section: str, pictures: Sequence[Picture]) -> list[str]:
    found = [picture_link(picture) for picture in pictures if picture.section == section]
    return [title, *found] if found else []


def _tuning(results: Results, tables: Sequence[Group], pictures: Sequence[Picture]) -> list[str]:
    """Default against tuned, by validation and on the test set, and how much settings matter."""
    found = [
        part for study in results.studies for one in study_sheets(study) for part in sheet(one)
    ]
    for group in tables:
        changed = change_sheet(group, tables)
        if changed:
            found += [f"### {headline(group.key, tables)}", *sheet(changed)]
    drawn = [picture_link(picture) for picture in pictures if picture.section == "tuning"]
    return ["## Tuning", *found, *drawn] if found else []


def _papers(tables: Sequence[Group], pictures: Sequence[Picture]) -> list[str]:
    """The papers' tables, one group a data set and recipe."""
    made = []
    for group in paper_sheets.chosen(tables):
        found = paper_sheets.sheets(group)
        if found:
            made.append(f"### Compared with the papers: {headline(group.key, tables)}")
        for one in found:
            doubts = [note for note in one.notes if note not in paper_sheets.NOTES]
            made += [f"**{text(one.title)}**", markdown_table(one.columns)]
            made += [small(doubts)] if doubts else []
    made += [picture_link(picture) for picture in pictures]
    return ["## Published", small(paper_sheets.NOTES), *made] if made else []


def _sizes(group: Group) -> str:
    """Gallery, queries used and dropped: one line if all records agree, else said to differ."""
    sizes = ["gallery", "queries", "dropped"]
    pairs = [
        (f"{name}, split {split}" if group.records["split"].nunique() > 1 else name, tuple(size))
        for name, runs in group.by_name.items()
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


def cost_parts(tables: Sequence[Group]) -> list[str]:
    """Under what conditions costs were measured, and what GMACs leave out."""
    where, left_out = [], []
    for group in tables:
        where += [(n, condition) for condition, found in conditions(group).items() for n in found]
        for name, runs in group.by_name.items():
            counts = {_operators(cost.get("left_out")) for cost in runs["cost"] if cost}
            left_out += [(name, count) for count in sorted(counts) if count]
    every = {name for group in tables for name in group.rows["name"]}
    parts = [_COST_WORDS]
    if where:
        parts.append("Measured on:\n\n" + bullets(_who(where, every)))
    if left_out:
        inside = bullets(_who(left_out, every))
        summary = "Operators without multiply-adds, which GMACs leave out, with how often they ran"
        parts.append(f"<details><summary>{summary}</summary>\n\n{inside}\n\n</details>")
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
