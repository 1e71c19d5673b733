"""Several data sets at a glance: methods by data sets, with the mean rank of each method.

Scores of two data sets are never averaged; ranks are, and only over the same methods.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reports.analysis.groups import Group
from reports.analysis.paper_sheets import chosen
from reports.analysis.sheets import Cell, Column, Sheet, bold_best
from reports.read.rows import base

_NOTES = [
    "mAP in percent, each data set under its own rules, which the tables below tell: columns do "
    "not compare",
    "bold: best in its column",
]


def matrices(tables: Sequence[Group]) -> list[Sheet]:
    """A table for each training under which several data sets were scored.

    Where a data set has several labels, the one with most methods stands for it.
    """
    by_training: dict[str, list[Group]] = {}
    for group in chosen(tables):
        if not group.key.source:
            by_training.setdefault(group.key.training, []).append(group)
    return [
        _matrix(training, groups) for training, groups in by_training.items() if len(groups) > 1
    ]


def _matrix(training: str, groups: Sequence[Group]) -> Sheet:
    scores = pd.DataFrame({i: _scores(group) for i, group in enumerate(groups)})
    whole = scores.dropna()
    ranks = whole.rank(ascending=False).mean(axis=1).reindex(scores.index)
    order = sorted(scores.index, key=lambda name: (_last(ranks[name]), -scores.loc[name].mean()))
    scores, ranks = scores.loc[order], ranks.loc[order]
    columns = [Column("Method", [Cell(name) for name in order], kind="name")]
    titles = [group.key.dataset for group in groups]
    for i, group in enumerate(groups):
        texts = ["" if np.isnan(score) else f"{100 * score:.1f}" for score in scores[i]]
        twice = titles.count(group.key.dataset) > 1
        bits = f" ({group.key.fingerprint[:8]})" if twice else ""
        column = bold_best([Cell(text) for text in texts], texts)
        columns.append(Column(f"{group.key.dataset}{bits}", column))
    cells = [Cell("" if np.isnan(rank) else f"{rank:.2f}") for rank in ranks]
    columns.append(Column("Mean rank", cells))
    notes = [*_NOTES, f"mean rank: over the {len(groups)} data sets, 1 is best"]
    if len(whole) < len(scores):
        notes.append(f"ranked are the {len(whole)} methods that all data sets have")
    sets = len({base(title) for title in titles})
    what = "data sets" if sets > 1 else "variants of a data set"
    shown = [column for column in columns if not column.is_blank]
    return Sheet(f"{len(groups)} {what}, {_words(training)}", shown, notes)


def _scores(group: Group) -> pd.Series:
    return group.rows.drop_duplicates("name").set_index("name")["mAP"]


def _last(rank: float) -> float:
    return np.inf if np.isnan(rank) else rank


def _words(training: str) -> str:
    return "each method's own recipe" if training == "paper" else f"recipe {training}"
