"""Each optimiser's first steps, computed by hand."""

import math

import pytest
import torch
from torch import nn

from benchmark.optimisers import OPTIMISERS, parameters_of
from benchmark.recipe import Recipe

LR, DECAY = 0.1, 0.01


def steps(name, gradients, start=2.0):
    """Where one weight stands after a step for each gradient of the loss."""
    weight = nn.Parameter(torch.tensor(start))
    recipe = Recipe(name="test", optimiser=name, lr=LR, weight_decay=DECAY)
    optimiser = OPTIMISERS[name]([weight], recipe)
    for gradient in gradients:
        weight.grad = torch.tensor(gradient)
        optimiser.step()
    return weight.item()


def test_sgd_is_nesterovs_with_the_decay_in_the_gradient():
    first = 0.5 + DECAY * 2.0
    weight = 2.0 - LR * (first + 0.9 * first)
    second = 0.25 + DECAY * weight
    momentum = 0.9 * first + second
    weight -= LR * (second + 0.9 * momentum)
    assert steps("sgd", [0.5, 0.25]) == pytest.approx(weight, rel=1e-6)


def test_adams_first_step_is_the_rate_whatever_the_gradient():
    for gradient in (0.5, 50.0):
        assert steps("adam", [gradient]) == pytest.approx(2.0 - LR, rel=1e-5)


def test_adam_sees_the_decay_as_a_gradient_and_adamw_takes_it_off_the_weight():
    assert steps("adam", [0.0]) == pytest.approx(2.0 - LR, rel=1e-5)
    assert steps("adamw", [0.0]) == pytest.approx(2.0 * (1 - LR * DECAY), rel=1e-6)


def test_adam_averages_gradients_and_their_squares():
    gradients, weight, m, v = [0.5, -0.2, 0.1], 2.0, 0.0, 0.0
    for t, gradient in enumerate(gradients, start=1):
        g = gradient + DECAY * weight
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        weight -= LR * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
    assert steps("adam", gradients) == pytest.approx(weight, rel=1e-5)


def test_an_optimiser_of_ones_own_may_stand_in_a_recipe(monkeypatch):
    monkeypatch.setitem(OPTIMISERS, "rprop", lambda p, recipe: torch.optim.Rprop(p, lr=recipe.lr))
    assert steps("rprop", [0.5]) == pytest.approx(2.0 - LR)
    monkeypatch.delitem(OPTIMISERS, "rprop")
    with pytest.raises(ValueError, match="optimiser is 'rprop', expected one of adam, adamw, sgd"):
        Recipe(name="test", optimiser="rprop")


class Towered(nn.Module):
    """Two layers, one of them a tower; its bias is fixed."""

    def __init__(self):
        super().__init__()
        self.tower, self.other = nn.Linear(2, 2), nn.Linear(2, 2)
        self.tower.bias.requires_grad_(False)


def test_a_tower_with_a_rate_of_its_own_is_a_group_of_its_own():
    model = Towered()
    others, tower = parameters_of(model, Recipe(name="test", tower_lr=0.05))
    assert (others["share"], tower["share"]) == (1.0, 0.05)
    assert [id(p) for p in tower["params"]] == [id(model.tower.weight)]
    assert [id(p) for p in others["params"]] == [id(p) for p in model.other.parameters()]


def test_a_tower_is_found_wherever_it_stands():
    model = nn.Sequential(nn.Linear(2, 2), Towered())
    others, tower = parameters_of(model, Recipe(name="test", tower_lr=0.05))
    assert [id(p) for p in tower["params"]] == [id(model[1].tower.weight)]
    assert len(others["params"]) == 4


def test_without_a_rate_or_a_tower_of_its_own_there_is_one_list_of_what_is_trained():
    model, plain = Towered(), nn.Linear(2, 2)
    wanted = [model.tower.weight, *model.other.parameters()]
    found = parameters_of(model, Recipe(name="test"))
    assert [id(p) for p in found] == [id(p) for p in wanted]
    assert len(parameters_of(plain, Recipe(name="test", tower_lr=0.05))) == 2


def test_every_optimiser_takes_groups():
    for make in OPTIMISERS.values():
        recipe = Recipe(name="test", tower_lr=0.5)
        assert len(make(parameters_of(Towered(), recipe), recipe).param_groups) == 2


def test_on_a_cpu_no_optimiser_is_another_than_torchs_own():
    for name in ("adam", "adamw"):
        recipe = Recipe(name="test")
        made = OPTIMISERS[name](parameters_of(nn.Linear(2, 2), recipe), recipe)
        assert made.defaults["fused"] is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("rate", [1.0, 0.5])
def test_on_a_gpu_adam_is_fused(rate):
    for name in ("adam", "adamw"):
        recipe = Recipe(name="test", tower_lr=rate)
        made = OPTIMISERS[name](parameters_of(Towered().cuda(), recipe), recipe)
        assert all(group["fused"] for group in made.param_groups)
