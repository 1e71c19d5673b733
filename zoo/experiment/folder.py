"""Where a run keeps what it leaves behind: the one place that knows the names of its files.

    <result folder>/runs/<method>-<run id>/
        spec.json                       what the run is
        checkpoint.pt, preparation.pt, log.jsonl, tensorboard/      training
        weights.safetensors, run.json   trained
        embeddings-<frames>[<other data>].safetensors   embedded
        cost-<clip>-<device>.json       costed
        records/<label>[<other data>].{json,csv}        scored
        sweeps/<knob>.json, inspect/, failure.json

docs/results.md says what each file holds.
"""

import dataclasses
import glob
import json
from pathlib import Path

from benchmark import record
from benchmark.clips import FrameRule
from benchmark.datasets.base import Dataset
from benchmark.datasets.catalogue import parse_name
from benchmark.files import remove_parts, set_aside, write_json, write_text
from benchmark.label import Label
from benchmark.progress import SILENT, Progress
from benchmark.record import Record
from zoo.experiment.spec import RunSpec


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path):
        self.path = Path(path)

    @classmethod
    def of(cls, spec: RunSpec, out: Path) -> "RunFolder":
        """The run's folder in a result folder."""
        return cls(out / "runs" / spec.folder)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def weights(self) -> Path:
        """The trained weights, in float32."""
        return self.path / "weights.safetensors"

    @property
    def summary_file(self) -> Path:
        """See `summary`."""
        return self.path / "run.json"

    @property
    def training_checkpoint(self) -> Path:
        """What an interrupted training goes on from."""
        return self.path / "checkpoint.pt"

    @property
    def log(self) -> Path:
        """One line of JSON an epoch of training."""
        return self.path / "log.jsonl"

    @property
    def records(self) -> Path:
        """Folder of the records and their per-query tables."""
        return self.path / "records"

    @property
    def failure(self) -> Path:
        """Why the run could not be finished, if it could not."""
        return self.path / "failure.json"

    def embeddings(self, rule: FrameRule, suffix: str = "") -> Path:
        """Vectors of every test clip under a frame rule; a suffix names data not its own."""
        return self.path / f"embeddings-{rule}{suffix}.safetensors"

    def all_embeddings(self, start: str = "embeddings-") -> list[Path]:
        """Every embedding file whose name starts so, in alphabetical order."""
        return sorted(self.path.glob(f"{glob.escape(start)}*.safetensors"))

    def cost(self, clip: tuple[int, int, int], device: str, precision: str) -> Path:
        """What a clip (frames, height, width) costs on a kind of device."""
        name = "x".join(map(str, clip))
        return self.path / f"cost-{name}-{device}-{precision}.json"

    def inspection(self, label: Label) -> Path:
        """Folder of the queries that were looked at under a label."""
        return self.path / "inspect" / label.slug

    def sweep(self, knob: str) -> Path:
        """The points of a sweep."""
        return self.path / "sweeps" / f"{knob}.json"

    # ---- reading and writing ---------------------------------------------------------------------

    def begin(self, spec: RunSpec) -> None:
        """Make the folder, write the specification, remove what a kill left half-written."""
        self.path.mkdir(parents=True, exist_ok=True)
        remove_parts(self.path)
        write_json(self.path / "spec.json", spec.as_dict())

    def spec(self) -> RunSpec:
        """The specification.

        Raises:
            FileNotFoundError: the folder is no run.
            ValueError: the specification is none of this version.
        """
        path = self.path / "spec.json"
        if not path.is_file():
            raise FileNotFoundError(
                f"{self.path} is no run: name a folder like "
                "results/synthetic-quick/runs/sta-1a2b3c4d5e6f"
            )
        try:
            return RunSpec(**json.loads(path.read_text(encoding="utf-8")))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} is no run of this version: {error}") from None

    def summary(self, progress: Progress = SILENT) -> dict | None:
        """What training took, where and by which command; None while the run is not trained."""
        return read_json(self.summary_file, progress)

    def write_summary(self, summary: dict) -> None:
        """See `summary`."""
        write_json(self.summary_file, summary)

    def read_records(self) -> list[Record]:
        """Every record, in alphabetical order of the labels."""
        return [record.load(path) for path in sorted(self.records.glob("*.json"))]

    def write_record(self, entry: Record, per_query: str, suffix: str = "") -> Record:
        """Write a record, its per-query table first; returns it with the table's name."""
        stem = Label.parse(entry.label).slug + suffix
        write_text(self.records / f"{stem}.csv", per_query)
        entry = dataclasses.replace(entry, per_query=f"{stem}.csv")
        record.save(entry, self.records / f"{stem}.json")
        return entry


def suffix_of(spec: RunSpec, dataset: Dataset) -> str:
    """What tells files of other data from those of the run's own: empty for its own."""
    if dataset.fingerprint == spec.fingerprint:
        return ""
    name = parse_name(dataset.name).variants[0].slug
    split = f"-split-{dataset.split}" if dataset.split else ""
    return f"--{name[:40]}-{dataset.fingerprint[:8]}{split}"


def read_json(path: Path, progress: Progress = SILENT) -> dict | None:
    """A JSON file of a run, or None where there is none; a damaged one is set aside, and told."""
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
        why: object = f"it holds a {type(found).__name__}, expected a JSON object"
    except (ValueError, RecursionError) as error:
        why = error
    progress.note(f"  {set_aside(path, why)}")
    return None
