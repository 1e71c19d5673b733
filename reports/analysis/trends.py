"""Series for figures: accuracy or cost against one thing that varies.

Accuracy varies with a knob of the test set or the length of clips, cost with the length of clips or
the size of images.

A series is no ranking across data sets, labels or recipes: these are what its axis varies, and
everything else is the same along it.
"""

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmark.label import Label
from reports.analysis.groups import groups
from reports.analysis.label_text import frames_of, without_number
from reports.read.results import Results
from reports.read.rows import base

BAND_RESAMPLES = 2_000
COSTS = ("gmacs", "latency_ms", "latency_iqr_ms", "peak_memory_mb")


class Trend(NamedTuple):
    """One family of series.

    Attributes:
        kind: ``knob``, ``frames``, ``cost-frames`` or ``cost-size``.
        axis: what its x is, in words.
        title: what is the same along it.
        rows: ``name``, ``x`` and, for accuracy, R1 and mAP as fractions with ``_low`` and
            ``_high``; for costs the columns of `COSTS`.
        dataset: name without arguments, of accuracy; else blank.
    """

    kind: str
    axis: str
    title: str
    rows: pd.DataFrame
    dataset: str = ""


def all_trends(results: Results) -> list[Trend]:
    """Every family with two points or more."""
    if results.frame.empty:
        return _costs(results)
    return [*_sweeps(results), *_lengths(results), *_costs(results)]


def _sweeps(results: Results) -> list[Trend]:
    """Accuracy against a knob of the test set, of networks trained once."""
    frame = results.frame
    points = [
        {"run": run, **point._asdict()} for run, found in results.sweeps.items() for point in found
    ]
    if not points:
        return []
    at = frame.merge(pd.DataFrame(points), on=["run", "dataset", "fingerprint"])
    made = []
    same = ["knob", "trained_on", "trained_bits", "training", "label"]
    for (knob, trained_on, _, training, label), family in at.groupby(same, sort=True):
        rows = _averaged(family.assign(swept=False, source=""), "value")
        if rows["x"].nunique() > 1:
            title = f"trained once on {trained_on} · {training} · {label}"
            made.append(Trend("knob", f"{knob} of the test set", title, rows, base(trained_on)))
    return made


def _averaged(family: pd.DataFrame, by: str) -> pd.DataFrame:
    """The rows of `reports.analysis.groups` at each value of ``by``, one below the other."""
    parts = []
    for x, records in family.groupby(by, sort=True):
        for group in groups(records, BAND_RESAMPLES):
            parts.append(group.rows.assign(x=x))
    return pd.concat(parts, ignore_index=True).sort_values(["name", "x"], ignore_index=True)


def _lengths(results: Results) -> list[Trend]:
    """Accuracy against the frames of a clip, of recipes that differ in nothing else."""
    frame = results.frame[~results.frame["swept"]]
    labels = [Label.parse(label) for label in frame["label"]]
    frame = frame.assign(
        frames=[frames_of(label) for label in labels],
        rules=[without_number(label) for label in labels],
        rest=[without_frames(recipe) for recipe in frame["recipe"]],
    ).dropna(subset="frames")
    made = []
    same = ["dataset", "fingerprint", "source", "level", "rules", "rest"]
    for (dataset, *_, rules, rest), family in frame.groupby(same, sort=True):
        if family["frames"].nunique() > 1:
            rows = _averaged(family, "frames")
            title = f"{dataset} · {rest} · {rules}"
            made.append(Trend("frames", "Frames of a clip, T", title, rows, base(dataset)))
    return made


def without_frames(recipe: str) -> str:
    """A recipe's name without its clip length, which ``[frames=8]`` tells."""
    name, bracket, inside = recipe.partition("[")
    parts = inside.removesuffix("]").split(",") if bracket else []
    kept = [part for part in parts if not part.startswith("frames=")]
    return f"{name}[{','.join(kept)}]" if kept else name


def counted(results: Results) -> pd.DataFrame:
    """Every network that was counted and timed, one row a network, clip and device."""
    rows = []
    for record in results.frame.to_dict("records"):
        cost = record["cost"]
        if {"frames", "height", "width", "device", "precision"} <= set(cost):
            fields = {name: cost.get(name, np.nan) for name in ("frames", "height", "width")}
            fields |= {name: cost[name] for name in ("device", "precision")}
            fields |= {name: record[name] for name in ("method", *COSTS)}
            rows.append(fields | {"backbone": _backbone(record["built"])})
    if not rows:
        return pd.DataFrame()
    same = ["method", "backbone", "frames", "height", "width", "device", "precision"]
    return pd.DataFrame(rows).groupby(same, as_index=False, dropna=False)[list(COSTS)].median()


def _backbone(built: str) -> str:
    """A backbone's changes, blank for a plain one."""
    found = re.search(r'"backbone": "[^"\[]*(\[[^"]*\])"', built)
    return found[1] if found else ""


def _costs(results: Results) -> list[Trend]:
    """Cost against the frames of a clip, and against the height of images."""
    frame = counted(results)
    made = []
    for kind, axis, x in (
        ("cost-frames", "Frames of a clip, T", "frames"),
        ("cost-size", "Height of the images (pixels; width is half of it)", "height"),
    ):
        if frame.empty:
            continue
        frame = frame[frame["height"] == 2 * frame["width"]] if x == "height" else frame
        fixed = ["height", "width"] if x == "frames" else ["frames"]
        for key, family in frame.groupby(["device", "precision", "backbone", *fixed], sort=True):
            several = family.groupby("method")[x].transform("nunique") > 1
            rows = family[several]
            if len(rows):
                rows = rows.assign(name=rows["method"], x=rows[x].astype(float))
                device, precision, backbone, *size = key
                size = f"{size[0]} × {size[1]} pixels" if x == "frames" else f"T = {size[0]}"
                numbers = {"no": "fp32"}.get(precision, precision)
                title = " · ".join(part for part in (size, device, numbers, backbone) if part)
                made.append(Trend(kind, axis, title, rows.sort_values(["name", "x"])))
    return made
