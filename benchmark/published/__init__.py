"""What the papers print: every row of every table of results, as one long frame.

Each paper's figures lie in a file of its own, one line a printed row, the columns in the order of
the print, so that page and file can be laid side by side. There, ``-`` is a dash of the print, and
a blank means that the table has no such column. Our remarks are kept apart: ``notes.csv`` says what
is doubtful and why, ``protocols.csv`` what a paper says of its test, ``starts.csv`` which networks
start from other weights than their recipe's. In all three a blank matches everything; a cell has
every note that matches it, but only the last protocol and start. Table 0 holds what a
paper is known by through others only; its notes begin with "Third party".

No torch is needed, so that reports can be made anywhere.
"""

from importlib.resources import files

import pandas as pd

from benchmark.published import bibliography

_FILES = files(__package__)
# those whose tables lie here, in this order
PAPERS = {
    paper.key: paper.cited
    for paper in bibliography.PAPERS
    if _FILES.joinpath(f"{paper.key}.csv").is_file()
}
COLUMNS = (
    "paper",
    "table",
    "row",
    "system",
    "dataset",
    "metric",
    "value",
    "frames",
    "protocol",
    "method",
    "start",
    "note",
)
_NUMBERS = {"table": "int64", "row": "int64", "frames": "Int64", "value": "float64"}
_LINE = ("table", "row", "system", "frames", "quoted", "method")


def load() -> pd.DataFrame:
    """Every printed cell, in printed order, one row a cell.

    Cells that a paper leaves out are left out here, too: nothing stands for a missing figure.

    Returns:
        A fresh frame with the columns

        * ``paper`` (a key of `PAPERS`), ``table`` (100 + n: Table n of the supplement), ``row``
          (from 1 in printed order);
        * ``system``: the name as printed, without references to literature; where the print spreads
          it over two columns, both, with a comma between;
        * ``dataset``: ``mars``, ``duke_video``, ``prid2011``, ``ilids_vid`` or ``lsvid``; missing
          for GFLOP, which belong to none;
        * ``metric``: ``R1``, ``R5``, ``R10``, ``R20``, ``mAP``, in percent, or ``GFLOP``, in a unit
          that the paper does not state (a multiply-add counts about one); ``value`` as printed;
        * ``frames``: of a clip in testing, missing where the paper does not say;
        * ``protocol``: what the paper says of its test, in short; missing for figures that it
          quotes from others and for GFLOP;
        * ``method``: ours for the row, in canonical form; missing where we have none. Settings of
          training, such as losses or initialisation, are a recipe's and not seen in it;
        * ``start``: what the network was trained on before, where it starts from other weights than
          the paper's usual ones: ``kinetics``, ``reid`` (images of persons) or ``mars``;
        * ``note``: what to know before the cell is relied on, missing in most.
    """
    cells = pd.concat([_cells(paper) for paper in PAPERS], ignore_index=True)
    said = zip(_matching(cells, "protocols"), cells["quoted"].isna(), strict=True)
    cells["protocol"] = [texts[-1] if texts and own else None for texts, own in said]
    cells["start"] = [texts[-1] if texts else None for texts in _matching(cells, "starts")]
    cells["note"] = [" ".join(texts) or None for texts in _matching(cells, "notes")]
    return cells[list(COLUMNS)].astype(_NUMBERS)


def table_name(table: int) -> str:
    """What a paper calls a table of ours: ``Table 2``, or ``Table S7`` of the supplement."""
    return f"Table {table}" if table <= 100 else f"Table S{table - 100}"


def _cells(paper: str) -> pd.DataFrame:
    """One paper's cells, in printed order; ``quoted`` says whose figures a row repeats."""
    printed = _read(paper)
    printed = printed.mask(printed == "-")
    long = printed.melt(list(_LINE), var_name="column", value_name="value", ignore_index=False)
    long = long.dropna(subset="value").sort_index(kind="stable")
    long[["dataset", "metric"]] = long.pop("column").str.extract(r"^(?:(\S+) )?(\S+)$").to_numpy()
    return long.assign(paper=paper)


def _matching(cells: pd.DataFrame, name: str) -> list[list[str]]:
    """For every cell the texts of those lines of a file whose address, less its blanks, is its."""
    texts: list[list[str]] = [[] for _ in range(len(cells))]
    lines = _read(name)
    for *address, text in lines.itertuples(index=False):
        matched = pd.Series(True, index=cells.index)
        for column, wanted in zip(lines.columns, address, strict=False):
            if not pd.isna(wanted):
                matched &= cells[column] == wanted
        for position in matched.to_numpy().nonzero()[0]:
            texts[position].append(text)
    return texts


def _read(name: str) -> pd.DataFrame:
    """A file of this folder as text; what is blank is missing."""
    with _FILES.joinpath(f"{name}.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype=object, keep_default_na=False, na_values=[""])
