"""Optimisers by name; a recipe names one.

One of one's own is a function ``optimiser(parameters, recipe) -> torch.optim.Optimizer``, put into
`OPTIMISERS` by ``zoo.register("optimiser", function)`` or by a plugin.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from benchmark.recipe import Recipe

SGD_MOMENTUM = 0.9


def adam(parameters: Iterable[nn.Parameter], recipe: "Recipe") -> torch.optim.Optimizer:
    """Adam; weight decay is an L2 penalty in the gradient."""
    return torch.optim.Adam(parameters, lr=recipe.lr, weight_decay=recipe.weight_decay)


def adamw(parameters: Iterable[nn.Parameter], recipe: "Recipe") -> torch.optim.Optimizer:
    """AdamW; weight decay is taken off the weights themselves."""
    return torch.optim.AdamW(parameters, lr=recipe.lr, weight_decay=recipe.weight_decay)


def sgd(parameters: Iterable[nn.Parameter], recipe: "Recipe") -> torch.optim.Optimizer:
    """SGD with Nesterov momentum 0.9."""
    return torch.optim.SGD(
        parameters,
        lr=recipe.lr,
        momentum=SGD_MOMENTUM,
        weight_decay=recipe.weight_decay,
        nesterov=True,
    )


Optimiser = Callable[[Iterable[nn.Parameter], "Recipe"], torch.optim.Optimizer]
OPTIMISERS: dict[str, Optimiser] = {"adam": adam, "adamw": adamw, "sgd": sgd}
