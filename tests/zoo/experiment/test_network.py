"""A run's network."""

import dataclasses

import torch
from safetensors.torch import load_file

from tests.zoo.experiment.test_spec import spec_of
from zoo.experiment.network import build, load_weights


def test_the_seed_decides_the_start(finished_run):
    spec = finished_run.spec()
    first, same, other = (build(dataclasses.replace(spec, seed=seed), 4) for seed in (1, 1, 2))
    weights = [model.state_dict()["head.classifier.weight"] for model in (first, same, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_the_trained_network_has_no_classifier_and_evaluates(finished_run):
    model = load_weights(finished_run.spec(), finished_run.weights)
    assert model.head.classifier is None and not model.training
    stored, loaded = load_file(finished_run.weights), model.state_dict()
    assert all(torch.equal(loaded[key], stored[key]) for key in loaded)


def test_the_neck_of_the_recipe_reaches_the_network(finished_run):
    spec = finished_run.spec()
    own = dataclasses.replace(spec, settings=spec.settings | {"neck": "own"})
    assert isinstance(build(own, 0, trained=True).neck, torch.nn.Identity)
    assert isinstance(build(spec, 0, trained=True).neck, torch.nn.BatchNorm1d)


def test_a_transformer_is_built_at_random_where_there_is_no_packaged_start():
    spec = spec_of("clip_vit_avg")
    assert spec.settings["init"] == "synthetic"
    assert build(spec, 2).tower.blocks[0].attn.num_heads == 4
