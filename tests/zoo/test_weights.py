"""Weights in a file: shared ones once, and nothing but tensors."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from zoo.weights import read_weights, save_weights


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.register_buffer("whole", torch.arange(6.0))
        self.register_buffer("part", self.whole[:3])
        self.register_buffer("turned", self.first.weight.detach().T)
        self.register_buffer("nothing", torch.zeros(0))
        self.register_buffer("nothing_else", torch.zeros(0))


def test_tied_weights_are_stored_once_and_read_under_every_name(tmp_path):
    torch.manual_seed(0)
    model, path = Tied(), tmp_path / "weights.safetensors"
    save_weights(model.state_dict(), path, {"method": "tied"})
    with safe_open(path, "pt") as file:
        assert ("first.weight" in file.keys()) + ("second.weight" in file.keys()) == 1  # noqa: SIM118
    state = model.state_dict()
    found = read_weights(path)
    assert set(found) == set(state)
    assert all(torch.equal(value, state[name]) for name, value in found.items())
    torch.manual_seed(1)
    other = Tied()
    other.load_state_dict(found)
    assert other.second.weight is other.first.weight
    assert torch.equal(other.second.weight, model.first.weight)


def test_the_same_network_gives_the_same_bytes(tmp_path):
    model = Tied()
    for name in "ab":
        save_weights(model.state_dict(), tmp_path / f"{name}.safetensors", {"method": "tied"})
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_saving_leaves_the_network_as_it_was(tmp_path):
    model = Tied()
    save_weights(model.state_dict(), tmp_path / "weights.safetensors", {})
    assert model.second.weight is model.first.weight and model.first.weight.requires_grad


@pytest.mark.parametrize(
    "about", ["[", "[1]", '{"tied": 3}', '{"tied": {"a": "gone"}}', '{"tied": {"a": [1]}}']
)
def test_metadata_that_lie_are_refused_or_tell_nothing(tmp_path, about):
    path = tmp_path / "weights.safetensors"
    save_file({"one": torch.zeros(2)}, path, {"about": about})
    if about == "[1]":
        assert set(read_weights(path)) == {"one"}
    else:
        with pytest.raises(ValueError, match="is no safetensors file"):
            read_weights(path)


def test_a_file_that_was_cut_short_is_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"one": torch.zeros(20)}, path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ValueError, match="is no safetensors file"):
        read_weights(path)
