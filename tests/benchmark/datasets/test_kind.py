from pathlib import Path

from benchmark.datasets.base import Dataset
from benchmark.datasets.kind import DatasetKind, as_kind
from benchmark.progress import SILENT, Progress


def empty(root):
    return Dataset(name="x", train=(), test=(), query=(), fingerprint=str(root), protocol="open")


def plain(root: Path, *, size: int = 3) -> Dataset:
    return empty(f"{root} {size}")


def told(root: Path | None = None, *, progress: Progress = SILENT) -> Dataset:
    progress.advance("reading", 1, 1)
    return empty(root)


def test_a_kind_goes_by_the_name_of_its_function():
    assert DatasetKind(open=plain).name == "plain"


def test_knobs_are_what_is_neither_root_nor_progress():
    assert DatasetKind(open=plain).knobs == {"size": (int, 3)}
    assert DatasetKind(open=told).knobs == {}


def test_progress_is_passed_on_where_it_is_wanted(recorder):
    assert DatasetKind(open=plain).read(Path("r"), {"size": 4}, recorder).fingerprint == "r 4"
    assert recorder.steps == []
    DatasetKind(open=told).read(None, {}, recorder)
    assert recorder.steps == [("reading", 1, 1)]


def test_a_function_gets_the_defaults_and_a_kind_stays_itself():
    kind = as_kind(plain)
    assert (kind.open, kind.self_made, kind.reference_counts) == (plain, False, {})
    assert "without a description" in kind.layout
    assert as_kind(kind) is kind
