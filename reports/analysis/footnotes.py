"""What stands at a method's name wherever it is shown: records' notes, failed convergence."""

import json
import re
from typing import NamedTuple

import pandas as pd

from reports.analysis.convergence import SIGN as UNCONVERGED
from reports.analysis.groups import Group
from reports.read.rows import base

UNSTEADY = "‡"  # at a latency
_DIGITS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_BACKBONE = re.compile(r"(?:se)?resnet\d+(?=_|$)")


class Footnote(NamedTuple):
    """One footnote of a table.

    Attributes:
        sign: what stands at the name.
        words: what it says, plain text.
        names: of the rows that it is about.
    """

    sign: str
    words: str
    names: tuple[str, ...]


def footnotes(group: Group) -> list[Footnote]:
    """The table's footnotes: numbered notes first, then what did not converge.

    A note that all records share is about the data and is no footnote; see `common_notes`.
    """
    notes: dict[str, list[str]] = {}
    for name in group.rows["name"]:
        for words in _notes(group, name):
            notes.setdefault(words, []).append(name)
    found = [
        Footnote(str(i).translate(_DIGITS), words, tuple(of))
        for i, (words, of) in enumerate(notes.items(), 1)
    ]
    kinds: dict[tuple[str, ...], list[str]] = {}
    for row in group.rows.itertuples():
        if row.convergence:
            kinds.setdefault(row.convergence, []).append(row.name)
    if kinds:
        parts = [f"{', '.join(of)}: {', '.join(verdicts)}" for verdicts, of in kinds.items()]
        names = tuple(name for of in kinds.values() for name in of)
        found.append(Footnote(UNCONVERGED, f"not converged ({'; '.join(parts)})", names))
    return found


def common_notes(group: Group) -> list[str]:
    """Notes that every record of a table carries."""
    return [note for note in _all_notes(group) if _is_common(group, note)]


def signs(group: Group) -> dict[str, str]:
    """What stands at each name, blank for most."""
    found = footnotes(group)
    return {
        name: " ".join(note.sign for note in found if name in note.names)
        for name in group.rows["name"]
    }


def legend(group: Group) -> list[str]:
    """The footnotes of a table, each with its sign; plain text."""
    return [f"{note.sign} {note.words}" for note in footnotes(group)]


def _all_notes(group: Group) -> list[str]:
    return list(dict.fromkeys(str(note) for notes in group.records["notes"] for note in notes))


def _is_common(group: Group, note: str) -> bool:
    return len(group.rows) > 1 and all(note in map(str, n) for n in group.records["notes"])


def _notes(group: Group, name: str) -> list[str]:
    """Notes of a row's records, and what its backbone is where its name says otherwise."""
    records = group.by_name[name]
    notes = dict.fromkeys(str(note) for notes in records["notes"] for note in notes)
    found = [note for note in notes if not _is_common(group, note)]
    promised = _BACKBONE.match(base(records["method"].iloc[0]))
    backbone = json.loads(records["built"].iloc[0]).get("backbone")
    differs = promised and isinstance(backbone, str) and base(backbone) != promised[0]
    if differs and not any("backbone" in note for note in found):
        found.append(f"named after {promised[0]}, but built on {backbone}")
    return [*found, *_uncounted(records)]


def _uncounted(records: pd.DataFrame) -> list[str]:
    """Why GMACs are blank: the operators that nobody counts."""
    costs = [cost for cost in records["cost"] if cost]
    names = sorted({name for cost in costs for name in cost.get("uncounted") or ()})
    return [f"GMACs blank: {', '.join(names)} cannot be counted"] if names else []
