"""Optimisers by name; a recipe names one.

One of one's own is a function ``optimiser(parameters, recipe) -> torch.optim.Optimizer``, put into
`OPTIMISERS` by ``zoo.register("optimiser", function)`` or by a plugin. What it is told is what
every optimiser of torch takes: parameters, or groups of them.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from benchmark.recipe import Recipe

SGD_MOMENTUM = 0.9

Parameters = Iterable[nn.Parameter] | Iterable[dict[str, Any]]


def parameters_of(model: nn.Module, recipe: "Recipe") -> Parameters:
    """What is trained of a network; in two groups if a ``tower`` in it has a rate of its own.

    A group's ``share`` is its rate's share of the recipe's.
    """
    wanted = [p for p in model.parameters() if p.requires_grad]
    towers = [part.tower for part in model.modules() if hasattr(part, "tower")]
    if recipe.tower_lr == 1 or not towers:
        return wanted
    tower = {p for one in towers for p in one.parameters()}
    return [
        {"params": [p for p in wanted if p not in tower], "share": 1.0},
        {"params": [p for p in wanted if p in tower], "share": recipe.tower_lr},
    ]


def adam(parameters: Parameters, recipe: "Recipe") -> torch.optim.Optimizer:
    """Adam; weight decay is an L2 penalty in the gradient. On a GPU one kernel for all weights."""
    found: list[Any] = list(parameters)
    return torch.optim.Adam(
        found, lr=recipe.lr, weight_decay=recipe.weight_decay, fused=_on_gpu(found) or None
    )


def adamw(parameters: Parameters, recipe: "Recipe") -> torch.optim.Optimizer:
    """AdamW; weight decay is taken off the weights themselves. Fused on a GPU, as Adam."""
    found: list[Any] = list(parameters)
    return torch.optim.AdamW(
        found, lr=recipe.lr, weight_decay=recipe.weight_decay, fused=_on_gpu(found) or None
    )


def _on_gpu(parameters: list[Any]) -> bool:
    groups = [one["params"] if isinstance(one, dict) else [one] for one in parameters]
    return bool(groups) and all(p.is_cuda for group in groups for p in group)


def sgd(parameters: Parameters, recipe: "Recipe") -> torch.optim.Optimizer:
    """SGD with Nesterov momentum 0.9."""
    return torch.optim.SGD(
        parameters,
        lr=recipe.lr,
        momentum=SGD_MOMENTUM,
        weight_decay=recipe.weight_decay,
        nesterov=True,
    )


Optimiser = Callable[[Parameters, "Recipe"], torch.optim.Optimizer]
OPTIMISERS: dict[str, Optimiser] = {"adam": adam, "adamw": adamw, "sgd": sgd}
