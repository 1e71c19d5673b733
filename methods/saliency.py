"""SINet's salient-to-broad module: what early frames attend to, late frames turn away from.

Bai, Ma, Chang, Huang, Chen: "Salient-to-Broad Transition for Video Person Re-identification",
CVPR 2022. A convolution kernel is made of the early frames' cells; where it answers more strongly
than on average, the late frames are damped; then both sides learn of each other's mean. The steps
below are those of the authors' released networks.

Decisions, not the authors':
    * a clip of any multiple of four frames is cut into groups of four, each with its own gate and
      kernel; theirs takes 4 or 8;
    * where nothing is damped, nothing is passed on to the early frames; theirs divides 0 by 0;
    * the convolution before BatchNorm has no bias, which would be a shift of BatchNorm's mean;
    * everything is computed in float32 also under autocast.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from methods.non_local import AttentionMaps
from methods.precision import at_least_float32, without_autocast

GROUP = 4  # frames that are divided into early and late ones
EPS = 1e-12  # least sum that an L1 norm divides by
SHARPNESS = 5.0  # of the damping: the most salient cells keep exp(-5)
EXCHANGE = 0.1  # how much of the other side's mean is added


class SalientToBroad(nn.Module):
    """SBM: damps in the late frames of each group of four what is salient in the early ones.

    Args:
        channels: C.
        split: the last early frame, 0, 1 or 2.

    Raises:
        ValueError: the split leaves no late frame.
    """

    def __init__(self, channels: int, split: int):
        super().__init__()
        if split not in range(GROUP - 1):
            raise ValueError(f"split is {split}, expected 0, 1 or 2")
        self.early = split + 1
        self.kernel = nn.Sequential(
            nn.Conv2d(channels, 9, 1, bias=False), nn.BatchNorm2d(9), nn.ReLU()
        )
        hidden = channels // 4
        self.gate = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Sigmoid()
        )
        for layer in (self.kernel[0], self.gate[0], self.gate[2]):
            nn.init.normal_(layer.weight, std=(2 / len(layer.weight)) ** 0.5)

    def forward(
        self, x: Tensor, frames: int, *, maps: AttentionMaps | None = None, name: str = ""
    ) -> Tensor:
        """[B*T, C, H, W] -> the same; T = ``frames`` must be a multiple of four.

        With ``maps``, what the late frames keep of each cell, 0..1, is noted under
        ``<name>_kept``, and each early cell's share in the kernel under ``<name>_kernel_shares``:
        over the early frames of a group it sums to 1, or less where one of the nine has no cell at
        all. Both are [B, T, H, W].
        """
        with without_autocast(x):
            full = at_least_float32(x).unflatten(0, (-1, GROUP))  # [G, 4, C, H, W]
            gate = self.channel_gate(full)[:, None, :, None, None]  # [G, 1, C, 1, 1]
            early, late = full[:, : self.early], full[:, self.early :]
            kernel, shares = self.kernel_of((early * gate).relu())
            kept = damping(responses(kernel, (late * gate).relu()))  # [G, l, H, W]
            out = torch.cat(exchange(early, late, kept[:, :, None]), 1)  # [G, 4, C, H, W]
        if maps is not None:
            kept = torch.cat([torch.ones_like(shares), kept], 1)  # [G, 4, H, W]
            shares = F.pad(shares, (0, 0, 0, 0, 0, GROUP - self.early))
            maps[f"{name}_kept"] = kept.flatten(0, 1).unflatten(0, (-1, frames))
            maps[f"{name}_kernel_shares"] = shares.flatten(0, 1).unflatten(0, (-1, frames))
        return out.flatten(0, 1).to(x.dtype)

    def channel_gate(self, x: Tensor) -> Tensor:
        """[G, 4, C, H, W] -> [G, C]: 0 for channels that are stronger on the border than inside."""
        mean = x.mean((1, 3, 4))
        inner = x[..., 1:-1, 1:-1].mean((1, 3, 4))
        return self.gate(mean) * (inner / (mean + 1e-8) > 1)

    def kernel_of(self, early: Tensor) -> tuple[Tensor, Tensor]:
        """Kernel [G, C, 9], entry 3·row + column, and each cell's share in it, [G, e, H, W].

        Args:
            early: [G, e, C, H, W], gated.
        """
        groups, _, _, *size = early.shape
        w = self.kernel(early.flatten(0, 1)).unflatten(0, (groups, -1))  # [G, e, 9, H, W]
        w = w.transpose(1, 2).flatten(2)  # [G, 9, e*H*W]
        w = F.normalize(w, p=1, dim=1, eps=EPS)  # of each cell over the nine, and only then
        w = F.normalize(w, p=1, dim=2, eps=EPS)  # each of the nine over the cells
        cells = early.transpose(1, 2).flatten(2)  # [G, C, e*H*W]
        return cells @ w.transpose(1, 2), w.mean(1).unflatten(1, (self.early, *size))


def responses(kernel: Tensor, late: Tensor) -> Tensor:
    """Cross-correlation of each map with its group's 3×3 kernel, over nine; borders replicated.

    [G, C, 9] and [G, l, C, H, W] -> [G, l, H, W].
    """
    _, frames, _, height, width = late.shape
    products = kernel.transpose(1, 2) @ late.transpose(1, 2).flatten(2)  # [G, 9, l*H*W]
    products = products.unflatten(2, (frames, height, width)).flatten(0, 1)  # [G*9, l, H, W]
    padded = F.pad(products, (1, 1, 1, 1), mode="replicate").unflatten(0, (-1, 9))
    shifted = [
        padded[:, 3 * row + column, :, row : row + height, column : column + width]
        for row in range(3)
        for column in range(3)
    ]
    return torch.stack(shifted).sum(0) / 9


def damping(response: Tensor) -> Tensor:
    """What is kept of a cell: 1 where it is no more salient than average, down to exp(-5).

    [G, l, H, W] -> the same.
    """
    _, _, height, width = response.shape
    salience = response.flatten(2).softmax(2).clamp_min(1e-4)  # [G, l, H*W]
    below = (1 / (salience * height * width) - 1).clamp(max=0)
    return (SHARPNESS * below).exp().unflatten(2, (height, width))


def exchange(early: Tensor, late: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
    """Early frames with the mean of what was damped, late ones damped and with the early mean.

    Args:
        early: [G, e, C, H, W].
        late: [G, l, C, H, W].
        kept: [G, l, 1, H, W].
    """
    damped = 1 - kept
    share = damped.mean((1, 3, 4))  # [G, 1]
    lost = (damped * late).mean((1, 3, 4)) / torch.where(share > 0, share, 1)  # [G, C]
    seen = early.mean((1, 3, 4))  # [G, C]
    lost, seen = (EXCHANGE * mean[:, None, :, None, None] for mean in (lost, seen))
    return early + lost, late * kept + seen
