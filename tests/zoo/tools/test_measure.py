"""A network in memory embedded, scored and costed."""

import pytest
import torch

import zoo
from benchmark import embed
from tests.zoo.shelf import BACKBONE
from zoo.experiment.network import load_weights


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return zoo.create("sta", backbone=BACKBONE)


def test_a_network_in_memory_scores_as_the_run_that_it_is_of(finished_run, people):
    model = load_weights(finished_run.spec(), finished_run.weights)
    data = zoo.open_dataset("folder", people)
    clip = {"frames": "chunk-first4", "height": 64, "width": 32, "device": "cpu", "workers": 0}
    found = zoo.embed(model, data, **clip)
    (file,) = finished_run.all_embeddings()
    assert torch.equal(torch.as_tensor(found.metric), torch.as_tensor(embed.load(file).metric))
    (entry,) = finished_run.read_records()
    scores = zoo.score(found, "open")
    assert {name: scores[name] for name in entry.metrics} == entry.metrics
    assert (scores["queries"], scores["gallery"]) == (entry.queries, entry.gallery)
    assert zoo.score(found, "open", rerank="kr(4,2,0.3)").name == "open"


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"protocol": "opne"}, "did you mean open"), ({"distance": "cos"}, "did you mean cos-bn")],
)
def test_an_unknown_rule_is_refused(finished_run, changes, says):
    (file,) = finished_run.all_embeddings()
    with pytest.raises(LookupError, match=says):
        zoo.score(embed.load(file), **changes)


def test_an_unknown_frame_rule_or_device_is_refused(model, people):
    data = zoo.open_dataset("folder", people)
    with pytest.raises(ValueError, match="unknown frame rule"):
        zoo.embed(model, data, frames="middle", device="cpu")
    with pytest.raises(ValueError, match="device 'tpu' is not here"):
        zoo.embed(model, data, device="tpu")


def test_a_network_is_costed_and_left_as_it_was(model):
    model.train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    found = zoo.cost(model, frames=4, height=64, width=32, device="cpu")
    assert (found.frames, found.height, found.width) == (4, 64, 32) and found.gmacs > 0
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_a_run_is_scored_on_any_data_from_python(finished_run, crowd):
    data = zoo.open_dataset("folder", crowd)
    found = zoo.score_on(finished_run.path, data, device="cpu", workers=0)
    (row,) = found.to_dict("records")
    assert (row["dataset"], row["trained_on"], row["queries"]) == ("folder", "folder", 2)
    assert 0 <= row["mAP"] <= 1
