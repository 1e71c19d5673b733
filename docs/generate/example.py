"""What the committed example report says of a method, read from the report itself."""

import json
import re
from pathlib import Path
from typing import NamedTuple

EXAMPLE = Path(__file__).parents[1] / "example"
_DATA = re.compile(r'<script id="data" type="application/json">(.*?)</script>', re.DOTALL)
_ATTENTION = re.compile(r"(?P<method>[a-z0-9_]+)[^/]*-attention[^/]*\.png")


class Score(NamedTuple):
    """A row of one of the report's tables; scores are fractions, intervals of 95 %."""

    table: str
    level: str
    name: str
    mAP: float
    mAP_interval: tuple[float, float] | None
    R1: float
    seeds: int
    gmacs: float | None
    sign: str  # what the report marks the method with


def scores(methods: tuple[str, ...], page: Path = EXAMPLE / "report.html") -> list[Score]:
    """Rows of these methods and their variants, in the report's order.

    Raises:
        ValueError: the page holds no data.
    """
    found = _DATA.search(page.read_text(encoding="utf-8"))
    if not found:
        raise ValueError(f"{page} holds no data: make it again with `make example`")
    data = json.loads(found[1])
    return [
        _score(dict(zip(data["columns"], row["values"], strict=True)), row, group)
        for group in data["groups"]
        for row in group["rows"]
        if row["method"].partition("[")[0] in methods and row["origin"] == "measured"
    ]


def _score(values: dict, row: dict, group: dict) -> Score:
    ends = values["mAP_low"], values["mAP_high"]
    return Score(
        table=group["title"],
        level=group["level"],
        name=row["name"],
        mAP=values["mAP"],
        mAP_interval=None if None in ends or ends[0] == ends[1] else ends,
        R1=values["R1"],
        seeds=values["seeds"],
        gmacs=values["gmacs"],
        sign=row["sign"],
    )


def attention_pictures(methods: tuple[str, ...], folder: Path = EXAMPLE) -> list[Path]:
    """Pictures of where these methods looked, at most two of each."""
    pictures: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*-attention*.png")):
        found = _ATTENTION.fullmatch(path.name)
        if found and found["method"] in methods:
            pictures.setdefault(found["method"], []).append(path)
    return [path for paths in pictures.values() for path in paths[:2]]
