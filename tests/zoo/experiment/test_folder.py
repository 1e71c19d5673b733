"""A run's folder: the names of its files, and what is no run."""

import dataclasses
import json

import pytest

from benchmark.clips import frame_rule
from zoo.experiment.data import open_dataset
from zoo.experiment.folder import RunFolder, suffix_of


def test_all_that_a_run_leaves_behind_is_where_the_folder_says(finished_run):
    rule, spec = frame_rule("chunk-first4"), finished_run.spec()
    expected = {"spec.json", "run.json", "log.jsonl", "tensorboard"}
    cost = finished_run.cost((4, 64, 32), "cpu", "no")
    named = (finished_run.weights, finished_run.training_checkpoint, finished_run.records)
    expected |= {path.name for path in (*named, cost, finished_run.embeddings(rule))}
    assert {path.name for path in finished_run.path.iterdir()} == expected
    assert finished_run.summary()["id"] == spec.id
    assert finished_run.all_embeddings() == [finished_run.embeddings(rule)]


def test_a_record_names_its_table(finished_run):
    (entry,) = finished_run.read_records()
    assert (finished_run.records / entry.per_query).is_file()
    written = finished_run.write_record(entry, "query,AP\n", "--other-1234")
    assert written.per_query == "open@1_cos-bn_chunk-first4--other-1234.csv"
    assert len(finished_run.read_records()) == 2


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"{tmp_path} is no run: name a folder like"):
        RunFolder(tmp_path).spec()
    assert RunFolder(tmp_path).summary() is None and RunFolder(tmp_path).read_records() == []


@pytest.mark.parametrize("text", ["{", "[]", '{"method": "sta"}'])
def test_a_specification_of_another_version_is_refused(tmp_path, text):
    (tmp_path / "spec.json").write_text(text)
    with pytest.raises(ValueError, match=r"spec.json is no run of this version"):
        RunFolder(tmp_path).spec()


def test_beginning_removes_what_a_kill_left_half_written(finished_run):
    part = finished_run.path / ".weights.abc.part.safetensors"
    part.write_text("half")
    finished_run.begin(finished_run.spec())
    assert not part.exists() and json.loads((finished_run.path / "spec.json").read_text())


def test_files_of_other_data_are_told_from_the_run_s_own(finished_run, people):
    spec, own = finished_run.spec(), open_dataset("folder", people)
    assert suffix_of(spec, own) == ""
    other = dataclasses.replace(own, name="synthetic[occlusion=0.6]", fingerprint="a" * 16)
    assert suffix_of(spec, other) == "--synthetic-occlusion-0.6-aaaaaaaa"
    assert suffix_of(spec, own.limited(2)).startswith("--folder-")
