"""NVAN, STE-NVAN, their reductions and baselines.

Liu, Wu, Wang, Chien: "Spatially and Temporally Efficient Non-local Attention Network for
Video-based Person Re-Identification", BMVC 2019. Sections and tables below are this paper's.

Decisions, not the paper's word (each is an argument):
    * ``stripes=None`` is the rows of stage 3: the paper's S = 16 at 256 pixels, 8 at 128, 4 at 64.
    * ``attention_window=2`` in `stenvan`: the authors' released code attends within pairs of
      adjacent frames, the paper over the clip. The spatial or temporal reduction alone attends over
      the clip.
    * ``stem_activation=True``: the authors' networks have no activation between the stem's
      BatchNorm and its max-pool.
    * for a backbone of other depth, "conv3_3, conv3_4" are the last two blocks of stage 2 and
      "conv4_4, conv4_5, conv4_6" the last three of stage 3.
"""

import math

import torch
from torch import Tensor, nn

from methods.backbone import STAGES, FrameNet
from methods.head import Head
from methods.last_map import frame_net
from methods.non_local import AttentionMaps, NonLocal, check_stripes
from methods.output import ClipOutput, check_clips

# how many of a stage's last blocks a non-local layer follows, counted from the last (Sec. 4.1 and
# Table 3)
PLACES = {0: {}, 1: {3: (1,)}, 3: {2: (1,), 3: (1, 2)}, 5: {2: (1, 2), 3: (1, 2, 3)}}


class NVAN(nn.Module):
    """A ResNet with non-local layers between its blocks, feature pooling and a BN neck (Fig. 1b).

    Args:
        backbone: timm model or name.
        num_classes: identities of the classifier; 0 leaves it out.
        layers: number of non-local layers: 0, 1, 3 or 5 (Table 3).
        stripes: None for attention over all cells; else "+S" with S stripes for stage 2 and stage 3
            (Sec. 3.2); (0, 0) stands for the rows of stage 3.
        pool_after: stages whose non-local layers are followed by a max over pairs of frames, "+T":
            (3,) or (2, 3).
        attention_window: attend within groups of that many frames; None is the clip.
        pooling: ``mean`` (3DAP) or ``max`` over frames and cells.
        stem_activation: see `FrameNet`.
    """

    distance = "cosine"

    def __init__(
        self,
        backbone: nn.Module | str,
        num_classes: int,
        *,
        layers: int,
        stripes: tuple[int, int] | None = None,
        pool_after: tuple[int, ...] = (),
        attention_window: int | None = None,
        pooling: str = "mean",
        stem_activation: bool = True,
    ):
        super().__init__()
        if pool_after not in ((), (3,), (2, 3)):
            raise ValueError(f"pool_after is {pool_after}, expected (3,) or (2, 3)")
        if attention_window is not None and attention_window < 1:
            raise ValueError(f"attention_window is {attention_window}, expected 1 or more, or None")
        trunk = FrameNet if PLACES[layers] else frame_net  # the baselines need no stages
        self.frames = trunk(backbone, stem_activation=stem_activation)
        self.stripes = None if stripes is None else dict(zip((2, 3), stripes, strict=True))
        self.pool_after, self.window, self.pooling = pool_after, attention_window, pooling
        self.non_local = nn.ModuleDict(
            {
                f"stage{stage}_block{_block(self.frames, stage, back)}": NonLocal(
                    self.frames.widths[stage], window=attention_window
                )
                for stage, places in PLACES[layers].items()
                for back in sorted(places, reverse=True)
            }
        )
        self.head = Head(self.frames.width, num_classes, neck="bn")

    @property
    def neck(self) -> nn.Module:
        """From metric to embedding."""
        return self.head.neck

    def forward(self, clips: Tensor) -> ClipOutput:
        """[B, T, 3, H, W] -> `ClipOutput`; ``metric`` before BN, ``embedding`` after it."""
        return self.head(self._pool(self.features(clips), clips.shape[0]))  # [B, D]

    def features(self, clips: Tensor, maps: AttentionMaps | None = None) -> Tensor:
        """[B, T, 3, H, W] -> [B*T', D, H/16, W/16] with T' = T, T/2 or T/4."""
        self._check(clips)
        if not self.non_local:
            return self.frames(clips.flatten(0, 1))
        frames, height = clips.shape[1], clips.shape[3]
        x = self.frames.stem(clips.flatten(0, 1))  # [B*T, C, H/4, W/4]
        for stage in STAGES:
            for i, block in enumerate(self.frames.stage(stage)):
                x = block(x)
                name = f"stage{stage}_block{i}"
                if name in self.non_local:
                    stripes = self._stripes(stage, height)
                    x = self.non_local[name](x, frames, stripes=stripes, maps=maps, name=name)
            if stage in self.pool_after:
                x = x.unflatten(0, (-1, 2)).amax(1)  # [B*T/2, C, H', W']
                frames //= 2
        return x

    @torch.no_grad()
    def attention(self, clips: Tensor) -> dict[str, Tensor]:
        """By layer, where three cells of the middle frame look: [B, 3, T', rows, columns]."""
        maps: AttentionMaps = {}
        self.features(clips, maps)
        return maps

    def _pool(self, x: Tensor, batch: int) -> Tensor:
        x = x.unflatten(0, (batch, -1))  # [B, T', D, H', W']
        return x.mean((1, 3, 4)) if self.pooling == "mean" else x.amax((1, 3, 4))

    def _stripes(self, stage: int, height: int) -> int | None:
        return None if self.stripes is None else self.stripes[stage] or self.frames.rows(3, height)

    def _check(self, clips: Tensor) -> None:
        multiple = 2 ** len(self.pool_after)
        check_clips(clips, frames_multiple=multiple, why="max-pooling pairs of frames")
        halved = len(self.pool_after[:-1])  # T has been halved so often at the last attention
        if self.window and (clips.shape[1] >> halved) % self.window:
            fit = math.lcm(self.window << halved, multiple)
            raise ValueError(
                f"T = {clips.shape[1]} frames do not fit: attention in groups of {self.window} "
                f"frames needs a multiple of {fit}, e.g. T = {fit}"
            )
        for stage in self.stripes or ():
            rows = self.frames.rows(stage, clips.shape[3])
            check_stripes(
                rows, self._stripes(stage, clips.shape[3]), f"stage {stage} (H = {clips.shape[3]})"
            )


