"""What lies in a result folder: records, runs, logs and failures, and what cannot be read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmark.record import Record, load

METRICS = ("R1", "R5", "R10", "R20", "mAP", "mINP")
COSTS = ("params_m", "gmacs", "latency_ms", "latency_iqr_ms", "clips_per_s", "peak_memory_mb")
RANKS_SHOWN = 20
_TYPES = {
    "run method recipe dataset fingerprint label": str,
    "split seed gallery queries dropped": int,
    "arguments metrics environment": dict,
    "cmc notes": list,
    "cost": dict | None,
    "checkpoint commit command selection": str | None,
}


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


class Point(NamedTuple):
    """A test set that a run was also scored on, with a knob of the data set at some value."""

    knob: str
    value: float
    dataset: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Results:
    """What lies in one or several result folders.

    Attributes:
        frame: one row a record; metrics are fractions, what is not known is NaN, or "" for words.
        runs: ``run.json`` by run id, where there is one.
        logs: the training log's file by run id, read by `log` when it is needed.
        sweeps: the points of each run's sweeps by run id.
        inspections: files that `reports.read.inspection` reads, of queries that were looked at.
        costs: one row for each network that was only counted and timed, as ``zoo cost --json``
            prints them into a file of ``costs/``.
        failures: runs whose last attempt failed.
        unfinished: run folders with neither a record nor a failure: stopped, or still going.
        problems: one line for each file that could not be used, in words.
    """

    frame: pd.DataFrame
    runs: Mapping[str, dict] = field(default_factory=dict)
    logs: Mapping[str, Path] = field(default_factory=dict)
    sweeps: Mapping[str, tuple["Point", ...]] = field(default_factory=dict)
    inspections: tuple[Path, ...] = ()
    costs: pd.DataFrame = field(default_factory=pd.DataFrame)
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
                    data = json.loads(line)
                except ValueError:
                    continue
                if isinstance(data, dict) and isinstance(data.get("epoch"), int):
                    lines.append(data)
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
    rows = sorted(reader.rows.values(), key=lambda row: [row[name] for name in _ORDER])
    return Results(
        frame=pd.DataFrame(rows),
        runs=reader.runs,
        logs=reader.logs,
        sweeps=reader.sweeps,
        inspections=tuple(reader.inspections.values()),
        costs=pd.DataFrame(reader.costs).drop_duplicates(ignore_index=True),
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
        self.costs: list[dict] = []
        self.failures: list[Failure] = []
        self.unfinished: list[str] = []
        self.problems: list[str] = []

    def read(self, folder: Path) -> None:
        """Take in one result folder; its own name is as far up as a problem's path goes."""
        if not (folder / "runs").is_dir():
            self.problems.append(f"{folder.name}: no result folder, it has no runs/")
            return
        for path in sorted(folder.glob("costs/*.json")):
            self._read_costs(path, f"{folder.name}/costs/{path.name}")
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
        took = self._json(run / "run.json", short) if (run / "run.json").is_file() else {}
        points = self._sweeps(run, short)
        for path in paths:
            try:
                record = load(path)
                _check(record, path)
            except (OSError, ValueError, TypeError, AttributeError) as error:
                name = f"{short}/records/{path.name}"
                self.problems.append(_line(str(error).replace(str(path), name), name))
                continue
            self._add(record, took, points, path, f"{short}/records/{path.name}")
        for path in sorted(run.glob("inspect/*/query-*.json")):
            self.inspections.setdefault((run.name, path.parent.name, path.name), path)
        return bool(paths)

    def _sweeps(self, run: Path, short: str) -> tuple[Point, ...]:
        points = []
        for path in sorted(run.glob("sweeps/*.json")):
            data = self._json(path, f"{short}/sweeps")
            try:
                points += [
                    Point(str(data["knob"]), float(p["value"]), p["dataset"], p["fingerprint"])
                    for p in data["points"]
                ]
            except (KeyError, TypeError, ValueError) as error:
                self.problems.append(f"{short}/sweeps/{path.name} is no sweep: {error!r}")
        return tuple(points)

    def _read_costs(self, path: Path, name: str) -> None:
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
            wanted = ("method", "frames", "height", "width", "device", "precision", *COSTS)
            self.costs += [{key: row[key] for key in wanted} for row in rows]
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.problems.append(
                _line(f"{name} does not hold what `zoo cost --json` prints: {error!r}")
            )

    def _add(
        self, record: Record, took: dict, points: tuple[Point, ...], path: Path, name: str
    ) -> None:
        run = path.parent.parent
        row = _row(record, took, points, path)
        key = (record.run, record.label, record.dataset, record.fingerprint)
        first = self.rows.setdefault(key, row)
        if any(first[key] != row[key] for key in ("metrics", "checkpoint")):
            self.problems.append(
                f"{name}: another result of the same run and label was read before, and it "
                "differs; the first one counts"
            )
        if first is row:
            self.logs.setdefault(record.run, run / "log.jsonl")
            self.runs.setdefault(record.run, took)
            self.sweeps.setdefault(record.run, points)

    def _read_failure(self, run: Path, short: str) -> None:
        failure = self._json(run / "failure.json", short)
        spec = self._json(run / "spec.json", short) if (run / "spec.json").is_file() else {}
        stem, _, identity = run.name.rpartition("-")
        told = {name: str(spec.get(name, "")) for name in Failure._fields}
        told |= {"run": identity, "method": told["method"] or stem}
        told |= {name: _line(str(failure.get(name, ""))) for name in ("stage", "reason")}
        self.failures.append(Failure(**told))

    def _json(self, path: Path, short: str) -> dict:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(data, dict):
                return data
            self.problems.append(f"{short}/{path.name} holds no JSON object")
        except (OSError, ValueError) as error:
            self.problems.append(_line(f"{short}/{path.name} is not JSON: {error}"))
        return {}


