"""The papers' tables with what was measured beside what was printed.

A measured row stands beside the printed row of the same method; where a table prints a method
several times, beside the one of the same number of frames. The two sides never mix: published
figures are of the papers' data, networks and rules, and a column holds one side only.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmark import published
from reports.analysis.groups import METRICS, Group
from reports.analysis.label_text import order
from reports.analysis.sheets import Cell, Column, Sheet, bold_best, numbers, percent

ADDRESS = ["paper", "table", "row"]
SHORT = {
    "stenvan": "STE-NVAN",
    "nlam": "NLAM",
    "sta": "STA",
    "resnet3d": "ResNet3D",
    "ap3d": "AP3D",
}
_TOLD = ("R1", "mAP")
NOTES = [
    "published: the paper's own figures, on its data set, network and rules",
    "measured: this report's, on the data set and under the label above",
    "bold: best in its column; the two sides are not ranked against each other",
    "GFLOP: the paper's word and count; GMACs: ours, of the clips measured here",
    "blank: not printed, or not measured",
]


@cache
def _printed() -> pd.DataFrame:
    return published.load()


def printed() -> pd.DataFrame:
    """Every printed cell, see `benchmark.published`."""
    return _printed().copy()


def lines() -> pd.DataFrame:
    """One row a printed row: address, system, frames, method."""
    return printed()[[*ADDRESS, "system", "frames", "method"]].drop_duplicates(ADDRESS)


def base(dataset: str) -> str:
    """The data set's name without its arguments."""
    return re.split(r"[\[:]", dataset, maxsplit=1)[0]


def frames_of(label: str) -> float:
    """Frames of a test clip, from a label; NaN where it names none."""
    found = re.search(r"(\d+)$", label.split("/")[2]) if label.count("/") >= 2 else None
    return float(found[1]) if found else np.nan


class Line(NamedTuple):
    """One printed row."""

    row: int
    system: str
    frames: float
    method: str


@cache
def printed_tables() -> dict[tuple[str, int], list[Line]]:
    """The printed rows of every table, in printed order."""
    made: dict[tuple[str, int], list[Line]] = {}
    for paper, table, *line in lines().astype({"frames": float}).itertuples(index=False, name=None):
        made.setdefault((paper, table), []).append(Line(*line))
    return made


def matched(of_table: Sequence[Line], group: Group) -> dict[int, int]:
    """Place of the measured row beside each printed row of one table, by the latter's number."""
    reranked, frames = group.key.label.count("/") > 2, frames_of(group.key.label)
    methods = list(group.rows["method"])
    found = {}
    for method in {line.method for line in of_table} & set(methods):
        same = [line for line in of_table if line.method == method]
        same = [line for line in same if ("rerank" in line.system.lower()) == reranked]
        if len(same) > 1:
            same = [line for line in same if line.frames == frames]
        if len(same) == 1 and methods.count(method) == 1:
            found[same[0].row] = methods.index(method)
    return dict(sorted(found.items()))


def beside(tables: Sequence[Group]) -> pd.DataFrame:
    """Every printed cell of a measured method with its measured counterpart, one row a pair.

    ``measured`` and its interval are fractions times 100, as the papers print them; GFLOP stand
    beside GMACs. ``difference`` is told where both are of one data set.
    """
    cells, found = printed(), []
    for group in tables:
        for (paper, table), of_table in printed_tables().items():
            for row, place in matched(of_table, group).items():
                at = (cells["paper"] == paper) & (cells["table"] == table) & (cells["row"] == row)
                for cell in cells[at].to_dict("records"):
                    found.append(cell | _counterpart(cell, group, group.rows.iloc[place]))
    return pd.DataFrame(found)


def _counterpart(cell: dict, group: Group, row: pd.Series) -> dict:
    metric = cell["metric"]
    told = {f"measured_{name}": getattr(group.key, name) for name in group.key._fields}
    if metric == "GFLOP":
        return told | {"measured": row["gmacs"]}
    if metric not in METRICS:
        return told
    told |= {
        "measured": 100 * row[metric],
        "measured_low": 100 * row[f"{metric}_low"],
        "measured_high": 100 * row[f"{metric}_high"],
    }
    same = cell["dataset"] == base(group.key.dataset)
    return told | {"difference": told["measured"] - cell["value"] if same else np.nan}


def chosen(tables: Sequence[Group]) -> list[Group]:
    """One group a data set and recipe: the label with most rows, first in `rules.order`."""
    best: dict[tuple, Group] = {}
    for group in tables:
        at = group.key._replace(label="")
        rank = (-len(group.rows), order(group.key.label), group.key.label)
        if at not in best or rank < _rank(best[at]):
            best[at] = group
    return list(best.values())


def _rank(group: Group) -> tuple:
    return -len(group.rows), order(group.key.label), group.key.label


def sheets(group: Group) -> list[Sheet]:
    """The headline table of a group, then each printed table with two or more measured rows."""
    every = lines()
    made = [_headline(every, group)]
    for (paper, table), of_table in printed_tables().items():
        found = matched(of_table, group)
        if len(found) >= 2:
            title = f"{SHORT[paper]}, Table {table}"
            rows = every[(every["paper"] == paper) & (every["table"] == table)]
            made.append(_sheet(title, rows, found, group))
    return [sheet for sheet in made if sheet]


