"""SINet and its relatives SBNet, IDNet and SANet.

Bai, Ma, Chang, Huang, Chen: "Salient-to-Broad Transition for Video Person Re-identification",
CVPR 2022. The networks are those of the authors' released code: IDM after every other block of
stage 2, SBM after every other block of stage 3, the stem's max-pool unpadded (stage 1 then has
63 × 31 cells at 256 × 128 pixels), a max over each frame's cells and a mean over the frames.

Decisions, not the authors':
    * convolutions of the backbone have no bias, which would be a shift of BatchNorm's mean;
    * the three splits of SBM, after frame 0, 1 and 2, follow one another in the order of the
      blocks; a backbone with more places for them begins anew;
    * IDM is bound to T·H·W, so that ``frames``, ``height`` and ``width`` are arguments.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from methods.backbone import STAGES, FrameNet
from methods.distribution import IntegrateDistribution, MomentAttention
from methods.head import Head
from methods.non_local import AttentionMaps
from methods.output import ClipOutput, check_clips
from methods.saliency import GROUP, SalientToBroad


class FrameHead(Head):
    """A BN neck with a trained bias and a classifier; in training also frames to contrast.

    Args:
        width: D.
        num_classes: identities of the classifier; 0 leaves it out, and the projection with it.
        contrast: with a projection of single frames, for the contrast between them.
    """

    def __init__(self, width: int, num_classes: int, *, contrast: bool):
        super().__init__(width, num_classes, neck="bn-bias", bias=True)
        nn.init.normal_(self.neck.weight, 1.0, 0.02)
        self.projection = nn.Conv1d(width, width, 1) if contrast and num_classes else None
        if self.projection is not None:
            nn.init.kaiming_normal_(self.projection.weight, mode="fan_out")
            nn.init.zeros_(self.projection.bias)

    def of_frames(self, features: Tensor) -> ClipOutput:
        """[B, D, T] -> `ClipOutput` of their mean; in training ``frames`` of unit length.

        The frames go through the same BatchNorm as their mean, whose running statistics thus follow
        both, as in the authors' code.
        """
        output = self(features.mean(2))
        if self.projection is None or not self.training:
            return output
        projected = self.projection(self.neck(features))  # [B, D, T]
        return output._replace(frames=F.normalize(projected.float(), dim=1))


class SINet(nn.Module):
    """A 2D network on each frame with layers over the clip between its blocks.

    Args:
        backbone: timm model or name.
        num_classes: identities of the classifier; 0 leaves it out.
        distribution: of stage 2: ``positions`` for IDM, ``moments`` for SANet's blocks, or none.
        salient_to_broad: with SBM in stage 3, and with the contrast between frames.
        frames: T that IDM is built for.
        image: height and width in pixels that IDM is built for.
    """

    distance = "cosine"

    def __init__(
        self,
        backbone: nn.Module | str,
        num_classes: int,
        *,
        distribution: str | None,
        salient_to_broad: bool,
        frames: int = 0,
        image: tuple[int, int] = (0, 0),
    ):
        super().__init__()
        self.frames = FrameNet(backbone, stem_padding=False)
        self.clip = (frames, *image) if distribution == "positions" else None
        width = self.frames.widths[2]
        between: dict[str, nn.Module] = {}
        if distribution == "positions":
            positions = frames * self._cells(2, *image)[0] * self._cells(2, *image)[1]
            between |= self._after(2, lambda _: IntegrateDistribution(width, positions))
        elif distribution == "moments":
            between |= self._after(2, lambda _: MomentAttention(width))
        if salient_to_broad:
            deep, splits = self.frames.widths[3], GROUP - 1
            between |= self._after(3, lambda place: SalientToBroad(deep, place % splits))
        self.between = nn.ModuleDict(between)
        self.salient_to_broad = salient_to_broad
        self.head = FrameHead(self.frames.widths[4], num_classes, contrast=salient_to_broad)

    @property
    def neck(self) -> nn.Module:
        """From metric to embedding."""
        return self.head.neck

    def forward(self, clips: Tensor) -> ClipOutput:
        """[B, T, 3, H, W] -> `ClipOutput`."""
        features = self.features(clips)  # [B, D, T]
        if isinstance(self.head, FrameHead):
            return self.head.of_frames(features)
        return self.head(features.mean(2), {})

    def features(self, clips: Tensor, maps: AttentionMaps | None = None) -> Tensor:
        """[B, T, 3, H, W] -> [B, D, T], of each frame the maximum over its cells."""
        self._check(clips)
        frames = clips.shape[1]
        x = self.frames.stem(clips.flatten(0, 1))  # [B*T, C, H', W']
        for stage in STAGES:
            for i, block in enumerate(self.frames.stage(stage)):
                x = block(x)
                name = f"stage{stage}_block{i}"
                if name in self.between:
                    x = self.between[name](x, frames, maps=maps, name=name)
        return x.amax((2, 3)).unflatten(0, (-1, frames)).transpose(1, 2)

    @torch.no_grad()
    def attention(self, clips: Tensor) -> dict[str, Tensor]:
        """What SBM and SANet's blocks note down, [B, T, H', W']; empty for IDM alone."""
        maps: AttentionMaps = {}
        self.features(clips, maps)
        return maps

    def _after(self, stage: int, build: Callable[[int], nn.Module]) -> dict[str, nn.Module]:
        """A layer after every other block of a stage, built from its number there."""
        blocks = range(1, len(self.frames.stage(stage)), 2)
        if not blocks:
            raise ValueError(
                f"layers follow every other block of stage {stage}, and this backbone has 1 block "
                f"there: take one with 2 or more"
            )
        return {f"stage{stage}_block{i}": build(place) for place, i in enumerate(blocks)}

    def _cells(self, stage: int, height: int, width: int) -> tuple[int, int]:
        return self.frames.rows(stage, height), self.frames.rows(stage, width)

    def _check(self, clips: Tensor) -> None:
        multiple = GROUP if self.salient_to_broad else 1
        check_clips(clips, frames_multiple=multiple, why="salient-to-broad attention")
        frames, _, height, width = clips.shape[1:]
        if self.salient_to_broad and min(self._cells(3, height, width)) < 3:
            rows, columns = self._cells(3, height, width)
            raise ValueError(
                f"H × W = {height} × {width} pixels give a map of {rows} × {columns} cells in "
                f"stage 3, and salient-to-broad attention needs 3 × 3 or more, e.g. 64 × 48 pixels"
            )
        if self.clip is None:
            return
        given, built = (
            (t, *self._cells(2, h, w)) for t, h, w in ((frames, height, width), self.clip)
        )
        if given != built:
            raise ValueError(
                f"T = {frames} frames of {height} × {width} pixels do not fit: the network was "
                f"built for {self.clip[0]} of {self.clip[1]} × {self.clip[2]}: take such clips, or "
                f"build it with frames={frames}, height={height}, width={width}"
            )


def sinet(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    frames: int = 4,
    height: int = 256,
    width: int = 128,
) -> SINet:
    """SINet: IDM in stage 2 and SBM in stage 3; T = ``frames`` must be a multiple of four."""
    return SINet(
        backbone,
        num_classes,
        distribution="positions",
        salient_to_broad=True,
        frames=frames,
        image=(height, width),
    )


def sbnet(backbone: nn.Module | str = "resnet50", num_classes: int = 0) -> SINet:
    """SBNet: SBM alone; T must be a multiple of four."""
    return SINet(backbone, num_classes, distribution=None, salient_to_broad=True)


def idnet(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    frames: int = 4,
    height: int = 256,
    width: int = 128,
) -> SINet:
    """IDNet: IDM alone, for clips of T = ``frames`` images of ``height`` × ``width`` pixels."""
    return SINet(
        backbone,
        num_classes,
        distribution="positions",
        salient_to_broad=False,
        frames=frames,
        image=(height, width),
    )


def sanet(backbone: nn.Module | str = "resnet50", num_classes: int = 0) -> SINet:
    """SANet: attention to five statistics of the clip in stage 2; any T."""
    return SINet(backbone, num_classes, distribution="moments", salient_to_broad=False)
