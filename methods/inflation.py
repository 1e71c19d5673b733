"""From a 2D network to a 3D one that starts with its weights.

Inflated kernels as in Liao et al., 2018, Sec. 3.1: each plane of the 3D kernel is the 2D kernel
divided by the number of planes, so that on a clip of equal frames (away from zero padding in time)
the 3D network puts out what the 2D one does.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from timm.models.resnet import BasicBlock, Bottleneck
from torch import Tensor, nn

from methods.backbone import STAGES, FrameNet

TAPS = 3  # frames that an inflated kernel spans


class ReplicateConv3d(nn.Conv3d):
    """Pads time with copies of the first and the last frame; space as `nn.Conv3d` does."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T, H, W] -> [B, D, T', H', W']."""
        beyond = self.kernel_size[0] // 2
        x = F.pad(x, (0, 0, 0, 0, beyond, beyond), mode="replicate")  # [B, C, T + 2·beyond, H, W]
        padding = (0, *self.padding[1:])
        return F.conv3d(x, self.weight, None, self.stride, padding, groups=self.groups)


@dataclass(frozen=True, kw_only=True)
class Inflation:
    """How 2D layers become 3D ones that start with the 2D layers' weights (Sec. 3.1).

    The fields are the arguments of `methods.resnet3d.resnet3d50` of the same name.
    """

    temporal_padding: str
    factorised: bool
    inflate_pointwise: bool
    stem_frames: int
    pool_frames: int
    temporal_stride: int

    def __post_init__(self):
        if self.temporal_padding not in ("zeros", "replicate"):
            raise ValueError(
                f"temporal_padding is {self.temporal_padding!r}, expected zeros or replicate"
            )
        for name in ("stem_frames", "pool_frames"):
            if (frames := getattr(self, name)) < 1 or frames % 2 == 0:
                raise ValueError(f"{name} is {frames}, expected an odd number")
        if self.temporal_stride not in (1, 2):
            raise ValueError(f"temporal_stride is {self.temporal_stride}, expected 1 or 2")

    def network(self, trunk: FrameNet) -> None:
        """Inflate stem and stages, in place.

        Raises:
            ValueError: there is a layer that has no 3D twin here.
        """
        trunk.conv1 = self.whole(trunk.conv1, self.stem_frames, 1)
        trunk.bn1 = inflated_norm(trunk.bn1)
        trunk.maxpool = inflated_pool(trunk.maxpool, self.pool_frames)
        for stage in STAGES:
            self.blocks(trunk.stage(stage))

    def blocks(self, owner: nn.Module) -> None:
        """Inflate every layer of residual blocks, in place."""
        for name, layer in owner.named_children():
            if isinstance(layer, nn.Sequential | Bottleneck | BasicBlock):
                self.blocks(layer)
            elif isinstance(layer, nn.Conv2d) and layer.bias is None:
                setattr(owner, name, self.convolution(layer))
            elif type(layer) is nn.BatchNorm2d:
                setattr(owner, name, inflated_norm(layer))
            elif next(layer.parameters(), None) is not None or "2d" in type(layer).__name__:
                raise ValueError(
                    f"backbone does not fit: its {name!r}, a {type(layer).__name__}, has no 3D "
                    "twin; take a plain timm ResNet, e.g. resnet50"
                )

    def convolution(self, conv: nn.Conv2d) -> nn.Module:
        """The pair of Fig. 3d, or one kernel."""
        stride = 1 if conv.stride == (1, 1) else self.temporal_stride
        if conv.kernel_size == (1, 1):
            return self.whole(conv, TAPS if self.inflate_pointwise else 1, stride)
        if not self.factorised:
            return self.whole(conv, TAPS, stride)
        channels, groups = conv.in_channels, conv.groups
        identity = nn.init.dirac_(torch.empty(channels, channels // groups, 1), groups)
        identity = identity.to(conv.weight)[..., None, None]  # [C, C/groups, 1, 1, 1]
        taps = identity.expand(-1, -1, TAPS, -1, -1) / TAPS  # [C, C/groups, 3, 1, 1]
        temporal = self.kernel(taps, (stride, 1, 1), (0, 0), groups)
        plane = conv.weight[:, :, None]  # [D, C/groups, 1, k, k]
        return nn.Sequential(temporal, self.kernel(plane, (1, *conv.stride), conv.padding, groups))

    def whole(self, conv: nn.Conv2d, frames: int, stride: int) -> nn.Conv3d:
        """``frames`` planes, each the 2D kernel divided by their number."""
        planes = conv.weight[:, :, None].expand(-1, -1, frames, -1, -1) / frames
        return self.kernel(planes, (stride, *conv.stride), conv.padding, conv.groups)

    def kernel(self, weight: Tensor, stride: tuple, padding: tuple, groups: int) -> nn.Conv3d:
        """The convolution with these weights, [D, C/groups, t, k, k], and no bias."""
        taps = weight.shape[2]
        kind = ReplicateConv3d if taps > 1 and self.temporal_padding == "replicate" else nn.Conv3d
        conv = kind(
            weight.shape[1] * groups,
            weight.shape[0],
            tuple(weight.shape[2:]),
            stride=stride,
            padding=(taps // 2, *padding),
            groups=groups,
            bias=False,
        )
        conv.weight = nn.Parameter(weight.detach().clone())
        return conv


def inflated_norm(norm: nn.BatchNorm2d) -> nn.BatchNorm3d:
    """The same weights and statistics, over time and space."""
    twin = nn.BatchNorm3d(norm.num_features, norm.eps, norm.momentum).to(norm.weight)
    twin.load_state_dict(norm.state_dict())
    return twin


def inflated_pool(pool: nn.MaxPool2d, frames: int) -> nn.MaxPool3d:
    """The same in space, over ``frames`` in time, without dropping any."""
    size = (frames, pool.kernel_size, pool.kernel_size)
    padding = (frames // 2, pool.padding, pool.padding)
    return nn.MaxPool3d(size, (1, pool.stride, pool.stride), padding, ceil_mode=pool.ceil_mode)
