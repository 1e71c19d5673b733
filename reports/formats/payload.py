"""The numbers of the HTML page as one compact JSON object.

Rows are lists in the order of ``columns``; what many records share (commands, environments, notes)
is kept once and pointed at. What is missing is null.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from benchmark.label import Label
from benchmark.published.bibliography import paper_of
from reports.analysis import intervals, papers, trends
from reports.analysis.cautions import cautions, conditions
from reports.analysis.footnotes import common_notes, legend, signs
from reports.analysis.groups import Group
from reports.analysis.label_text import explain
from reports.analysis.markup import plain
from reports.analysis.summary import sentences
from reports.figures.pictures import folder_of
from reports.figures.style import DASHES, Style
from reports.read.rows import COSTS, METRICS, base

ROW = (
    *(f"{metric}{end}" for metric in METRICS for end in ("", "_sd", "_low", "_high")),
    *(f"{metric}_mark" for metric in intervals.TESTED),
    *COSTS,
    "best_batch", "runs", "seeds", "splits", "cmc",
)  # fmt: skip
RECORD = ("run", "split", "seed", *METRICS, "checkpoint", "commit", "selection")
SHARED = ("command", "environment", "notes")
_SYMBOLS = {
    "o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down",
    "P": "cross", "X": "x", "<": "triangle-left", ">": "triangle-right",
}  # fmt: skip
_DASHES = ("solid", "dash", "dot", "dashdot")


def payload(
    tables: Sequence[Group],
    titles: Sequence[str],
    families: Sequence[trends.Trend],
    counted: pd.DataFrame,
    style_of: Mapping[str, Style],
) -> dict:
    """Everything that the page's script needs.

    Args:
        tables: the report's groups.
        titles: of the groups, in plain words.
        families: series, see `reports.analysis.trends.all_trends`; those of costs are left out.
        counted: networks that were counted, see `reports.analysis.trends.counted`.
        style_of: style by name.
    """
    shared: dict[str, dict[str, int]] = {name: {} for name in SHARED}
    groups = [
        _group(group, title, shared, counted) for group, title in zip(tables, titles, strict=True)
    ]
    return {
        "columns": list(ROW),
        "recordColumns": [*RECORD, *SHARED],
        "groups": groups,
        "trends": [_family(family) for family in families if "mAP" in family.rows],
        "papers": _papers(tables),
        "styles": {name: _style(style) for name, style in style_of.items()},
        "shared": {name: [json.loads(text) for text in found] for name, found in shared.items()},
    }


def _papers(tables: Sequence[Group]) -> dict[str, dict[str, str]]:
    """The papers of the methods shown, by family."""
    methods = dict.fromkeys(method for group in tables for method in group.rows["method"])
    found = [paper for paper in map(paper_of, methods) if paper]
    return {paper.key: {"cited": paper.cited, "bibtex": paper.bibtex} for paper in found}


def _paper(method: str) -> str | None:
    found = paper_of(method)
    return found.key if found else None


def _style(style: Style) -> list[str]:
    dashes = list(DASHES)
    return [style.colour, _SYMBOLS[style.marker], _DASHES[dashes.index(style.dash)]]


def _group(
    group: Group, title: str, shared: dict[str, dict[str, int]], counted: pd.DataFrame
) -> dict:
    key, rows, sign_of = group.key, group.rows, signs(group)
    sizes = group.records[["gallery", "queries", "dropped"]].drop_duplicates()
    printed = papers.points(base(key.dataset), counted)
    printed = printed[printed["method"].isin(rows["method"])]
    return {
        "id": folder_of(key),
        "title": title,
        "summary": [plain(line) for line in sentences(group)],
        "dataset": key.dataset,
        "fingerprint": key.fingerprint,
        "label": key.label,
        "rules": [list(part) for part in explain(Label.parse(key.label))],
        "sizes": [[int(n) for n in size] for size in sizes.to_numpy()],
        "level": key.level,
        "cautions": [*(plain(line) for line in cautions(group)), *common_notes(group)],
        "footnotes": legend(group),
        "alike": len(conditions(group)) == 1,
        "resamples": int(rows["resamples"].max()),
        "rows": [_row(row, group, sign_of[row["name"]], shared) for _, row in rows.iterrows()],
        "printed": [
            [_plain(row[name]) for name in ("label", "short", "line", "R1", "mAP", "gmacs")]
            for _, row in printed.iterrows()
        ],
    }


def _row(row: pd.Series, group: Group, sign: str, shared: dict[str, dict[str, int]]) -> dict:
    records = group.by_name[row["name"]].to_dict("records")
    return {
        "name": row["name"],
        "method": row["method"],
        "recipe": row["recipe"],
        "built": row["built"],
        "paper": _paper(row["method"]),
        "origin": row["origin"],
        "sign": sign,
        "letters": row["mAP_letters"],
        "unsteady": bool(row["unsteady"]),
        "onFronts": bool(row["on_fronts"]),
        "tested": bool(row["tested"]),
        "values": [_plain(row[name]) for name in ROW],
        "records": [_record(record, shared) for record in records],
    }


def _record(record: dict, shared: dict[str, dict[str, int]]) -> list:
    pointed = []
    for name in SHARED:
        text = json.dumps(record[name], sort_keys=True, ensure_ascii=False)
        pointed.append(shared[name].setdefault(text, len(shared[name])))
    return [*(_plain(record[name]) for name in RECORD), *pointed]


def _family(family: trends.Trend) -> dict:
    columns = ["x", *(f"{s}{end}" for s in ("mAP", "R1") for end in ("", "_low", "_high"))]
    series = [
        {
            "name": name,
            "points": [[_plain(v) for v in point] for point in of_name[columns].to_numpy()],
        }
        for name, of_name in family.rows.groupby("name", sort=True)
    ]
    return {"title": family.title, "axis": family.axis, "series": series}


def _plain(value: object) -> object:
    """Five significant digits; missing is null."""
    if isinstance(value, np.ndarray | list):
        return [_plain(one) for one in value]
    if value is None or (isinstance(value, float | np.floating) and not np.isfinite(value)):
        return None
    if isinstance(value, float | np.floating):
        short = float(f"{value:.5g}")
        return int(short) if short.is_integer() else short
    return int(value) if isinstance(value, int | np.integer) else value
