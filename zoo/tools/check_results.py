"""``zoo report --check``: may results be shown? Each run by itself, and all together."""

import dataclasses
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark import files
from benchmark.datasets.catalogue import find_kind, parse_name
from benchmark.datasets.kind import DatasetKind
from benchmark.record import Record
from reports.read.results import collect
from zoo import plugins
from zoo.checkpoints.table import table
from zoo.experiment.spec import RunSpec
from zoo.tools.check_run import CheckedRun, Finding, check_run


@dataclass(frozen=True, kw_only=True)
class CheckedResults:
    """What was found in result folders.

    Attributes:
        findings: refusals first.
        runs: how many were looked at; ``records``: how many of theirs could be read.
        digest: 12 hexadecimal digits of a hash over names and bytes of all records and their
            tables, by which a receiver sees that nothing was changed on the way.
    """

    findings: tuple[Finding, ...]
    runs: int
    records: int
    digest: str

    @property
    def refused(self) -> bool:
        """Whether anything stands in the way."""
        return any(finding.refused for finding in self.findings)

    def __str__(self) -> str:
        refusals = sum(finding.refused for finding in self.findings)
        return (
            f"runs: {self.runs}, records: {self.records}, hash: {self.digest}, "
            f"refused: {refusals}, remarks: {len(self.findings) - refusals}"
        )


def check_results(folders: Sequence[Path]) -> CheckedResults:
    """Check every run in result folders; nothing is written, set aside or executed.

    Args:
        folders: with ``runs/``, as ``zoo bench --out`` writes them.
    """
    read = collect(folders)
    findings = [Finding(*_split(problem)) for problem in read.problems]
    for failure in read.failures:
        what = f"{failure.stage} failed: {failure.reason}; type its command again, or leave it out"
        findings.append(Finding(f"{failure.method} seed {failure.seed} ({failure.run})", what))
    unfinished = "it has no record: type its command again, or leave it out"
    findings += [Finding(run, unfinished) for run in read.unfinished]

    runs = [
        check_run(path, f"{folder.name}/runs/{path.name}")
        for folder in (Path(one).resolve() for one in folders)
        for path in sorted(folder.glob("runs/*"))
        if not path.name.startswith(".") and any(path.glob("records/*.json"))
    ]
    if not runs:
        names = ", ".join(folder.name for folder in folders)
        findings.append(Finding(names, "no run with records: `zoo bench --out` fills a folder"))
    findings += [finding for run in runs for finding in run.findings]
    records = {file: record for run in runs for file, record in run.records.items()}
    findings += _incomplete([run.spec for run in runs if run.spec and run.records])
    findings += _test_sets(runs, records.values())
    return CheckedResults(
        findings=tuple(sorted(dict.fromkeys(findings), key=lambda one: (not one.refused, one))),
        runs=len(runs),
        records=len(records),
        digest=_digest(records),
    )


def _split(problem: str) -> tuple[str, str]:
    where, _, what = problem.partition(": ")
    return where, what


def _digest(records: Mapping[Path, Record]) -> str:
    named = {}
    for file, record in records.items():
        for path in (file, file.parent / (record.per_query or file.name)):
            if path.is_file():
                place = "/".join((*path.parts[-3:-2], path.name))
                named[place] = files.sha256(path)
    return files.hash_of(named)


# ---- all runs together ---------------------------------------------------------------------------


def _incomplete(specs: Iterable[RunSpec]) -> Iterator[Finding]:
    """Seeds and splits that are missing: results are not a choice from those that were made."""
    tables: dict[tuple[str, str], dict[str, set[tuple[int, int]]]] = {}
    for spec in specs:
        if spec.checkpoint is None:
            system = dataclasses.replace(spec, seed=0, split=0).as_dict()
            level = re.split(r"[/\[]", spec.recipe, maxsplit=1)[0]
            systems = tables.setdefault((f"{spec.dataset} ({spec.fingerprint})", level), {})
            made = systems.setdefault(json.dumps(system, sort_keys=True), set())
            made.add((spec.split, spec.seed))
    for (data, level), systems in tables.items():
        seeds = range(1 + max(seed for made in systems.values() for _, seed in made))
        for text, made in systems.items():
            system = json.loads(text)
            wanted = {(split, seed) for split in _splits(system["dataset"]) for seed in seeds}
            if missing := [_named(one) for one in sorted(wanted - made)]:
                more = f", … ({len(missing)})" if len(missing) > 5 else ""
                what = f"missing: {', '.join(missing[:5])}{more}; a table's runs share their seeds"
                yield Finding(f"{system['method']} ({system['recipe']}) on {data}", what)
        if len(seeds) == 1:
            yield Finding(f"{level} on {data}", "one seed: no spread can be told", refused=False)


def _named(run: tuple[int, int]) -> str:
    split, seed = run
    return f"split {split} seed {seed}" if split else f"seed {seed}"


def _splits(dataset: str) -> range:
    kind = _kind(dataset)
    return range(1 if kind is None else kind.splits)


def _kind(dataset: str) -> DatasetKind | None:
    try:
        extra = plugins.plugin_functions("DATASETS", "zoo.datasets")
        return find_kind(parse_name(dataset).variants[0].name, extra)
    except (LookupError, ValueError):
        return None


def _test_sets(runs: Iterable[CheckedRun], records: Iterable[Record]) -> Iterator[Finding]:
    """Are the test sets those that their names say?"""
    counts = {key: found for run in runs for key, found in run.counts.items()}
    published = {(row.dataset, row.fingerprint) for row in table().values() if row.fingerprint}
    for record in records:
        key = record.dataset, record.fingerprint
        asked = {"query tracklets": record.queries + record.dropped}
        yield from _test_set(*key, counts.get(key, asked), published)


def _test_set(
    name: str,
    fingerprint: str,
    counts: Mapping[str, int],
    published: Collection[tuple[str, str]],
) -> Iterator[Finding]:
    where, kind = f"{name} ({fingerprint})", _kind(name)
    if kind is None:
        what = "no data set of this version: how it is opened goes with the records"
        yield Finding(where, what, refused=False)
        return
    reference = kind.reference_counts.get(str(parse_name(name).variants[0]), {})
    for part, number in counts.items():
        if number != reference.get(part, number):
            what = f"{number} {part}, published are {reference[part]}"
            yield Finding(where, what, refused=kind.measured)
    known = sorted(bits for dataset, bits in published if dataset == name)
    if known and fingerprint not in known:
        what = f"fingerprint of other files than those known here ({', '.join(known)})"
        yield Finding(where, what, refused=False)
    elif not known:
        counted = "its counts are the published ones" if reference else "nothing is published of it"
        what = f"no fingerprint of it is known here; {counted}"
        yield Finding(where, what, refused=False)