def _block(frames: FrameNet, stage: int, back: int) -> int:
    blocks = len(frames.stage(stage))
    if back > blocks:
        raise ValueError(
            f"stage {stage} of the backbone has {blocks} blocks, and non-local layers need {back} "
            "of them"
        )
    return blocks - back


def _pair(stripes: int | tuple[int, ...] | None) -> tuple[int, int]:
    """``stripes`` as (stage 2, stage 3); (0, 0) stands for the rows of stage 3."""
    if stripes is None:
        return 0, 0
    pair = stripes if isinstance(stripes, tuple) else (stripes, stripes)
    if len(pair) != 2 or min(pair) < 1:
        raise ValueError(
            f"stripes is {stripes}, expected one number from 1 or two (stage 2, stage 3)"
        )
    return pair


def resnet50_avg(
    backbone: nn.Module | str = "resnet50", num_classes: int = 0, *, stem_activation: bool = True
) -> NVAN:
    """ResNet-50 with mean pooling over frames and cells: the baseline (Table 1, "R50")."""
    return NVAN(backbone, num_classes, layers=0, stem_activation=stem_activation)


def resnet50_max(
    backbone: nn.Module | str = "resnet50", num_classes: int = 0, *, stem_activation: bool = True
) -> NVAN:
    """The baseline with max pooling (Table 1, "max-FPL")."""
    return NVAN(backbone, num_classes, layers=0, pooling="max", stem_activation=stem_activation)


def nvan(
    backbone: nn.Module | str = "resnet50", num_classes: int = 0, *, stem_activation: bool = True
) -> NVAN:
    """NVAN: five non-local layers over all cells of the clip (Sec. 3.1)."""
    return NVAN(backbone, num_classes, layers=5, stem_activation=stem_activation)


def nvan_1layer(
    backbone: nn.Module | str = "resnet50", num_classes: int = 0, *, stem_activation: bool = True
) -> NVAN:
    """NVAN with one non-local layer, after conv4_6 (Table 3, "1 layer")."""
    return NVAN(backbone, num_classes, layers=1, stem_activation=stem_activation)


def nvan_3layer(
    backbone: nn.Module | str = "resnet50", num_classes: int = 0, *, stem_activation: bool = True
) -> NVAN:
    """NVAN with three, after conv3_4, conv4_5 and conv4_6 (Table 3, "3 layers")."""
    return NVAN(backbone, num_classes, layers=3, stem_activation=stem_activation)


def nvan_s(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    stripes: int | tuple[int, ...] | None = None,
    stem_activation: bool = True,
) -> NVAN:
    """NVAN with the spatial reduction alone (Tables 1, 4); ``stripes`` may be a pair of stages."""
    return NVAN(
        backbone, num_classes, layers=5, stripes=_pair(stripes), stem_activation=stem_activation
    )


def nvan_t(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    pool_after: tuple[int, ...] = (2, 3),
    stem_activation: bool = True,
) -> NVAN:
    """NVAN with the temporal reduction alone (Tables 1 and 5); the paper's "+ stage 4" is (3,)."""
    return NVAN(
        backbone, num_classes, layers=5, pool_after=pool_after, stem_activation=stem_activation
    )


def stenvan(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    stripes: int | tuple[int, ...] | None = None,
    attention_window: int | None = 2,
    stem_activation: bool = True,
) -> NVAN:
    """STE-NVAN: NVAN with both reductions (Sec. 3.2); T must be a multiple of 4."""
    return NVAN(
        backbone,
        num_classes,
        layers=5,
        stripes=_pair(stripes),
        pool_after=(2, 3),
        attention_window=attention_window,
        stem_activation=stem_activation,
    )
