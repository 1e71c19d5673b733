"""What the papers print, and which measured row belongs to which printed one.

A measured row belongs to the printed row of the same method; where a table prints a method several
times, to the one of the same number of frames. The two sides never mix: published figures are of
the papers' data, networks and rules.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmark import published
from benchmark.label import Label
from reports.analysis.groups import Group
from reports.analysis.label_text import frames_of
from reports.read.rows import METRICS, base

ADDRESS = ["paper", "table", "row"]
SHORT = {
    "stenvan": "STE-NVAN",
    "nlam": "NLAM",
    "sta": "STA",
    "resnet3d": "ResNet3D",
    "ap3d": "AP3D",
    "cosam": "COSAM",
    "tclnet": "TCLNet",
    "bicnet": "BiCnet-TKS",
    "psta": "PSTA",
    "sinet": "SINet",
    "tf_clip": "TF-CLIP",
}
SCORES = ("R1", "mAP")


@cache
def _printed() -> pd.DataFrame:
    return published.load()


def printed() -> pd.DataFrame:
    """Every printed cell, see `benchmark.published`."""
    return _printed().copy()


def lines() -> pd.DataFrame:
    """One row a printed row: address, system, frames, method."""
    return printed()[[*ADDRESS, "system", "frames", "method"]].drop_duplicates(ADDRESS)


DOUBTFUL = "Doubtful"  # how a note on a figure begins that is not to be relied on
DAGGERS = ("†", "‡", "§", "¶")


def doubt(note: object) -> str:
    """The part of a note that doubts its figure, blank for most."""
    if not isinstance(note, str) or DOUBTFUL not in note:
        return ""
    return note[note.index(DOUBTFUL) :]


def dagger(place: int) -> str:
    """The sign of the n-th doubt of a table: †, ‡, §, ¶, then the same doubled."""
    times, which = divmod(place, len(DAGGERS))
    return DAGGERS[which] * (times + 1)


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
    """Place of the measured row for each printed row of one table, by the latter's number."""
    label = Label.parse(group.key.label)
    reranked, frames = label.rerank is not None, frames_of(label)
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


def side_by_side(tables: Sequence[Group]) -> pd.DataFrame:
    """Every printed cell of a measured method with its measured counterpart, one row a pair.

    ``measured`` and its interval are fractions times 100, as the papers print them; GFLOP stand
    beside GMACs. ``difference`` is given where both are of one data set and the printed network
    starts from what its paper's networks usually start from, not from Kinetics or another data set.
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
    fields = {f"measured_{name}": getattr(group.key, name) for name in group.key._fields}
    if metric == "GFLOP":
        return fields | {"measured": row["gmacs"]}
    if metric not in METRICS:
        return fields
    fields |= {
        "measured": 100 * row[metric],
        "measured_low": 100 * row[f"{metric}_low"],
        "measured_high": 100 * row[f"{metric}_high"],
    }
    same = cell["dataset"] == base(group.key.dataset) and pd.isna(cell["start"])
    return fields | {"difference": fields["measured"] - cell["value"] if same else np.nan}


def points(dataset: str, counted: pd.DataFrame) -> pd.DataFrame:
    """What the papers print of our methods on one data set, one row a method and clip length.

    Args:
        dataset: name without arguments.
        counted: networks that were counted, see `reports.analysis.trends.counted`.

    Returns:
        ``paper``, ``short``, ``label`` (with a dagger where R1 or mAP is doubtful), ``method``,
        ``frames`` (also as ``x``), ``line`` (the method, where its paper varies the clip length,
        else blank), R1 and mAP in percent, and ``gmacs``: as printed, else our own count for the
        same clip of 256 × 128 pixels, else NaN.
    """
    cells = printed().dropna(subset=["method", "frames"])
    own = cells[(cells["dataset"] == dataset) & cells["protocol"].notna()]
    own = own[~own["system"].str.contains("ReRank", case=False)]
    wide = own.pivot_table(
        index=[*ADDRESS, "method", "frames"], columns="metric", values="value", sort=False
    ).reindex(columns=list(SCORES))
    wide = wide.reset_index().drop_duplicates(["paper", "method", "frames"])
    doubted = own[own["metric"].isin(SCORES) & (own["note"].map(doubt) != "")]
    marked = set(doubted[ADDRESS].itertuples(index=False, name=None))
    flops = cells[cells["metric"] == "GFLOP"].drop_duplicates(["method", "frames"])
    flops = flops.set_index(["method", "frames"])["value"]
    ours = _counts(counted)
    keys = list(zip(wide["method"], wide["frames"].astype(int), strict=True))
    addresses = list(wide[ADDRESS].itertuples(index=False, name=None))
    lengths = wide.groupby(["paper", "method"])["frames"].transform("nunique")
    return wide.assign(
        short=wide["paper"].map(SHORT),
        label=[
            f"{method}, T = {frames}{' †' if address in marked else ''}"
            for (method, frames), address in zip(keys, addresses, strict=True)
        ],
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
