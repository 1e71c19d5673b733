"""The papers' tables with what was measured next to what was printed; a column holds one side."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmark.label import Label
from benchmark.published import table_name
from reports.analysis.groups import Group
from reports.analysis.label_text import order
from reports.analysis.papers import (
    ADDRESS,
    SCORES,
    SHORT,
    dagger,
    doubt,
    lines,
    matched,
    printed,
    printed_tables,
)
from reports.analysis.sheets import Cell, Column, Sheet, bold_best, numbers, percent
from reports.read.rows import base

NOTES = [
    "published: the paper's own figures, on its data set, network and rules",
    "measured: this report's, on the data set and under the label above",
    "bold: best in its column; the two sides are not ranked against each other",
    "GFLOP: the paper's word and count; GMACs: ours, of the clips measured here",
    "blank: not printed, or not measured",
]


def chosen(tables: Sequence[Group]) -> list[Group]:
    """One group a data set and recipe: the label with most rows, then first in `order`."""
    best: dict[tuple, Group] = {}
    for group in tables:
        at = group.key._replace(label="")
        rank = (-len(group.rows), order(Label.parse(group.key.label)), group.key.label)
        if at not in best or rank < _rank(best[at]):
            best[at] = group
    return list(best.values())


def _rank(group: Group) -> tuple:
    return -len(group.rows), order(Label.parse(group.key.label)), group.key.label


def sheets(group: Group) -> list[Sheet]:
    """The headline table of a group, then each printed table with two or more measured rows."""
    every = lines()
    made = [_headline(every, group)]
    for (paper, table), of_table in printed_tables().items():
        found = matched(of_table, group)
        if len(found) >= 2:
            title = f"{SHORT[paper]}, {table_name(table)}"
            rows = every[(every["paper"] == paper) & (every["table"] == table)]
            made.append(_sheet(title, rows, found, group))
    return [sheet for sheet in made if sheet]


def _headline(every: pd.DataFrame, group: Group) -> Sheet | None:
    """Each measured method with its own paper's first figure for it."""
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
    where = [f"{SHORT[paper]}, {table_name(table)}" for paper, table, _ in map(first.get, places)]
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
    shown, doubts = _signed([column for column in made if not column.is_blank])
    return Sheet(title, shown, [*NOTES, *doubts])


def _signed(columns: Sequence[Column]) -> tuple[list[Column], list[str]]:
    """Cells that came with a doubt, now with a dagger, and what the daggers say."""
    doubts = list(
        dict.fromkeys(cell.sign for column in columns for cell in column.cells if cell.sign)
    )
    sign_of = {words: dagger(i) for i, words in enumerate(doubts)} | {"": ""}
    signed = [
        column._replace(cells=[cell._replace(sign=sign_of[cell.sign]) for cell in column.cells])
        for column in columns
    ]
    return signed, [f"{sign_of[words]} {words.removesuffix('.')}" for words in doubts]


def _cells(values: pd.Series) -> list[Cell]:
    return [Cell("" if pd.isna(value) else str(value)) for value in values]


def _published(rows: pd.DataFrame, group: Group) -> list[Column]:
    """R1 and mAP for each printed data set, or for the measured one alone if it is printed."""
    cells = rows[ADDRESS].merge(printed(), on=ADDRESS, how="left")
    sets = cells["dataset"].dropna().unique()
    sets = [name for name in sets if name == base(group.key.dataset)] or list(sets)
    wanted = [(name, metric) for name in sets for metric in SCORES] + [(None, "GFLOP")]
    made = []
    for name, metric in wanted:
        at = (cells["metric"] == metric) & (cells["dataset"].isna() if name is None else True)
        at &= True if name is None else cells["dataset"] == name
        found = cells[at].drop_duplicates(ADDRESS).set_index(ADDRESS)
        addresses = [tuple(address) for address in rows[ADDRESS].to_numpy()]
        shown = [found["value"].get(address, np.nan) for address in addresses]
        texts = [f"{value:.1f}" if value == value else "" for value in shown]
        doubts = [doubt(found["note"].get(address)) for address in addresses]
        column = [Cell(t, sign=d if t else "") for t, d in zip(texts, doubts, strict=True)]
        column = bold_best(column, texts) if metric in SCORES else column
        made.append(Column(metric, column, header=f"published: {name}" if name else "published"))
    return made


def _measured(places: Sequence[int | None], group: Group) -> list[Column]:
    """R1, mAP and GMACs of the rows that were measured, and what they differ by."""
    kept = [place for place in places if place is not None]
    rows, header = group.rows.iloc[kept], f"measured: {group.key.dataset}"
    made = []
    for metric in SCORES:
        plain = rows.drop(columns=f"{metric}_mark")  # its ties are with the whole group's best
        cells = iter(percent(plain, metric))
        column = [Cell("") if place is None else next(cells) for place in places]
        made.append(Column(metric, column, header=header))
    cells = iter(numbers(rows["gmacs"], 4))
    column = [Cell("") if place is None else next(cells) for place in places]
    return [*made, Column("GMACs", column, header=header)]
