"""What makes the rows of a table less comparable than they look, in Markdown."""

import re
from collections.abc import Iterable

import pandas as pd

from reports.analysis.groups import Group
from reports.analysis.markup import names, text
from reports.read.rows import UNSTEADY

FEW_PERSONS = 30  # test persons, below which a table says so
_LIMITED = re.compile(r":(\d+)persons$")


def cautions(group: Group) -> list[str]:
    """One sentence for each thing; none where all rows were made alike."""
    cells = {
        name: set(zip(runs["split"], runs["seed"], strict=True))
        for name, runs in group.by_name.items()
    }
    found = _about_size(group)
    if len({frozenset(c) for c in cells.values()}) > 1:
        which = grouped((name, _cells(c)) for name, c in cells.items())
        parts = "; ".join(f"{who}: {cell}" for cell, who in shortened(which))
        found.append(f"Not all methods ran with the same seeds and splits: {parts}.")
    doubled = [n for n, runs in group.by_name.items() if len(runs) > len(cells[n])]
    if doubled:
        found.append(f"Several runs share one seed and split: {names(doubled)}.")
    found += [f"Exactly the same results: {names(who)}." for who in _identical(group)]
    return found + _about_costs(group)


def _about_size(group: Group) -> list[str]:
    """Numbers from too little to be relied on."""
    limited = _LIMITED.search(group.key.dataset)
    found = []
    if limited:
        found.append(
            f"A smoke test on {limited[1]} identities (`--limit`): these numbers are not results."
        )
    persons = persons_of(group)
    if persons is not None and persons < FEW_PERSONS:
        who = "person" if persons == 1 else "persons"
        found.append(
            f"Only {persons} test {who}: below {FEW_PERSONS}, scores and intervals say little."
        )
    return found


def persons_of(group: Group) -> int | None:
    """Test persons, of the split that has fewest; None where no per-query file can be read."""
    counts = []
    for _, records in group.records.groupby("split"):
        for path in records["per_query"]:
            try:
                counts.append(pd.read_csv(path, usecols=["pid"])["pid"].nunique())
                break  # records of one split and label have the same queries
            except (OSError, ValueError, TypeError):
                continue
    return min(counts) if counts else None


def _identical(group: Group) -> list[list[str]]:
    """Methods whose records agree in every metric: probably one network under several names."""
    results = (
        (
            name,
            tuple(sorted((r.split, r.seed, str(r.metrics), str(r.cmc)) for r in of.itertuples())),
        )
        for name, of in group.by_name.items()
    )
    return [who for _, who in grouped(results) if len(who) > 1]


def _about_costs(group: Group) -> list[str]:
    found, measured_on = [], conditions(group)
    if len(measured_on) > 1:
        parts = "; ".join(f"{who}: {where}" for where, who in shortened(list(measured_on.items())))
        found.append(
            f"Latencies were measured under different conditions, do not compare them: {parts}."
        )
    unsteady = group.rows.loc[group.rows["unsteady"], "name"]
    if len(unsteady):
        found.append(
            f"Latency is unsteady (interquartile range over {100 * UNSTEADY:.0f} % of the median), "
            f"so left out of Pareto fronts: {names(unsteady)}."
        )
    sizes = {(r["frames"], r["height"], r["width"]) for r in group.records["cost"] if "frames" in r}
    if len(sizes) > 1:
        found.append("GMACs are per clip, and the clips differ in size (see the cost notes).")
    return found


def _cells(cells: Iterable[tuple[int, int]]) -> str:
    cells = sorted(cells)
    if {split for split, _ in cells} == {0}:
        plural = "s" if len(cells) > 1 else ""
        return f"seed{plural} {', '.join(str(seed) for _, seed in cells)}"
    return ", ".join(f"split {split} seed {seed}" for split, seed in cells)


def conditions(group: Group) -> dict[str, list[str]]:
    """Under what conditions costs were measured, with the methods: one entry if all are alike."""
    pairs = [
        (name, _condition(cost, environment))
        for name, runs in group.by_name.items()
        for cost, environment in zip(runs["cost"], runs["environment"], strict=True)
        if cost
    ]
    return {condition: list(dict.fromkeys(found)) for condition, found in grouped(pairs)}


def _condition(cost: dict, environment: dict) -> str:
    """Device, processor or GPU, threads, precision and clip of a measured cost, in Markdown."""
    precision = {"no": "fp32"}.get(cost.get("precision"), cost.get("precision"))
    machine, threads = environment.get("gpu"), ""
    if cost.get("device") == "cpu" or not machine:
        machine = environment.get("processor")
        threads = f"{environment['threads']} threads" if "threads" in environment else ""
    size = " × ".join(str(cost.get(name, "?")) for name in ("frames", "height", "width"))
    parts = (cost.get("device"), machine, threads, precision)
    clip = f"clips of {size} (frames × height × width)"
    return ", ".join(text(part) for part in dict.fromkeys((*parts, clip)) if part)


def grouped(pairs: Iterable[tuple[str, object]]) -> list[tuple[object, list[str]]]:
    """The names that share a value, by value, both in the order of their first coming."""
    found: dict[object, list[str]] = {}
    for name, value in pairs:
        found.setdefault(value, []).append(name)
    return list(found.items())


def shortened(found: list[tuple[object, list[str]]]) -> list[tuple[object, str]]:
    """Values with who has them, in Markdown; the largest of several is "the other N", and last."""
    largest = max(found, key=lambda pair: len(pair[1]))
    if len(found) == 1 or len(largest[1]) < 4:
        return [(value, names(who)) for value, who in found]
    few = [(value, names(who)) for value, who in found if value != largest[0]]
    return [*few, (largest[0], f"the other {len(largest[1])}")]
