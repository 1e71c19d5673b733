"""3D ResNet-50 with non-local blocks, inflated from a 2D ResNet.

Liao, He, Yang, Zhang: "Video-based Person Re-identification via 3D Convolutional Networks and
Non-local Attention", 2018. Sections, figures and tables below are this paper's.

Decisions, not the paper's word (all but the last are arguments):
    * ``inflate_pointwise=False``: 1×1 convolutions stay 1×1×1; the text says "all" are inflated;
    * ``factorised=True``: inside residual blocks the 3×3×3 convolution is a pair, 3×1×1 and 1×3×3
      (Fig. 3d), that starts equal to the inflated kernel: taps of identity / 3 in time, the 2D
      kernel in space;
    * ``stem_frames=3``: the stem becomes 3×7×7 and is not factorised; ``pool_frames=1``: its
      max-pool is 1×3×3; ``temporal_stride=1``: no frame is dropped anywhere; ``last_stride=2``;
    * ``temporal_padding="zeros"``; ``"replicate"`` repeats the first and the last frame;
    * ``dimensions=512`` of the bottleneck, whose linear layer has no bias (BatchNorm takes it out
      again) and whose output before dropout is the feature for retrieval and triplet loss;
    * "every other residual block": non-local blocks follow blocks 1, 3, … of stage 2 and 1, 3, 5, …
      of stage 3, counting from 0.
"""

import torch
from torch import Tensor, nn

from methods.backbone import STAGES, FrameNet
from methods.head import Head
from methods.inflation import Inflation
from methods.non_local import AttentionMaps, NonLocal
from methods.output import ClipOutput, check_clips

DROPOUT = 0.5  # Sec. 4.2


class Bottleneck(nn.Sequential):
    """The paper's bottleneck up to its dropout (Fig. 3b): [N, D] -> [N, ``dimensions``]."""

    def __init__(self, channels: int, dimensions: int):
        linear = nn.Linear(channels, dimensions, bias=False)
        super().__init__(linear, nn.BatchNorm1d(dimensions), nn.LeakyReLU(0.1))


class ResNet3D(nn.Module):
    """A 3D ResNet with non-local blocks, the mean over the clip and a bottleneck (Fig. 3a).

    Args:
        backbone: timm model or name; its weights are inflated.
        num_classes: identities of the classifier; 0 leaves it out.
        inflation: what becomes of its layers.
        non_local: with non-local blocks or without.
        last_stride: of stage 4, in space.
        dimensions: of the retrieval feature.
    """

    distance = "euclidean"

    def __init__(
        self,
        backbone: nn.Module | str,
        num_classes: int,
        inflation: Inflation,
        *,
        non_local: bool,
        last_stride: int,
        dimensions: int,
    ):
        super().__init__()
        self.trunk = FrameNet(backbone, last_stride=last_stride)
        inflation.network(self.trunk)
        widths, places = self.trunk.widths, _places(self.trunk) if non_local else []
        self.non_local = nn.ModuleDict(
            {f"stage{stage}_block{i}": he_start(NonLocal(widths[stage])) for stage, i in places}
        )
        self.bottleneck = Bottleneck(widths[4], dimensions)
        self.head = Head(dimensions, num_classes, neck="none", dropout=DROPOUT)

    @property
    def neck(self) -> nn.Module:
        """From metric to embedding."""
        return self.head.neck

    def forward(self, clips: Tensor) -> ClipOutput:
        """[B, T, 3, H, W] -> `ClipOutput`; ``metric`` and ``embedding`` are the same feature."""
        pooled = self.features(clips).mean((2, 3, 4))  # [B, D]
        return self.head(self.bottleneck(pooled))  # [B, dimensions]

    def features(self, clips: Tensor, maps: AttentionMaps | None = None) -> Tensor:
        """[B, T, 3, H, W] -> [B, D, T, H/32, W/32] (strides of 1 in time, 2 in the last stage)."""
        check_clips(clips)
        x = self.trunk.stem(clips.transpose(1, 2))  # [B, C, T, H/4, W/4]
        for stage in STAGES:
            for i, block in enumerate(self.trunk.stage(stage)):
                x = block(x)
                name = f"stage{stage}_block{i}"
                if name in self.non_local:
                    x = self._attend(x, name, maps)
        return x

    def _attend(self, x: Tensor, name: str, maps: AttentionMaps | None) -> Tensor:
        batch, _, frames = x.shape[:3]
        x = x.transpose(1, 2).flatten(0, 1)  # [B*T, C, H', W']
        x = self.non_local[name](x, frames, maps=maps, name=name)
        return x.unflatten(0, (batch, frames)).transpose(1, 2)  # [B, C, T, H', W']

    @torch.no_grad()
    def attention(self, clips: Tensor) -> dict[str, Tensor]:
        """By block, where three cells of the middle frame look: [B, 3, T, rows, columns]."""
        maps: AttentionMaps = {}
        self.features(clips, maps)
        return maps


def he_start(layer: NonLocal) -> NonLocal:
    """He initialisation of the four convolutions (Sec. 4.2)."""
    for conv in (layer.theta, layer.phi, layer.g, layer.out):
        nn.init.kaiming_normal_(conv.weight)
        nn.init.zeros_(conv.bias)
    return layer


def _places(trunk: FrameNet) -> list[tuple[int, int]]:
    """After every other block of stages 2 and 3 (Sec. 4.2)."""
    places = [(stage, i) for stage in (2, 3) for i in range(1, len(trunk.stage(stage)), 2)]
    if not places:
        raise ValueError(
            "non-local blocks follow every other block of stages 2 and 3, and this backbone has 1 "
            "block in each: take one with 2 or more"
        )
    return places


def resnet3d50(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    temporal_padding: str = "zeros",
    factorised: bool = True,
    inflate_pointwise: bool = False,
    stem_frames: int = 3,
    pool_frames: int = 1,
    temporal_stride: int = 1,
    last_stride: int = 2,
    dimensions: int = 512,
) -> ResNet3D:
    """The 3D network without non-local blocks (Table 2, "ResNet3D-50")."""
    inflation = Inflation(
        temporal_padding=temporal_padding,
        factorised=factorised,
        inflate_pointwise=inflate_pointwise,
        stem_frames=stem_frames,
        pool_frames=pool_frames,
        temporal_stride=temporal_stride,
    )
    return ResNet3D(
        backbone,
        num_classes,
        inflation,
        non_local=False,
        last_stride=last_stride,
        dimensions=dimensions,
    )


def resnet3d50_nl(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    temporal_padding: str = "zeros",
    factorised: bool = True,
    inflate_pointwise: bool = False,
    stem_frames: int = 3,
    pool_frames: int = 1,
    temporal_stride: int = 1,
    last_stride: int = 2,
    dimensions: int = 512,
) -> ResNet3D:
    """The 3D network with non-local blocks (Table 2, "ResNet3D-50 NL")."""
    inflation = Inflation(
        temporal_padding=temporal_padding,
        factorised=factorised,
        inflate_pointwise=inflate_pointwise,
        stem_frames=stem_frames,
        pool_frames=pool_frames,
        temporal_stride=temporal_stride,
    )
    return ResNet3D(
        backbone,
        num_classes,
        inflation,
        non_local=True,
        last_stride=last_stride,
        dimensions=dimensions,
    )