def _headline(every: pd.DataFrame, group: Group) -> Sheet | None:
    """Each measured method beside its own paper's first figure for it."""
    own = set(printed().dropna(subset="protocol")[ADDRESS].itertuples(index=False, name=None))
    first: dict[int, tuple[str, int, int]] = {}  # by the measured row's place
    for (paper, table), of_table in printed_tables().items():
        for row, place in matched(of_table, group).items():
            if (paper, table, row) in own:
                first.setdefault(place, (paper, table, row))
    if not first:
        return None
    places = sorted(first)
    by_address = every.set_index(ADDRESS, drop=False)
    rows = by_address.loc[[first[place] for place in places]].reset_index(drop=True)
    where = [f"{SHORT[paper]}, Table {table}" for paper, table, _ in map(first.get, places)]
    found = dict(enumerate(places))
    return _sheet("Measured and published", rows.assign(system=where), found, group, headline=True)


def _sheet(
    title: str, rows: pd.DataFrame, found: dict[int, int], group: Group, *, headline: bool = False
) -> Sheet:
    """Printed columns, then measured ones; ``found`` by row number, or by place in a headline."""
    keys = range(len(rows)) if headline else rows["row"]
    places = [found.get(int(key)) for key in keys]
    made = [
        Column("Printed in" if headline else "System", _cells(rows["system"]), kind="words"),
        Column("Method", _cells(rows["method"]), kind="name"),
        Column("T", [Cell("" if pd.isna(n) else str(n)) for n in rows["frames"]]),
        *_published(rows, group),
        *_measured(places, group),
    ]
    made = [made[1], made[0], *made[2:]] if headline else made
    return Sheet(title, [column for column in made if not column.is_blank], NOTES)


def points(dataset: str, counted: pd.DataFrame) -> pd.DataFrame:
    """What the papers print of our methods on one data set, one row a method and clip length.

    Args:
        dataset: name without arguments.
        counted: networks that were counted, see `reports.analysis.trends.counted`.

    Returns:
        ``paper``, ``short``, ``label``, ``method``, ``frames`` (also as ``x``), ``line`` (the
        method, where its paper varies the clip length, else blank), R1 and mAP in percent, and
        ``gmacs``: as printed, else our own count for the same clip of 256 × 128 pixels, else NaN.
    """
    cells = printed().dropna(subset=["method", "frames"])
    own = cells[(cells["dataset"] == dataset) & cells["protocol"].notna()]
    own = own[~own["system"].str.contains("ReRank", case=False)]
    wide = own.pivot_table(
        index=[*ADDRESS, "method", "frames"], columns="metric", values="value", sort=False
    ).reindex(columns=list(_TOLD))
    wide = wide.reset_index().drop_duplicates(["paper", "method", "frames"])
    flops = cells[cells["metric"] == "GFLOP"].drop_duplicates(["method", "frames"])
    flops = flops.set_index(["method", "frames"])["value"]
    ours = _counts(counted)
    keys = list(zip(wide["method"], wide["frames"].astype(int), strict=True))
    lengths = wide.groupby(["paper", "method"])["frames"].transform("nunique")
    return wide.assign(
        short=wide["paper"].map(SHORT),
        label=[f"{method}, T = {frames}" for method, frames in keys],
        line=wide["method"].where(lengths > 1, ""),
        x=wide["frames"].astype(float),
        gmacs=[flops.get(key, ours.get(key, np.nan)) for key in keys],
    )


def _counts(counted: pd.DataFrame) -> dict[tuple[str, int], float]:
    """GMACs of plain networks at 256 × 128 pixels, by method and frames."""
    if counted.empty:
        return {}
    plain = counted[
        (counted["height"] == 256) & (counted["width"] == 128) & (counted["backbone"] == "")
    ]
    keys = zip(plain["method"], plain["frames"].astype(int), strict=True)
    return dict(zip(keys, plain["gmacs"], strict=True))


def _cells(values: pd.Series) -> list[Cell]:
    return [Cell("" if pd.isna(value) else str(value)) for value in values]


def _published(rows: pd.DataFrame, group: Group) -> list[Column]:
    """R1 and mAP for each printed data set, or for the measured one alone if it is printed."""
    cells = rows[ADDRESS].merge(printed(), on=ADDRESS, how="left")
    sets = cells["dataset"].dropna().unique()
    sets = [name for name in sets if name == base(group.key.dataset)] or list(sets)
    wanted = [(name, metric) for name in sets for metric in _TOLD] + [(None, "GFLOP")]
    made = []
    for name, metric in wanted:
        at = (cells["metric"] == metric) & (cells["dataset"].isna() if name is None else True)
        at &= True if name is None else cells["dataset"] == name
        values = cells[at].drop_duplicates(ADDRESS).set_index(ADDRESS)["value"]
        shown = [values.get(tuple(address), np.nan) for address in rows[ADDRESS].to_numpy()]
        texts = [f"{value:.1f}" if value == value else "" for value in shown]
        column = [Cell(text) for text in texts]
        column = bold_best(column, texts) if metric in _TOLD else column
        made.append(Column(metric, column, above=f"published: {name}" if name else "published"))
    return made


def _measured(places: Sequence[int | None], group: Group) -> list[Column]:
    """R1, mAP and GMACs of the rows that were measured, and what they differ by."""
    kept = [place for place in places if place is not None]
    rows, above = group.rows.iloc[kept], f"measured: {group.key.dataset}"
    made = []
    for metric in _TOLD:
        plain = rows.drop(columns=f"{metric}_mark")  # its ties are with the whole group's best
        cells = iter(percent(plain, metric))
        column = [Cell("") if place is None else next(cells) for place in places]
        made.append(Column(metric, column, above=above))
    cells = iter(numbers(rows["gmacs"], 4))
    column = [Cell("") if place is None else next(cells) for place in places]
    return [*made, Column("GMACs", column, above=above)]
