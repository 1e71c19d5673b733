"""AP3D and its ladder: C2D, I3D, P3D, their aligned twins, and non-local layers.

Gu, Chang, Ma, Zhang, Chen: "Appearance-Preserving 3D Convolution for Video-based Person
Re-identification", ECCV 2020 (arXiv 2007.08434), and the authors' code. All members share the
places of their modules and their head, so that a step of the ladder changes one thing.

Every other 3×3 convolution of stages 2 and 3, from the first, becomes a temporal one; in a
ResNet-50 those of blocks 0, 2 and 0, 2, 4. Non-local layers follow the blocks between them: 1, 3
and 1, 3, 5. The spatial max of each frame, its mean over frames and a BN neck whose bias is trained
give the embedding.

Decisions, not the paper's word:
    * the gate's inputs are detached, as in the authors' code; whether the paper says so is open;
    * alignment computes the frames of zeros beyond a clip's ends as the authors' code does: at
      T = 4 they are a quarter of its products, and part of the network's published cost;
    * channels are reduced by 16, to at least 2, for narrow backbones.
"""

from collections.abc import Callable

import torch
from timm.models.resnet import Bottleneck
from torch import Tensor, nn

from methods.alignment import TemporalConv
from methods.backbone import STAGES, FrameNet
from methods.head import Head
from methods.non_local import AttentionMaps, NonLocal
from methods.output import ClipOutput, check_clips


class AP3D(nn.Module):
    """A ResNet with temporal convolutions or non-local layers, spatial max and a BN neck.

    Takes clips of any T from 1: a frame without neighbours has zeros in their place.

    Args:
        backbone: timm model or name.
        num_classes: identities of the classifier; 0 leaves it out.
        temporal: makes what takes the place of a 3×3 convolution; None leaves all as they are.
        non_local: with non-local layers or without.

    Raises:
        ValueError: the backbone is no ResNet of bottlenecks, or has too few of them.
    """

    distance = "cosine"

    def __init__(
        self,
        backbone: nn.Module | str,
        num_classes: int,
        *,
        temporal: Callable[[nn.Conv2d], TemporalConv] | None = None,
        non_local: bool = False,
    ):
        super().__init__()
        self.frames = FrameNet(backbone)
        self.temporal, self.non_local = nn.ModuleDict(), nn.ModuleDict()
        if temporal is not None:
            for name, block in _every_other(self.frames, 0).items():
                self.temporal[name] = temporal(_bottleneck(block).conv2)
        if non_local:
            for name in _every_other(self.frames, 1):
                width = self.frames.widths[int(name[len("stage")])]
                self.non_local[name] = _wide_start(NonLocal(width, pool_keys=True))
            if not self.non_local:
                raise ValueError(
                    "backbone does not fit: non-local layers follow every other block of stages 2 "
                    "and 3, and it has 1 block in each; take one with 2 or more"
                )
        self.head = Head(
            self.frames.widths[4], num_classes, neck="bn-bias", bias=True, classifier_std=0.001
        )
        nn.init.normal_(self.head.neck.weight, 1, 0.02)

    @property
    def neck(self) -> nn.Module:
        """From metric to embedding."""
        return self.head.neck

    def forward(self, clips: Tensor) -> ClipOutput:
        """[B, T, 3, H, W] -> `ClipOutput`; ``metric`` before BN, ``embedding`` after it."""
        x = self.features(clips).amax((2, 3))  # [B*T, D]
        return self.head(x.unflatten(0, clips.shape[:2]).mean(1))  # [B, D]

    def features(self, clips: Tensor, maps: AttentionMaps | None = None) -> Tensor:
        """[B, T, 3, H, W] -> [B*T, D, H/16, W/16]."""
        check_clips(clips)
        self._check_size(clips)
        frames = clips.shape[1]
        x = self.frames.stem(clips.flatten(0, 1))  # [B*T, C, H/4, W/4]
        for stage in STAGES:
            for i, block in enumerate(self.frames.stage(stage)):
                name = f"stage{stage}_block{i}"
                if name in self.temporal:
                    conv = self.temporal[name]
                    x = through(block, x, conv, frames, maps=maps, name=f"{name}_alignment")
                else:
                    x = block(x)
                if name in self.non_local:
                    x = self.non_local[name](x, frames, maps=maps, name=name)
        return x

    @torch.no_grad()
    def attention(self, clips: Tensor) -> dict[str, Tensor]:
        """By layer, where three cells of the middle frame look: [B, 3, T, rows, columns].

        ``<block>_alignment``: in the two neighbours alone, on each of which the weights sum to the
        gate (to 1 without one); ``<block>``, a non-local layer: in the clip.
        """
        maps: AttentionMaps = {}
        self.features(clips, maps)
        return maps

    def _check_size(self, clips: Tensor) -> None:
        height, width = clips.shape[3:]
        if self.non_local and min(self.frames.rows(3, height), self.frames.rows(3, width)) < 2:
            raise ValueError(
                f"images of {height}×{width} pixels do not fit: keys are max-pooled over 2×2 "
                f"cells, so that the map of stage 3 needs 2 rows and columns, e.g. 64×32 pixels"
            )


