"""Which rows of a printed table can be run, how, and why the others cannot.

The printed table says which methods, from which weights and, where it varies the clip's length,
which frames.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from benchmark import published

# what tells rows of one method apart beside their frames
TRAINED_AS = {
    ("sta", 1, 1): {"losses": ("cross_entropy",)},
    ("sta", 1, 2): {"losses": ("cross_entropy", "triplet"), "triplet": 0.3},
}
RERANKED = {("sta", 4, 12): "kr(20,6,0.3)"}
SAME_WEIGHTS = {("sta", 2)}  # rows differ in the frames of test clips alone


@dataclass(frozen=True, kw_only=True)
class Row:
    """A printed row that can be run.

    Attributes:
        number: from 1 in printed order.
        system: as printed.
        method: ours.
        changes: of the recipe, beside the user's own.
        rerank: it is scored after this re-ranking.
    """

    number: int
    system: str
    method: str
    changes: dict[str, object]
    rerank: str | None = None


def find(
    text: str, dataset: str, starts: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, list[Row], list[str]]:
    """The printed cells of a table, its rows that can be run, and why others cannot.

    Args:
        text: ``PAPER/TABLE``, e.g. ``stenvan/1``.
        dataset: the user's; where a table has figures of it, only those count.
        starts: by what they were trained on (``start`` in `benchmark.published`), weights for the
            rows that are printed from such, as of a recipe's ``init``; such rows are left out
            without.

    Raises:
        LookupError: there is no such table, no row of it can be run, or none has such a start; the
            message names those there are.
    """
    starts = starts or {}
    cells = published.load()
    tables = dict.fromkeys(f"{p}/{t}" for p, t in zip(cells["paper"], cells["table"], strict=True))
    if text not in tables:
        close = difflib.get_close_matches(text, tables, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise LookupError(f"there is no table {text!r}: expected one of {', '.join(tables)}.{hint}")
    paper, table = text.split("/")
    cells = cells[(cells["paper"] == paper) & (cells["table"] == int(table))]
    own = cells["dataset"] == dataset.partition("[")[0]
    if own.any():
        cells = cells[own | cells["dataset"].isna()]
    # of a row that starts from one thing for one data set and another for the next, one is run
    start = cells.groupby("row")["start"].transform("last")
    cells = cells[cells["start"].isna() | (cells["start"] == start)]
    _check_starts(text, starts, cells)
    rows, why = _rows(paper, int(table), cells, starts)
    if not rows:
        raise LookupError(f"table {text} has no row that can be run: {'; '.join(why)}")
    return cells, rows, why


def _check_starts(text: str, starts: Mapping[str, str], cells: pd.DataFrame) -> None:
    found = dict.fromkeys(cells["start"].dropna())
    if foreign := [name for name in starts if name not in found]:
        has = f"expected {' or '.join(found)}" if found else "all start from the recipe's weights"
        raise LookupError(f"--start {foreign[0]}: no row of {text} starts from it, {has}")


def _rows(
    paper: str, table: int, cells: pd.DataFrame, starts: Mapping[str, str]
) -> tuple[list[Row], list[str]]:
    lines = cells[["row", "system", "frames", "method", "start"]].drop_duplicates("row")
    lengths = lines.groupby("method")["frames"].nunique()
    rows, why = [], []
    for line in lines.to_dict("records"):
        number, system, method = line["row"], line["system"], line["method"]
        if pd.isna(method):
            why.append(f"{system} is not implemented")
            continue
        changes = dict(TRAINED_AS.get((paper, table, number), {}))
        if not pd.isna(line["start"]):
            name = line["start"]
            if name not in starts:
                why.append(
                    f"{system} starts from weights of {name}, which do not come with the package: "
                    f"--start {name}=RUN or FILE names those of the whole network"
                )
                continue
            changes["init"] = starts[name]
        if lengths[method] > 1 and (paper, table) in SAME_WEIGHTS:
            changes["test_frames"] = f"chunk-first{line['frames']}"
        elif lengths[method] > 1:
            changes["frames"] = int(line["frames"])
        rerank = RERANKED.get((paper, table, number))
        rows.append(
            Row(number=number, system=system, method=method, changes=changes, rerank=rerank)
        )
    return rows, why
