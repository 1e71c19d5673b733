"""Training and embedding as several processes share them."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from benchmark import embed
from benchmark.clips import frame_rule
from benchmark.cost import timing
from benchmark.progress import SILENT
from tests.conftest import TINY
from tests.processes import on_processes
from tests.zoo.conftest import ask
from zoo.experiment import stages
from zoo.experiment.bench import carry_out
from zoo.experiment.data import open_dataset
from zoo.experiment.folder import RunFolder
from zoo.experiment.network import load_weights
from zoo.experiment.options import ExecutionOptions
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.processes import lead
from zoo.experiment.spec import specify
from zoo.experiment.stages import FIRST_STAGE, Embedding, embed_by, embed_run, train_network


def work_of(run, people):
    return Embedding(
        dataset=open_dataset("folder", people),
        rule=frame_rule("chunk-first4"),
        key={"frames_rule": "chunk-first4"},
        height=run.spec().settings["height"],
        width=run.spec().settings["width"],
    )


def test_a_network_is_trained_to_the_weights_of_its_run(finished_run, people, tmp_path):
    options = ExecutionOptions(workers=0)
    data = open_dataset("folder", people)
    (tmp_path / "again").mkdir()
    training, weights = train_network(finished_run.spec(), data, options, tmp_path / "again")
    stored = load_file(finished_run.weights)
    assert all(torch.equal(stored[name], weights[name]) for name in stored)
    assert (training.processes, training.compiled, training.synchronised) == ((1,), False, False)


def test_a_run_begins_with_the_weights_that_its_first_stage_ended_with(
    people, tmp_path, monkeypatch
):
    began, ended = [], []

    def train(model, *arguments, **options):
        began.append({k: v.clone() for k, v in model.state_dict().items()})
        summary = stages_train(model, *arguments, **options)
        ended.append({k: v.clone() for k, v in model.state_dict().items()})
        return summary

    stages_train = stages.train
    monkeypatch.setattr(stages, "train", train)
    staged = recipe("quick", TINY | {"epochs": 1, "first_stage": "nvan"})
    data = open_dataset("folder", people)
    spec, options = specify("stenvan", staged, data), ExecutionOptions(workers=0)
    _, weights = train_network(spec, data, options, tmp_path)
    assert all(torch.equal(began[1][name], ended[0][name]) for name in ended[0])
    assert any(not torch.equal(weights[name], ended[0][name]) for name in ended[0])
    assert (tmp_path / FIRST_STAGE / "log.jsonl").is_file() and (tmp_path / "log.jsonl").is_file()


def test_what_a_run_embeds_is_what_its_network_embeds(finished_run, people):
    work, options = work_of(finished_run, people), ExecutionOptions(workers=0)
    by_run = embed_run(finished_run.spec(), work, options, weights=finished_run.weights)
    network = load_weights(finished_run.spec(), finished_run.weights)
    by_network = embed_by(network, work, options)
    stored = embed.load(finished_run.embeddings(work.rule))
    for other in (by_network, stored):
        assert np.array_equal(by_run.embedding, other.embedding)


def compile_nothing(model):
    """As torch.compile, without the minute that it takes."""
    return torch.nn.Sequential(model)


def test_a_compiled_training_says_so(finished_run, people, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "compile", compile_nothing)
    options = ExecutionOptions(workers=0, compile=True)
    data = open_dataset("folder", people)
    training, weights = train_network(finished_run.spec(), data, options, tmp_path)
    assert training.compiled
    assert weights.keys() == load_file(finished_run.weights).keys()


# ---- on several processes ------------------------------------------------------------------------


def bench_on_two(folder, people):
    for name, value in {"ATTEMPTS": 1, "MOST_SECONDS": 0.05, "BATCHES": (1,)}.items():
        setattr(timing, name, value)
    result = lead(lambda: carry_out(ask(people, folder / "out", validate=1), SILENT))
    if result is not None:
        assert result.failures == ()


@pytest.fixture(scope="module")
def on_two(crowd, tmp_path_factory):
    """The result folder of a bench on two processes."""
    place = tmp_path_factory.mktemp("two")
    statuses, lines = on_processes(2, bench_on_two, place, crowd)
    assert statuses == [0, 0], lines
    return place / "out"


def test_the_number_of_processes_is_no_part_of_a_run_and_stands_in_its_record(
    on_two, crowd, tmp_path
):
    alone = carry_out(ask(crowd, tmp_path / "out", validate=1), SILENT)
    (spec,) = [run.spec for run in alone.runs]
    (one,) = alone.records
    folder = RunFolder.of(spec, on_two)
    (two,) = folder.read_records()
    assert (one.run, one.processes, one.notes) == (two.run, 1, [two.notes[0]])
    assert two.processes == 2
    assert two.notes[1] == "trained by 2 processes, BatchNorm of each process apart"


def test_vectors_of_two_processes_are_those_of_one_with_the_same_weights(on_two, crowd):
    (path,) = (on_two / "runs").iterdir()
    folder = RunFolder(path)
    options = ExecutionOptions(workers=0)
    again = embed_run(folder.spec(), work_of(folder, crowd), options, weights=folder.weights)
    stored = embed.load(folder.embeddings(frame_rule("chunk-first4")))
    assert np.array_equal(stored.embedding, again.embedding)
    assert np.array_equal(stored.row, again.row)


def test_epochs_are_scored_once_for_all_processes(on_two):
    (path,) = (on_two / "runs").iterdir()
    lines = [json.loads(line) for line in RunFolder(path).log.read_text().splitlines()]
    assert [set(line) >= {"validation_mAP", "validation_R1"} for line in lines] == [True]
