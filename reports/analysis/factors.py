"""Ablations: variants of one method side by side, with a column for each argument that varies."""

from collections.abc import Mapping, Sequence

import pandas as pd

from benchmark.variants import Variant, format_value, parse
from reports.analysis.groups import Group
from reports.analysis.sheets import Cell, Column, Sheet, intervals_of, numbers, percent

USUAL = "as usual"  # an argument that the variant leaves at its default


def ablations(group: Group) -> list[Sheet]:
    """A table for each method of which a group holds several variants under one recipe."""
    rows = group.rows.assign(variant=[_variant(name) for name in group.rows["method"]])
    made = []
    of_one = rows.groupby([rows["variant"].map(lambda one: one.name), "recipe"], sort=True)
    for (name, _), found in of_one:
        factors = _factors([one.arguments for one in found["variant"]])
        if factors:
            made.append(_sheet(str(name), found, factors))
    return made


def _variant(name: str) -> Variant:
    """A record's method; a name that nobody here could have given has no arguments."""
    try:
        return parse(name)
    except ValueError:
        return Variant(name)


def _factors(variants: Sequence[Mapping[str, object]]) -> list[str]:
    """The arguments whose values differ between variants, in alphabetical order."""
    every = sorted({name for arguments in variants for name in arguments})
    return [name for name in every if len({_value(one, name) for one in variants}) > 1]


def _value(arguments: Mapping[str, object], name: str) -> str:
    return format_value(arguments[name]) if name in arguments else USUAL


def _sheet(name: str, rows: pd.DataFrame, factors: Sequence[str]) -> Sheet:
    order = sorted(rows.index, key=lambda i: _place(rows["variant"][i].arguments, factors))
    rows = rows.loc[order]
    columns = [
        Column(factor, [Cell(_value(one.arguments, factor)) for one in rows["variant"]])
        for factor in factors
    ]
    for metric in ("mAP", "R1"):
        best_here = rows.drop(columns=f"{metric}_mark", errors="ignore")
        columns.append(Column(f"{metric} (%)", percent(best_here, metric)))
        columns.append(Column(f"{metric} 95 %", intervals_of(rows, metric)))
    columns.append(Column("Params (M)", numbers(rows["params_m"], 3)))
    columns.append(Column("GMACs", numbers(rows["gmacs"], 4)))
    notes = [f"{USUAL}: the method's default"] if _some_usual(columns) else []
    shown_columns = [column for column in columns if not column.is_blank]
    return Sheet(f"Variants of {name}", shown_columns, [*notes, "bold: best in its column"])


def _place(arguments: Mapping[str, object], factors: Sequence[str]) -> list[tuple]:
    """Sorts by the first factor, then the next; the default first, numbers before words."""
    places: list[tuple] = []
    for name in factors:
        value = arguments.get(name)
        if name not in arguments:
            places.append((0,))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            places.append((1, value))
        else:
            places.append((2, format_value(value)))
    return places


def _some_usual(columns: Sequence[Column]) -> bool:
    return any(cell.text == USUAL for column in columns for cell in column.cells)
