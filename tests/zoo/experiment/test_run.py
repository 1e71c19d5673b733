"""One run: each stage does what is not there yet, and no more."""

import dataclasses
import json
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmark import files
from benchmark.recipe import Evaluation
from benchmark.recipes import QUICK, RECIPES, replace
from zoo.experiment.data import open_dataset
from zoo.experiment.folder import RunFolder
from zoo.experiment.options import ExecutionOptions, Scoring
from zoo.experiment.run import Run

OPEN = Scoring(evaluation=Evaluation(), protocols=("open",))


@pytest.fixture
def run(finished_run, people):
    """The finished run, in a folder that may be changed."""
    options = ExecutionOptions(workers=0, command="later")
    return Run(finished_run.spec(), open_dataset("folder", people), options, finished_run)


def written(run):
    return {path: path.stat().st_mtime_ns for path in run.folder.path.rglob("*.safetensors")}


def test_a_trained_run_is_not_trained_again(run):
    before = written(run)
    assert run.train() == run.folder.weights and written(run) == before


def test_other_frames_are_embedded_anew_and_other_distances_are_not(run):
    before = written(run)
    run.score(dataclasses.replace(OPEN, evaluation=Evaluation(distance="l2sq-raw")))
    assert written(run) == before
    run.score(dataclasses.replace(OPEN, evaluation=Evaluation(frames="all2")))
    (new,) = set(written(run)) - set(before)
    assert new.name == "embeddings-all2.safetensors"


def test_embeddings_of_other_weights_are_not_taken(run):
    state = load_file(run.folder.weights)
    state["head.classifier.weight"] += 1
    save_file(state, run.folder.weights)
    summary = run.folder.summary()
    del summary["weights"]  # as before hashes were written there
    run.folder.write_summary(summary)
    (entry,) = run.score(OPEN)
    key = run.embed(Evaluation()).key
    assert entry.checkpoint == key["weights"] == files.sha256(run.folder.weights)


@pytest.mark.parametrize("damage", ["cut", "altered", "checkpoint too"])
def test_damaged_weights_are_named_and_set_aside_and_made_again(run, capsys, damage):
    path, notes = run.folder.weights, []
    whole = path.read_bytes()
    run.progress = SimpleNamespace(
        note=notes.append, begin=lambda *_: None, advance=lambda *_: None
    )
    path.write_bytes(whole[:-9] if damage == "cut" else whole[:-9] + bytes(9))
    if damage == "checkpoint too":
        run.folder.training_checkpoint.write_bytes(b"PK")
    assert run.train() == path and path.read_bytes() == whole
    assert notes[0].startswith(f"  {path} is damaged (its sha256 is not ")
    assert notes[0].endswith("set aside as weights.safetensors.damaged")
    assert len(notes) == (2 if damage == "checkpoint too" else 1)
    assert path.with_name("weights.safetensors.damaged").is_file()


@pytest.mark.parametrize("text", ["", "{", "[1]", '"run"', "[" * 100_000])
def test_a_damaged_summary_is_set_aside_and_written_again(run, text):
    before, summary = written(run), run.folder.path / "run.json"
    summary.write_text(text)
    (entry,) = run.score(OPEN)
    assert entry.selection == "last epoch" and json.loads(summary.read_text())["id"] == run.spec.id
    assert set(before) == set(written(run))
    assert summary.with_name("run.json.damaged").read_text() == text


def test_a_record_made_later_carries_its_own_command_commit_environment_and_cost(run, monkeypatch):
    (first,) = run.folder.read_records()
    monkeypatch.setattr("zoo.experiment.provenance.commit", lambda: "a later revision")
    threads = {"device": "cpu", "threads": 99}
    monkeypatch.setattr("zoo.experiment.provenance.environment", lambda *_: threads)
    (later,) = run.score(dataclasses.replace(OPEN, evaluation=Evaluation(frames="even2")))
    assert (later.command, later.commit, later.cost["frames"]) == ("later", "a later revision", 2)
    assert later.environment | threads == later.environment
    assert first.command.startswith("zoo bench") and first.cost["frames"] == 4
    assert first in run.folder.read_records(), "the earlier one stays as it was"


def test_a_run_keeps_to_its_stored_settings_whatever_the_recipe_says_today(run, monkeypatch):
    other = replace(QUICK, {"height": 32, "width": 16, "frames": 2, "channels": (8, 8, 8, 8)})
    monkeypatch.setitem(RECIPES, "quick", other)
    assert (run.recipe.height, str(run.rule(Evaluation()))) == (64, "chunk-first4")
    (entry,) = run.score(OPEN)
    assert entry.label == "open@1/cos-bn/chunk-first4"
    key = run.embed(Evaluation(frames="even")).key
    assert (key["height"], key["frames_rule"]) == (64, "even4")


def test_weights_say_whose_they_are(run):
    with run.folder.weights.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        about = json.loads(json.loads(file.read(size))["__metadata__"]["about"])
    assert about == {"method": "sta", "backbone": run.spec.backbone, "run": run.spec.id}


def test_an_interrupted_training_ends_with_the_same_bits(run, people, tmp_path, monkeypatch):
    from benchmark import training_state

    folder = RunFolder(tmp_path / "cut")
    monkeypatch.setattr(training_state, "SAVE_EVERY", 0.0)

    class Cut:
        def advance(self, what, done, total):
            if done > total // 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Run(run.spec, run.dataset, run.options, folder, Cut()).train()
    assert folder.training_checkpoint.is_file() and not folder.weights.exists()
    Run(run.spec, run.dataset, run.options, folder).train()
    first, second = load_file(run.folder.weights), load_file(folder.weights)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert folder.weights.read_bytes() == run.folder.weights.read_bytes()


def test_a_run_takes_only_the_data_and_the_weights_that_it_is_specified_with(run, tmp_path):
    with pytest.raises(ValueError, match="the run was specified on"):
        Run(run.spec, run.dataset.limited(2), run.options, run.folder)
    taken = dataclasses.replace(run.spec, checkpoint=f"sta.x@{'0' * 64}")
    for fetch in (None, lambda: run.folder.weights):
        other = Run(taken, run.dataset, run.options, RunFolder(tmp_path / "o"), fetch=fetch)
        with pytest.raises(ValueError, match="is not the run's checkpoint"):
            other.train()
    assert not (tmp_path / "o" / "weights.safetensors").exists()
