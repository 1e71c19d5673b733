"""What every engine is given, and how a job is attempted."""

import pytest

from benchmark.progress import SILENT
from zoo.experiment.data import open_dataset, source_of
from zoo.experiment.engines.job import Job, Place, attempt
from zoo.experiment.options import ExecutionOptions


def tried(work, tmp_path):
    place = Place(out=tmp_path, datasets={}, options=ExecutionOptions(), progress=SILENT)
    return attempt(Job(title="t", work=work), 3, place)


def test_what_a_job_returns_is_its_outcome(tmp_path):
    found = tried(lambda place: place.out, tmp_path)
    assert (found.number, found.value, found.stage) == (3, tmp_path, None)


def test_a_method_s_failure_tells_its_stage_and_place_in_one_line(tmp_path):
    def work(place):
        place.progress.advance("train", 1, 2)
        raise RuntimeError("first\n  second")

    found = tried(work, tmp_path)
    assert (found.value, found.stage) == (None, "train")
    assert found.reason.startswith(f"RuntimeError: first second ({__file__}:")


def test_a_full_disk_is_no_method_s_failure(tmp_path):
    def work(place):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        tried(work, tmp_path)


def test_a_data_set_with_a_name_is_sent_by_name_and_one_without_whole(people):
    dataset = open_dataset("folder", people)
    named = source_of(dataset, {dataset.fingerprint: people}).packed()
    assert (named.name, named.root, named.dataset) == ("folder", people, None)
    assert source_of(dataset, {}).packed().dataset is dataset
