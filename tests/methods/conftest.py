"""Narrow networks in which nothing is zero, and the yardstick of all equation tests."""

import pytest
import timm
import torch
from torch import nn

NORMS = nn.modules.batchnorm._BatchNorm


@pytest.fixture
def error():
    """Norm-wise relative error of a result against a float64 reference."""

    def relative(found, wanted):
        assert found.shape == wanted.shape, (list(found.shape), list(wanted.shape))
        return ((found.detach().double() - wanted).norm() / wanted.norm()).item()

    return relative


@pytest.fixture
def draw():
    """Random tensors that are the same in every run, whichever tests run before."""
    generator = torch.Generator().manual_seed(3)

    def normal(*shape):
        return torch.randn(*shape, generator=generator)

    return normal


@pytest.fixture
def wake():
    """Gives BatchNorms statistics and weights as after training and draws what starts at 0 anew.

    Without it, a residual branch behind a BatchNorm of weight 0 would hide whatever is in it.
    """

    def awake(model, seed=0):
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for module in model.modules():
                if isinstance(module, NORMS):
                    module.running_mean.normal_(0, 0.3, generator=generator)
                    module.running_var.uniform_(0.5, 1.5, generator=generator)
                    module.weight.uniform_(0.5, 1.5, generator=generator)
                    if module.bias.requires_grad:
                        module.bias.normal_(0, 0.3, generator=generator)
            for parameter in model.parameters():
                if parameter.requires_grad and not parameter.any():
                    parameter.normal_(0, 0.1, generator=generator)
        return model.eval()

    return awake


@pytest.fixture
def narrow():
    """A narrow ResNet-50; the blocks of its stages by argument."""

    def resnet(layers=(1, 2, 3, 1), channels=(4, 8, 8, 16), name="resnet50"):
        torch.manual_seed(0)
        return timm.create_model(name, channels=channels, layers=layers)

    return resnet


@pytest.fixture(autouse=True)
def same_layers():
    """Layers that a test builds are the same in every run and order."""
    torch.manual_seed(0)