def through(
    block: Bottleneck,
    x: Tensor,
    conv: TemporalConv,
    frames: int,
    *,
    maps: AttentionMaps | None = None,
    name: str = "",
) -> Tensor:
    """A timm bottleneck whose 3×3 convolution is ``conv``'s: [B*T, C, H, W] -> [B*T, D, h, w]."""
    y = block.act1(block.bn1(block.conv1(x)))
    y = conv(block.conv2, y, frames, maps=maps, name=name)
    y = block.aa(block.act2(block.drop_block(block.bn2(y))))
    y = block.bn3(block.conv3(y))
    if block.se is not None:
        y = block.se(y)
    if block.drop_path is not None:
        y = block.drop_path(y)
    return block.act3(y + (x if block.downsample is None else block.downsample(x)))


def _bottleneck(block: nn.Module) -> Bottleneck:
    if not isinstance(block, Bottleneck):
        raise ValueError(
            f"backbone does not fit: temporal convolutions stand inside the bottlenecks of a timm "
            f"ResNet, and its blocks are {type(block).__name__}; take e.g. resnet50"
        )
    return block


def _every_other(frames: FrameNet, first: int) -> dict[str, nn.Module]:
    """Blocks ``first``, ``first`` + 2, … of stages 2 and 3, by name."""
    return {
        f"stage{stage}_block{i}": block
        for stage in (2, 3)
        for i, block in enumerate(frames.stage(stage))
        if i % 2 == first
    }


def _wide_start(layer: NonLocal) -> NonLocal:
    """Weights from N(0, √(2 / output channels)), as in the authors' code."""
    for conv in (layer.theta, layer.phi, layer.g, layer.out):
        nn.init.normal_(conv.weight, std=(2 / conv.out_channels) ** 0.5)
    return layer


def _checked(kind: str) -> str:
    if kind not in ("A", "B", "C"):
        raise ValueError(f"kind is {kind!r}, expected A, B or C")
    return kind


def c2d(backbone: nn.Module | str = "resnet50", num_classes: int = 0) -> AP3D:
    """The ladder's first step: the 2D network on each frame, spatial max, mean over frames."""
    return AP3D(backbone, num_classes)


def i3d(backbone: nn.Module | str = "resnet50", num_classes: int = 0) -> AP3D:
    """C2D with 3×3×3 convolutions (I3D), which start from the 2D kernel in their middle."""
    return AP3D(
        backbone, num_classes, temporal=lambda conv: TemporalConv(conv, "I3D", aligned=False)
    )


def ap_i3d(backbone: nn.Module | str = "resnet50", num_classes: int = 0) -> AP3D:
    """I3D whose outer taps see the aligned neighbours (AP-I3D)."""
    return AP3D(
        backbone, num_classes, temporal=lambda conv: TemporalConv(conv, "I3D", aligned=True)
    )


def p3d(backbone: nn.Module | str = "resnet50", num_classes: int = 0, *, kind: str = "C") -> AP3D:
    """C2D with a 3×1×1 convolution after (A), beside (B) or added to (C) the 3×3 one (P3D)."""
    kind = _checked(kind)
    return AP3D(
        backbone, num_classes, temporal=lambda conv: TemporalConv(conv, kind, aligned=False)
    )


def ap3d(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    kind: str = "C",
    temperature: float = 4.0,
    gate: bool = True,
) -> AP3D:
    """P3D over aligned neighbours; with ``kind="C"`` the paper's AP3D (AP-P3D-C)."""
    kind = _checked(kind)

    def aligned(conv: nn.Conv2d) -> TemporalConv:
        return TemporalConv(conv, kind, aligned=True, temperature=temperature, gate=gate)

    return AP3D(backbone, num_classes, temporal=aligned)


def c2d_nl(backbone: nn.Module | str = "resnet50", num_classes: int = 0) -> AP3D:
    """C2D with five non-local layers (the paper's NL)."""
    return AP3D(backbone, num_classes, non_local=True)


def ap3d_nl(backbone: nn.Module | str = "resnet50", num_classes: int = 0) -> AP3D:
    """AP3D with five non-local layers (the paper's NL + AP3D)."""

    def aligned(conv: nn.Conv2d) -> TemporalConv:
        return TemporalConv(conv, "C", aligned=True)

    return AP3D(backbone, num_classes, temporal=aligned, non_local=True)
