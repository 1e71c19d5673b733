"""Which runs are compared: found in folders, put together by method, refused where they do not fit.

Runs that differ in nothing but the seed are one system. If all that were named are, each stands by
itself, so that two seeds of one method can be compared as well.
"""

import dataclasses
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.label import Label
from benchmark.record import Record
from benchmark.variants import choose, parse, select, split_list
from reports.analysis.label_text import order
from zoo.experiment.folder import RunFolder
from zoo.experiment.spec import RunSpec
from zoo.tools.inspected_run import results_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Member:
    """One run with its results on its own data, those after re-ranking left out."""

    folder: RunFolder
    spec: RunSpec
    records: tuple[Record, ...]

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.folder.path.name


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """What is compared: the label, and for each system its members with the record under it."""

    label: Label
    systems: dict[str, list[tuple[Member, Record]]]

    @property
    def spec(self) -> RunSpec:
        """Of the first run; all have its data set and split."""
        return next(iter(self.systems.values()))[0][0].spec


def choose_runs(
    paths: Sequence[Path],
    methods: str | None = None,
    label: str | None = None,
    split: int | None = None,
) -> Chosen:
    """Find the runs and check that they compare.

    Args:
        paths: folders of runs, or of results, all of whose finished runs are taken.
        methods: names or wildcards, separated by commas: which of the runs found.
        label: a result label or its protocol; None takes the first that all runs have.
        split: which split, where the runs are of several.

    Raises:
        FileNotFoundError: a folder is no run and holds none, or a run is not finished.
        LookupError: no run of such a method, or no such label.
        ValueError: the runs do not compare, or there are fewer than two systems.
    """
    members = {member.spec.id: member for path in paths for member in _members(Path(path))}
    found = _of_methods(list(members.values()), methods)
    found = _of_split(found, split)
    _check_data(found)
    rules = _common_label(found, label)
    grouped = _grouped(found, _but_seed)
    if len(grouped) < 2:
        grouped = _grouped(found, lambda spec: spec.id)
    if len(grouped) < 2:
        named = ", ".join(member.name for member in found) or "none"
        raise ValueError(f"a comparison takes two runs or more, there is one alone: {named}")
    systems = {
        name: [(member, _record(member, rules)) for member in of_one]
        for name, of_one in zip(_names(grouped), grouped, strict=True)
    }
    return Chosen(label=Label.parse(rules), systems=systems)


def _members(path: Path) -> list[Member]:
    if (path / "runs").is_dir():
        runs = [RunFolder(run.parent) for run in sorted(path.glob("runs/*/spec.json"))]
        found = [_member(run) for run in runs if any(run.records.glob("*.json"))]
        if not found:
            raise FileNotFoundError(f"{path} has no finished run: `zoo bench --out` fills it")
        return found
    member = _member(RunFolder(path))
    if not member.records:
        raise FileNotFoundError(f"{path} has no records: the run is not finished")
    return [member]


def _member(folder: RunFolder) -> Member:
    return Member(folder=folder, spec=folder.spec(), records=tuple(results_of(folder)))


def _of_methods(found: list[Member], methods: str | None) -> list[Member]:
    if methods is None:
        return found
    known = {name for one in found for name in (one.spec.method, parse(one.spec.method).name)}
    kept = {name for pattern in split_list(methods) for name in _matching(pattern, known)}
    return [one for one in found if {one.spec.method, parse(one.spec.method).name} & kept]


def _matching(pattern: str, known: Collection[str]) -> list[str]:
    """A name as it is, or those that a wildcard matches; a bracket is a variant's."""
    found = [] if pattern in known else select([pattern], sorted(known))
    return found or [choose(pattern, {name: name for name in known}, "method of these runs,")]


def _of_split(found: list[Member], split: int | None) -> list[Member]:
    splits = sorted({one.spec.split for one in found})
    if split is None and len(splits) > 1:
        told = ", ".join(map(str, splits))
        raise ValueError(
            f"the runs are of splits {told}, whose test sets differ: choose one with "
            f"--split {splits[0]}"
        )
    if split is not None and split not in splits:
        raise ValueError(f"no run of split {split}: expected {', '.join(map(str, splits))}")
    return [one for one in found if split is None or one.spec.split == split]


def _check_data(found: Iterable[Member]) -> None:
    by_data: dict[str, list[str]] = {}
    for one in found:
        by_data.setdefault(f"{one.spec.dataset} ({one.spec.fingerprint})", []).append(one.name)
    if len(by_data) > 1:
        parts = "; ".join(f"{data}: {', '.join(runs)}" for data, runs in by_data.items())
        raise ValueError(f"runs on different data do not compare, name those of one line: {parts}")


def _common_label(found: Sequence[Member], asked: str | None) -> str:
    labels = [[entry.label for entry in one.records] for one in found]
    common = set(labels[0]).intersection(*labels[1:]) if labels else set()
    ordered = sorted(common, key=lambda text: (order(Label.parse(text)), text))
    if not ordered:
        first, other = _apart(found)
        rules = Label.parse(first.records[0].label)
        raise ValueError(
            f"no result label is common to all: {first.name} has "
            f"{', '.join(entry.label for entry in first.records)}, {other.name} has "
            f"{', '.join(entry.label for entry in other.records)}; `zoo eval {other.folder} "
            f"--protocol {rules.protocol} --distance {rules.distance} --frames {rules.frames}` "
            "adds what fits and trains nothing"
        )
    if asked is None:
        return ordered[0]
    names = {text: text for text in ordered}
    names |= {Label.parse(text).protocol: text for text in reversed(ordered)}
    return choose(asked, names, "label that all of these runs have,")


def _apart(found: Sequence[Member]) -> tuple[Member, Member]:
    """Two runs that have no label in common, or the first two."""
    own = [{entry.label for entry in one.records} for one in found]
    for i, first in enumerate(own):
        for j, other in enumerate(own[:i]):
            if not first & other:
                return found[j], found[i]
    return found[0], found[1]


def _but_seed(spec: RunSpec) -> str:
    fields = dataclasses.replace(spec, seed=0).as_dict()
    return json.dumps(fields, sort_keys=True)


def _grouped(found: Iterable[Member], key: Callable[[RunSpec], str]) -> list[list[Member]]:
    grouped: dict[str, list[Member]] = {}
    for one in found:
        grouped.setdefault(key(one.spec), []).append(one)
    return [sorted(group, key=lambda one: one.spec.seed) for group in grouped.values()]


def _names(grouped: Sequence[Sequence[Member]]) -> list[str]:
    """Of each system: its method, with as much more as sets it apart."""
    forms: tuple[Callable[[RunSpec], str], ...] = (
        lambda spec: spec.method,
        lambda spec: f"{spec.method} ({spec.recipe})",
        lambda spec: f"{spec.method} ({spec.backbone}, {spec.recipe})",
        lambda spec: f"{spec.method} (seed {spec.seed})",
        lambda spec: f"{spec.method} ({spec.id})",
    )
    for form in forms:
        names = [form(group[0].spec) for group in grouped]
        if len(set(names)) == len(names):
            return names
    raise AssertionError("two runs have one id")


def _record(member: Member, label: str) -> Record:
    return next(entry for entry in member.records if entry.label == label)
