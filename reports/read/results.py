"""What lies in a result folder: records, runs, logs, failures, and what cannot be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmark.files import parse_object, read_object
from benchmark.record import Record, load
from benchmark.record_schema import fault_of_cost
from reports.read import rows
from reports.read.rows import Point
from reports.read.studies import Study
from reports.read.studies import load as load_study


class Failure(NamedTuple):
    """A run whose last attempt failed; what is not known of it is blank."""

    run: str
    method: str
    recipe: str
    dataset: str
    split: str
    seed: str
    stage: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Results:
    """What lies in one or several result folders.

    Attributes:
        frame: one row a record; metrics are fractions, what is not known is NaN, or "" for words.
        runs: ``run.json`` by run id, where there is one.
        logs: the training log's file by run id, read by `log` when it is needed.
        sweeps: the points of each run's sweeps by run id.
        inspections: files that `reports.read.inspection` reads, of inspected queries.
        studies: searches for hyperparameters.
        failures: runs whose last attempt failed.
        unfinished: run folders with neither a record nor a failure: stopped, or still going.
        problems: one line for each file that could not be used, in words.
    """

    frame: pd.DataFrame
    runs: Mapping[str, dict] = field(default_factory=dict)
    logs: Mapping[str, Path] = field(default_factory=dict)
    sweeps: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    inspections: tuple[Path, ...] = ()
    studies: tuple[Study, ...] = ()
    failures: tuple[Failure, ...] = ()
    unfinished: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def log(self, run: str) -> pd.DataFrame:
        """The training log, one row an epoch; empty if there is none.

        An epoch that was done again after an interruption counts as it was done last, and a line
        that an interruption cut short is left out.
        """
        path, lines = self.logs.get(run), []
        if path is not None and path.is_file():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    data = parse_object(line)
                except ValueError:
                    continue
                if isinstance(data.get("epoch"), int):
                    lines.append({k: v for k, v in data.items() if isinstance(v, int | float)})
        log = pd.DataFrame(lines, columns=None if lines else ["epoch"])
        return log.drop_duplicates("epoch", keep="last").sort_values("epoch", ignore_index=True)


def collect(folders: Sequence[Path]) -> Results:
    """Read every record, failure and ``run.json`` below the folders' ``runs/``.

    A record that lies in two folders (same run, label and data set) counts once. A file that cannot
    be used is named in ``problems`` and left out.
    """
    reader = _Reader()
    for folder in folders:
        reader.read(Path(folder).resolve())
    records = sorted(reader.rows.values(), key=lambda row: [row[name] for name in _ORDER])
    return Results(
        frame=pd.DataFrame(records),
        runs=reader.runs,
        logs=reader.logs,
        sweeps=reader.sweeps,
        inspections=tuple(reader.inspections.values()),
        studies=tuple(reader.studies[name] for name in sorted(reader.studies)),
        failures=tuple(sorted(set(reader.failures))),
        unfinished=tuple(sorted(set(reader.unfinished))),
        problems=tuple(sorted(set(reader.problems))),
    )


_ORDER = ("dataset", "fingerprint", "recipe", "label", "method", "built", "split", "seed", "run")


class _Reader:
    """Collects from one folder after the other."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, ...], dict] = {}
        self.runs: dict[str, dict] = {}
        self.logs: dict[str, Path] = {}
        self.sweeps: dict[str, tuple[Point, ...]] = {}
        self.inspections: dict[tuple[str, str, str], Path] = {}
        self.studies: dict[str, Study] = {}
        self.failures: list[Failure] = []
        self.unfinished: list[str] = []
        self.problems: list[str] = []

    def read(self, folder: Path) -> None:
        """Take in one result folder; its own name is as far up as a problem's path goes."""
        if not (folder / "runs").is_dir():
            self.problems.append(f"{folder.name}: no result folder, it has no runs/")
            return
        for path in sorted(folder.glob("tuning/*.json")):
            self._read_study(path, f"{folder.name}/tuning/{path.name}")
        for run in sorted(path for path in (folder / "runs").iterdir() if path.is_dir()):
            if run.name.startswith("."):
                continue
            short = f"{folder.name}/runs/{run.name}"
            found = self._read_records(run, short)
            if (run / "failure.json").is_file():
                self._read_failure(run, short)
            elif not found:
                self.unfinished.append(f"runs/{run.name}")

    def _read_records(self, run: Path, short: str) -> bool:
        paths = sorted(p for p in run.glob("records/*.json") if not p.name.startswith("."))
        has_summary = (run / "run.json").is_file()
        run_summary = self._summary(run / "run.json", short) if has_summary else {}
        points = self._sweeps(run, short)
        for path in paths:
            try:
                record = load(path)
            except (OSError, ValueError) as error:
                name = f"{short}/records/{path.name}"
                self.problems.append(_line(str(error).replace(str(path), name), name))
                continue
            self._add(record, run_summary, points, path, f"{short}/records/{path.name}")
        for path in sorted(run.glob("inspect/*/query-*.json")):
            self.inspections.setdefault((run.name, path.parent.name, path.name), path)
        return bool(paths)

    def _summary(self, path: Path, short: str) -> dict:
        """A run's ``run.json``, as far as a report uses it; what cannot be used is named."""
        data = self._json(path, short)
        spec, cost = data.get("spec", {}), data.get("cost")
        told = (
            [spec.get(n, "") for n in ("dataset", "fingerprint")] if isinstance(spec, dict) else []
        )
        if told and all(isinstance(one, str) for one in told) and fault_of_cost(cost) is None:
            return data
        self.problems.append(f"{short}/{path.name}: spec or cost is none of a run")
        return {}

    def _sweeps(self, run: Path, short: str) -> tuple[Point, ...]:
        points = []
        for path in sorted(run.glob("sweeps/*.json")):
            data = self._json(path, f"{short}/sweeps")
            try:
                points += [
                    Point(str(data["knob"]), float(p["value"]), p["dataset"], p["fingerprint"])
                    for p in data["points"]
                ]
                if not all(isinstance(text, str) for p in points for text in p[2:]):
                    raise TypeError("a data set is no name")
            except (KeyError, TypeError, ValueError) as error:
                points = []
                self.problems.append(_line(f"{short}/sweeps/{path.name} is no sweep: {error!r}"))
        return tuple(points)

    def _read_study(self, path: Path, name: str) -> None:
        try:
            study = load_study(path)
            self.studies.setdefault(study.name, study)
        except ValueError as error:
            self.problems.append(_line(f"{name}: {error}"))

    def _add(
        self, record: Record, run_summary: dict, points: tuple[Point, ...], path: Path, name: str
    ) -> None:
        run = path.parent.parent
        row = rows.row(record, run_summary, points, path)
        key = (record.run, record.label, record.dataset, record.fingerprint)
        first = self.rows.setdefault(key, row)
        if any(first[key] != row[key] for key in ("metrics", "checkpoint")):
            self.problems.append(
                f"{name}: another result of the same run and label was read before, and it "
                "differs; the first one counts"
            )
        if first is row:
            self.logs.setdefault(record.run, run / "log.jsonl")
            self.runs.setdefault(record.run, run_summary)
            self.sweeps.setdefault(record.run, points)

    def _read_failure(self, run: Path, short: str) -> None:
        failure = self._json(run / "failure.json", short)
        spec = self._json(run / "spec.json", short) if (run / "spec.json").is_file() else {}
        stem, _, identity = run.name.rpartition("-")
        fields = {name: str(spec.get(name, "")) for name in Failure._fields}
        fields |= {"run": identity, "method": fields["method"] or stem}
        fields |= {name: _line(str(failure.get(name, ""))) for name in ("stage", "reason")}
        self.failures.append(Failure(**fields))

    def _json(self, path: Path, short: str) -> dict:
        try:
            return read_object(path)
        except (OSError, ValueError) as error:
            why = str(error).replace(str(path), path.name)
            self.problems.append(_line(f"{short}/{path.name} is not JSON: {why}"))
        return {}


def _line(text: str, name: str = "") -> str:
    text = " ".join(text.split())
    return text if name in text else f"{name}: {text}"
