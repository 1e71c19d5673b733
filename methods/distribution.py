"""Layers of the SINet family on the distribution of a clip's features: IDM and SANet's moments.

Bai, Ma, Chang, Huang, Chen: "Salient-to-Broad Transition for Video Person Re-identification",
CVPR 2022 (IDM); Bai, Ma, Chang, Huang, Shan, Chen: "SANet: Statistic Attention Network for
Video-Based Person Re-identification", TCSVT 2021. Both as in the authors' released networks.

Decisions, not the authors':
    * convolutions before BatchNorm have no bias, which would be a shift of BatchNorm's mean;
    * SANet's deviation is kept above 1e-6, so that a constant channel does not divide by 0.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from methods.non_local import AttentionMaps, tokens
from methods.precision import at_least_float32, without_autocast

MOMENTS = ("mean", "deviation", "moment4", "moment5", "moment6")


class IntegrateDistribution(nn.Module):
    """IDM: a perceptron over all positions of a clip, the same for each of a few channels.

    Args:
        channels: C.
        positions: N = T·H·W.
    """

    def __init__(self, channels: int, positions: int):
        super().__init__()
        narrow, few = max(channels // 16, 1), max(positions // 16, 1)
        self.narrow = nn.Sequential(
            nn.Conv2d(channels, narrow, 1, bias=False), nn.BatchNorm2d(narrow)
        )
        self.gather = nn.Sequential(nn.Conv1d(positions, few, 1, bias=False), nn.BatchNorm1d(few))
        self.spread = nn.Conv1d(few, positions, 1)
        self.widen = nn.Conv2d(narrow, channels, 1)
        start(self.narrow[0], self.gather[0], self.spread)
        nn.init.zeros_(self.widen.weight)
        nn.init.zeros_(self.widen.bias)

    def forward(
        self, x: Tensor, frames: int, *, maps: AttentionMaps | None = None, name: str = ""
    ) -> Tensor:
        """[B*T, C, H, W] -> the same, over the positions of T = ``frames`` frames."""
        a = self.narrow(x)  # [B*T, c, H, W]
        rows = tokens(a, frames)  # [B, N, c]
        rows = self.spread(self.gather(rows)) + rows  # [B, N, c]
        return (x + self.widen(as_map(rows, frames, x))).relu()


class MomentAttention(nn.Module):
    """SANet's block: each position takes what fits it of five statistics of the clip.

    Args:
        channels: C.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.down = nn.Conv2d(channels, channels // 4, 1)
        self.up = nn.Sequential(
            nn.Conv2d(channels // 4, channels, 1, bias=False), nn.BatchNorm2d(channels)
        )
        start(self.down, self.up[0])
        nn.init.zeros_(self.up[1].weight)

    def forward(
        self, x: Tensor, frames: int, *, maps: AttentionMaps | None = None, name: str = ""
    ) -> Tensor:
        """[B*T, C, H, W] -> the same, over T = ``frames`` frames.

        With ``maps``, each position's weights are noted under ``<name>_mean_gates``,
        ``<name>_deviation_gates`` and so on, [B, T, H, W]; the five sum to 1.
        """
        z = self.down(x)
        with without_autocast(x):
            z = tokens(at_least_float32(z), frames)  # [B, N, C/4]
            statistics = moments(z)  # [B, 5, C/4]
            weights = (z @ statistics.transpose(1, 2)).softmax(2)  # [B, N, 5]
            y = as_map(weights @ statistics, frames, x)  # [B*T, C/4, H, W]
        if maps is not None:
            each = weights.transpose(1, 2).unflatten(2, (frames, *x.shape[2:]))
            maps.update({f"{name}_{m}_gates": each[:, i] for i, m in enumerate(MOMENTS)})
        return (x + self.up(y)).relu()


def moments(z: Tensor) -> Tensor:
    """[B, N, d] -> [B, 5, d]: mean, deviation and standardised moments 4, 5, 6, of unit length."""
    mean = z.mean(1, keepdim=True)  # [B, 1, d]
    centred = z - mean
    deviation = centred.square().mean(1, keepdim=True).clamp_min(1e-12).sqrt()
    standard = centred / deviation
    higher = [(standard**order).mean(1, keepdim=True) for order in (4, 5, 6)]
    return F.normalize(torch.cat([mean, deviation, *higher], 1), dim=2)


def as_map(rows: Tensor, frames: int, like: Tensor) -> Tensor:
    """[B, T*H*W, d] -> [B*T, d, H, W], the inverse of `methods.non_local.tokens`."""
    rows = rows.unflatten(1, (frames, -1)).flatten(0, 1).transpose(1, 2)  # [B*T, d, H*W]
    return rows.unflatten(2, like.shape[2:])


def start(*layers: nn.Module) -> None:
    """Weights from N(0, √(2 / outputs)), as the authors do."""
    for layer in layers:
        nn.init.normal_(layer.weight, std=(2 / len(layer.weight)) ** 0.5)
