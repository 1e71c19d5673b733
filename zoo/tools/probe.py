"""Networks made ready to be probed: nothing hides behind a zero, and clips come again."""

import torch
from torch import nn

NEARLY_ZERO = 1e-5


def prepare(model: nn.Module, clips: torch.Tensor) -> None:
    """What a model does before its first step of training, with one clip of each class."""
    tracklets = torch.arange(len(clips))
    work = model.preparation(tracklets) if hasattr(model, "preparation") else None
    if work is not None:
        work.add(clips, tracklets)
        work.finish()


def redraw_small(model: nn.Module) -> None:
    """Draw layers that start at zero, or near it, anew, so that nothing hides behind them.

    A gradient is a product of weights: behind some matrices of 0.02, as transformers start, it is
    lost in rounding, and so it is behind the scales of 1e-6 that ConvNeXts start with.
    """
    with torch.no_grad():
        for parameter in model.parameters():
            usual = parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 0.0
            if parameter.requires_grad and parameter.abs().max() < NEARLY_ZERO:
                parameter.normal_(std=0.5)
            elif parameter.requires_grad and parameter.ndim > 1 and parameter.std() < usual / 2:
                parameter.normal_(std=usual)


def stir_norms(model: nn.Module) -> None:
    """Give BatchNorms running statistics as after training, so that none is an identity."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)


def random_clips(*shape: int) -> torch.Tensor:
    """Clips that are the same each time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))