def _line(text: str, name: str = "") -> str:
    text = " ".join(text.split())
    return text if name in text else f"{name}: {text}"


def _check(record: Record, path: Path) -> None:
    for names, kind in _TYPES.items():
        for name in names.split():
            value = getattr(record, name)
            if not isinstance(value, kind) or isinstance(value, bool):
                raise ValueError(f"{path}: {name} is {value!r}")
    cost = record.cost or {}
    for name in (*COSTS, "best_batch"):
        if not isinstance(cost.get(name), int | float | None):
            raise ValueError(f"{path}: the cost {name} is {cost[name]!r}")
    if not isinstance(cost.get("left_out"), dict | None):
        raise ValueError(f"{path}: left_out of cost is {cost['left_out']!r}")
    if not all(isinstance(share, int | float) and 0 <= share <= 1 for share in record.cmc):
        raise ValueError(f"{path}: a share in cmc is no fraction in [0, 1]")


_KEPT = ("dataset", "fingerprint", "recipe", "label", "method", "origin", "run", "split", "seed")
_KEPT += ("gallery", "queries", "dropped", "metrics", "environment", "notes")
_WORDS = ("checkpoint", "commit", "command", "selection")


def _row(record: Record, took: dict, points: Sequence[Point], path: Path) -> dict:
    """One record as a flat row; the run's cost serves a record that has none."""
    cost = record.cost or (took.get("cost") if isinstance(took.get("cost"), dict) else None) or {}
    row = {name: getattr(record, name) for name in _KEPT}
    row |= {name: getattr(record, name) or "" for name in _WORDS}
    row |= {name: record.metrics.get(name, np.nan) for name in METRICS}
    row |= {name: _number(cost.get(name)) for name in (*COSTS, "best_batch")}
    spec = took.get("spec") if isinstance(took.get("spec"), dict) else {}
    trained = spec.get("dataset", record.dataset), spec.get("fingerprint", record.fingerprint)
    source = "" if trained[1] == record.fingerprint else _apart(*trained, record.dataset)
    swept = {(point.dataset, point.fingerprint) for point in points}
    return row | {
        "training": "paper" if record.recipe.startswith("paper/") else record.recipe,
        "trained_on": trained[0],
        "trained_bits": trained[1],
        "source": source,
        "swept": bool(source) and (record.dataset, record.fingerprint) in swept,
        "built": json.dumps(record.arguments, sort_keys=True),
        "cmc": padded(record.cmc),
        "cost": cost,
        "folder": path.parent.parent.name,
        "per_query": path.parent / record.per_query if record.per_query else None,
    }


def _apart(name: str, bits: str, other: str) -> str:
    """A data set's name, with its fingerprint where the other has the same name."""
    return f"{name} ({bits})" if name == other else name


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else np.nan


def padded(cmc: Sequence[float]) -> np.ndarray | None:
    """The first `RANKS_SHOWN` ranks; a small gallery's curve goes on with its last value."""
    if not len(cmc):
        return None
    return np.array([cmc[min(rank, len(cmc) - 1)] for rank in range(RANKS_SHOWN)], dtype=float)
