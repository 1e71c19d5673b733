"""Does a run's folder agree with itself? Ids, hashes, records, labels, numbers; nothing is changed.

The folder may come from anybody: what cannot be read is a finding, and nothing in it is executed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark import embed, files, rerank
from benchmark.clips import frame_rule
from benchmark.datasets.catalogue import TEST, parse_name
from benchmark.embed import ClipEmbeddings
from benchmark.label import Label
from benchmark.recipe import DISTANCES
from benchmark.record import Record, load
from benchmark.rules import PROTOCOLS
from benchmark.variants import choose
from zoo import registry
from zoo.experiment.folder import RunFolder
from zoo.experiment.spec import RunSpec
from zoo.tools.recompute import BROKEN, counted, faults_of_ranks, faults_of_table, one_line


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that was seen: refused, or a remark that a reader should know."""

    where: str
    what: str
    refused: bool = True

    def __str__(self) -> str:
        parts = "refused" if self.refused else "remark", self.where, self.what
        return ": ".join(filter(None, parts))


@dataclass(kw_only=True)
class CheckedRun:
    """A run, what was found of it, and the test sets that its embeddings hold.

    Attributes:
        where: how findings call the run.
        spec: what the run is; None where that cannot be read.
        records: those that can be read, by file.
        counts: of a test set's persons and tracklets, by data set and fingerprint.
        findings: in the order of the checks.
    """

    where: str
    spec: RunSpec | None = None
    records: dict[Path, Record] = field(default_factory=dict)
    counts: dict[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def refuse(self, what: str, file: str = "") -> None:
        """Add what stands in the way, of the run or of a file in its folder."""
        self.findings.append(Finding(f"{self.where}/{file}".rstrip("/"), what))

    def remark(self, what: str) -> None:
        """Add what a reader should know."""
        self.findings.append(Finding(self.where, what, refused=False))


def check_run(path: Path, where: str) -> CheckedRun:
    """Check a run that has finished.

    Args:
        path: the run's folder.
        where: how findings call it.
    """
    found, folder = CheckedRun(where=where), RunFolder(path)
    try:
        spec = found.spec = _specification(path)
    except BROKEN as error:
        found.refuse(f"no specification of a run: {one_line(error)}", "spec.json")
        return found
    for file in sorted(folder.records.glob("*.json")):
        try:
            found.records[file] = load(file)
        except BROKEN:
            continue  # whoever reads all folders names it
    weights = _hashes(folder, spec)
    for what in _faults_of_run(folder, spec, weights):
        found.refuse(what)
    if "weights.safetensors" not in weights:
        found.remark("weights.safetensors is not there: its sha256 is taken on trust")
    for file, record in found.records.items():
        for what in _faults_of_record(file, record, spec, weights):
            found.refuse(what, f"records/{file.name}")
    _rank_again(found, folder)
    remarks = [text for record in found.records.values() for text in _remarks(record)]
    for what in dict.fromkeys((*_method_remarks(spec), *remarks)):
        found.remark(what)
    return found


def _specification(path: Path) -> RunSpec:
    """The specification, whose id can be told.

    Raises:
        BROKEN: there is none.
    """
    spec = RunSpec(**files.read_object(path / "spec.json"))
    numbers = spec.split, spec.seed
    if not all(type(number) is int and number >= 0 for number in numbers) or not spec.folder:
        raise ValueError(f"split and seed are {numbers}, expected whole numbers from 0")
    return spec


def _hashes(folder: RunFolder, spec: RunSpec) -> dict[str, str]:
    """The sha256 of the run's weights, by the name of the file that tells it."""
    found = {}
    if spec.checkpoint:
        found["spec.json"] = spec.checkpoint.rpartition("@")[2]
    if folder.weights.is_file():
        found["weights.safetensors"] = files.sha256(folder.weights)
    try:
        summary = files.read_object(folder.path / "run.json")
        return found | ({"run.json": str(summary["weights"])} if "weights" in summary else {})
    except BROKEN:
        return found


def _faults_of_run(folder: RunFolder, spec: RunSpec, weights: Mapping[str, str]) -> Iterator[str]:
    if folder.path.name != spec.folder:
        yield f"spec.json is that of {spec.folder}: one of the two was changed"
    try:
        summary = files.read_object(folder.path / "run.json")
        told = summary["id"], RunSpec(**summary["spec"]).id
    except BROKEN as error:
        yield f"run.json is that of no finished training: {one_line(error)}"
    else:
        if set(told) != {spec.id}:
            yield f"run.json is of run {', '.join(dict.fromkeys(map(str, told)))}, not of {spec.id}"
    if len(set(weights.values())) > 1:
        hashes = ", ".join(f"{value[:12]}… by {name}" for name, value in weights.items())
        yield f"the weights have different sha256: {hashes}"


def _faults_of_record(
    file: Path, record: Record, spec: RunSpec, weights: Mapping[str, str]
) -> Iterator[str]:
    """What does not agree within a record, its table and its run."""
    if record.origin != "measured":
        yield f"origin is {record.origin}: expected measured"
    own = {"run": spec.id, "method": spec.method, "recipe": spec.recipe, "seed": spec.seed}
    if record.fingerprint == spec.fingerprint:
        own |= {"dataset": spec.dataset, "split": spec.split}
    for name, expected in own.items():
        if getattr(record, name) != expected:
            yield f"{name} is {getattr(record, name)}, the specification says {expected}"
    if weights and record.checkpoint not in weights.values():
        yield f"checkpoint is {str(record.checkpoint)[:12]}…, which are not the run's weights"
    yield from _faults_of_name(record.dataset)
    label = Label.parse(record.label)
    if file.stem.partition("--")[0] != label.slug:
        yield f"the file should be called {label.slug}.json"
    yield from _faults_of_label(label)
    table = file.parent / (record.per_query or "")
    if record.per_query is None or not table.is_file():
        yield "its per-query table is missing: without it no interval can be told"
    else:
        yield from faults_of_table(record, table)


def _faults_of_name(dataset: str) -> Iterator[str]:
    try:
        parts = [suffix for suffix in parse_name(dataset).suffixes if suffix != TEST]
    except BROKEN as error:
        yield f"{dataset} is no name of a data set: {one_line(error)}"
    else:
        if parts:
            yield f"{dataset} is a part of a data set: such numbers are not to be shown"


def _faults_of_label(label: Label) -> Iterator[str]:
    try:
        protocol = choose(label.protocol, PROTOCOLS, "protocol")
        if protocol.version != label.version:
            yield f"{protocol.name}@{label.version}: it is version {protocol.version} here"
        choose(label.distance, DISTANCES, "distance")
        frame_rule(label.frames)
        if label.rerank is not None and str(rerank.parse(label.rerank)) != label.rerank:
            yield f"{label.rerank} is written {rerank.parse(label.rerank)}"
    except BROKEN as error:
        yield f"label {label}: {one_line(error)}"


def _rank_again(found: CheckedRun, folder: RunFolder) -> None:
    """Compare records with what their embeddings give, as far as these are there."""
    left = {
        file: record
        for file, record in found.records.items()
        if not any(_faults_of_label(Label.parse(record.label)))
    }
    for file in folder.all_embeddings():
        try:
            embeddings = embed.load(file)
            keys = [str(embeddings.key[k]) for k in ("fingerprint", "frames_rule", "weights")]
        except BROKEN as error:
            found.refuse(one_line(error), file.name)
            continue
        for path, record in list(left.items()):
            if [record.fingerprint, Label.parse(record.label).frames] == keys[:2]:
                del left[path]
                for what in _faults_of_embeddings(record, embeddings, file, keys[2], found):
                    found.refuse(what, f"records/{path.name}")
    for record in left.values():
        found.remark(f"{record.label} is not ranked again: its embeddings are not there")


def _faults_of_embeddings(
    record: Record, embeddings: ClipEmbeddings, file: Path, weights: str, found: CheckedRun
) -> Iterator[str]:
    if weights != record.checkpoint:
        yield f"{file.name} was made with weights {weights[:12]}…, not with the record's"
        return
    yield from faults_of_ranks(record, embeddings, file.name)
    try:
        found.counts[record.dataset, record.fingerprint] = counted(embeddings)
    except BROKEN as error:
        yield f"{file.name} holds no test set: {one_line(error)}"


def _method_remarks(spec: RunSpec) -> Iterator[str]:
    try:
        registry.find(spec.method)
    except BROKEN:
        yield f"{spec.method} is no method of this version: its source goes with the records"


def _remarks(record: Record) -> Iterator[str]:
    if record.commit is None or record.commit.endswith("+changes"):
        yield f"commit is {record.commit}: the code that was run cannot be looked up"
    if record.command is None:
        yield "no command is told"
