"""BiCnet-TKS: one frame in four at full size, the others at half, and kernels chosen over time.

Hou, Chang, Ma, Huang, Shan: "BiCnet-TKS: Learning Efficient Spatial-Temporal Representation for
Video Person Re-Identification", CVPR 2021. A clip is a row of groups of four frames; the first of
each is *high*, the others are *low*. Both go through one backbone. The steps numbered below are
the released network's.

Where text and released network differ, this is the network:
    * the high frame has one attention of DAO, without parameters and without penalty;
    * the penalty grows with the overlap Σ √(p q) of two attentions.

Decisions of ours:
    * any T that is a multiple of 4 is taken, where the released network has T = 8;
    * TKS normalises what it adds before repeating it over the cells: the same in evaluation.

In training every BatchNorm that both branches go through sees the high frames first and the low
ones after them, each with statistics of their own.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from methods.backbone import STAGES, FrameNet
from methods.head import Head
from methods.non_local import AttentionMaps
from methods.output import ClipOutput, check_clips

GROUP = 4  # a high frame and three low ones
POOL = 8  # cells of a high frame, on a side, that TKS takes together; half as many of a low one
PENALTY = 0.01  # weight of the divergence


class TKS(nn.Module):
    """Two kernels over time, mixed for each channel by weights that the clip chooses."""

    def __init__(self, channels: int):
        super().__init__()
        hidden = max(channels // 16, 1)
        self.short = nn.Conv1d(channels, channels, 3, padding=1, bias=False)
        self.long = nn.Conv1d(channels, channels, 3, padding=2, dilation=2, bias=False)
        self.select = nn.Sequential(
            nn.Conv1d(channels, hidden, 1, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Conv1d(hidden, 2 * channels, 1, bias=False),
        )
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(
        self, high: Tensor, low: Tensor, clips: int, maps: AttentionMaps | None = None
    ) -> tuple[Tensor, Tensor]:
        """[B*G, C, H, W] and [B*G*3, C, H/2, W/2] -> the same, for B = ``clips``.

        With ``maps``, the weights of the kernel that reaches further are noted under
        ``long_range_channel``, [B, C].
        """
        cells = in_order(pooled(high, POOL), pooled(low, POOL // 2))  # [B*T, C, h, w]
        size = cells.shape[2:]
        u = cells.flatten(2).unflatten(0, (clips, -1))  # [B, T, C, h*w]
        u = u.permute(0, 3, 2, 1).flatten(0, 1)  # [B*h*w, C, T]
        y = torch.stack([self.short(u), self.long(u)], 1)  # [B*h*w, 2, C, T], step 1
        y = y.unflatten(0, (clips, -1))  # [B, h*w, 2, C, T]
        e = y.sum(2).mean((1, 3))  # [B, C], step 2
        a = self.select(e[:, :, None]).unflatten(1, (2, -1)).softmax(1)  # [B, 2, C, 1], step 3
        z = (a[:, None] * y).sum(2).permute(0, 3, 2, 1)  # [B, T, C, h*w], step 4
        z = z.flatten(0, 1).unflatten(2, size)  # [B*T, C, h, w]
        if maps is not None:
            maps["long_range_channel"] = a[:, 1].squeeze(2)
        of_high, of_low = apart(z)
        high = high + repeated(self.norm(of_high), POOL)  # step 5
        return high, low + repeated(self.norm(of_low), POOL // 2)


class DAO(nn.Module):
    """Rows weighted in four ways, one a place in the group; the low frames' should not overlap.

    Args:
        channels: C.
        rows: of the low frames' map.
    """

    def __init__(self, channels: int, rows: int):
        super().__init__()
        self.score = nn.ModuleList(nn.Conv1d(channels, 1, 1) for _ in range(2))  # v, b
        # M, b' of the second and the third low frame
        self.mix = nn.ModuleList(
            nn.Sequential(nn.Conv1d(rows, rows, 1), nn.BatchNorm1d(rows)) for _ in range(2)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels) for _ in range(GROUP))
        for norm in self.norms:
            nn.init.zeros_(norm.weight)

    def forward(
        self, high: Tensor, low: Tensor, clips: int, maps: AttentionMaps | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """[B*G, C, H, W] and [B*G*3, C, H/2, W/2] -> the same, and the divergence penalty.

        With ``maps``, the weights of the rows are noted under ``row_scores``, [B, T, H/2]; they sum
        to 1 in each frame.
        """
        of_high, of_low = pooled(high, 2).mean(3), low.mean(3)  # [B*G, C, H/2], [B*G*3, C, H/2]
        stripes = in_order(of_high, of_low).unflatten(0, (-1, GROUP)).unbind(1)  # step 1
        scores = [s.mean(1) for s in stripes[:2]]  # high and first low, [B*G, H/2] each
        for score, mix, s in zip(self.score, self.mix, stripes[2:], strict=True):
            scores.append(mix(score(s).transpose(1, 2)).squeeze(2))
        p = [one.softmax(1) for one in scores]  # step 2
        added = [
            norm(torch.einsum("nch,nh->nc", s, weights))  # step 3
            for norm, s, weights in zip(self.norms, stripes, p, strict=True)
        ]
        if maps is not None:
            maps["row_scores"] = torch.stack(p, 1).flatten(0, 1).unflatten(0, (clips, -1))
        high = high + added[0][:, :, None, None]
        low = low + torch.stack(added[1:], 1).flatten(0, 1)[:, :, None, None]
        return high, low, PENALTY * divergence(*p[1:])


def divergence(first: Tensor, second: Tensor, third: Tensor) -> Tensor:
    """Mean overlap of the low frames' row weights, [N, H] each; the first is not moved by it."""
    pairs = ((first.detach(), second), (first.detach(), third), (second, third))
    overlaps = [(p * q).clamp_min(1e-12).sqrt().sum(1).mean() for p, q in pairs]
    return 2**0.5 / 4 * sum(overlaps) / 3  # √2/4 · Σ √(p q) is D(p, q)


def in_order(high: Tensor, low: Tensor) -> Tensor:
    """[N, …] and [N*3, …] of equal size -> [N*4, …] as the frames came."""
    low = low.unflatten(0, (-1, GROUP - 1))
    return torch.cat([high[:, None], low], 1).flatten(0, 1)


def apart(x: Tensor) -> tuple[Tensor, Tensor]:
    """[N*4, …] -> the high frames, [N, …], and the low ones, [N*3, …]."""
    groups = x.unflatten(0, (-1, GROUP))
    return groups[:, 0], groups[:, 1:].flatten(0, 1)


def pooled(x: Tensor, side: int) -> Tensor:
    """Means of squares of ``side`` × ``side`` cells: [N, C, H, W] -> [N, C, H/side, W/side]."""
    return x.unflatten(3, (-1, side)).unflatten(2, (-1, side)).mean((3, 5))


def repeated(x: Tensor, side: int) -> Tensor:
    """Each cell as a square of ``side`` × ``side``: the way back from `pooled`."""
    return x.repeat_interleave(side, 2).repeat_interleave(side, 3)


class BiCnet(nn.Module):
    """A ResNet for frames of two sizes, with paths from high to low; arguments as `bicnet_tks`."""

    distance = "cosine"

    def __init__(
        self, backbone: nn.Module | str, num_classes: int, *, tks: bool, dao: bool, height: int
    ):
        super().__init__()
        self.frames = FrameNet(backbone)
        widths = self.frames.widths
        # X₁ to X₃
        self.paths = nn.ModuleDict(
            {f"stage{k}": nn.Conv2d(widths[k], 3 * widths[k], 1, bias=False) for k in (1, 2, 3)}
        )
        self.tks = TKS(widths[2]) if tks else None
        self.dao = DAO(widths[3], height // 32) if dao else None
        self.multiple, self.height = (64 if tks else 32), (height if dao else None)
        self.head = Head(widths[4], num_classes, neck="bn-bias", bias=True)
        nn.init.normal_(self.neck.weight, 1, 0.02)

    @property
    def neck(self) -> nn.Module:
        """From metric to embedding."""
        return self.head.neck

    def forward(self, clips: Tensor) -> ClipOutput:
        """[B, T, 3, H, W] -> `ClipOutput` with the penalty ``divergence``, if there is DAO."""
        high, low, penalties = self.features(clips)
        vectors = [x.amax((2, 3)).unflatten(0, (len(clips), -1)).mean(1) for x in (high, low)]
        return self.head(sum(vectors) / 2, penalties)  # [B, D]

    def features(
        self, clips: Tensor, maps: AttentionMaps | None = None
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """[B, T, 3, H, W] -> [B*T/4, D, H/16, W/16], [B*T*3/4, D, H/32, W/32] and penalties."""
        self._check(clips)
        high, low = apart(self.frames.stem(clips.flatten(0, 1)))  # [.., C, H/4, W/4]
        low, penalties = F.max_pool2d(low, 2), {}
        for stage in STAGES:
            blocks = self.frames.stage(stage)
            high, low = blocks(high), blocks(low)
            if stage < 4:
                given = self.paths[f"stage{stage}"](F.max_pool2d(high, 2))  # [B*G, 3*C, h, w]
                low = low + given.unflatten(1, (GROUP - 1, -1)).flatten(0, 1)
            if stage == 2 and self.tks is not None:
                high, low = self.tks(high, low, len(clips), maps)
            if stage == 3 and self.dao is not None:
                high, low, penalties["divergence"] = self.dao(high, low, len(clips), maps)
        return high, low, penalties

    @torch.no_grad()
    def attention(self, clips: Tensor) -> dict[str, Tensor]:
        """What TKS and DAO note down."""
        maps: AttentionMaps = {}
        self.features(clips, maps)
        return maps

    def _check(self, clips: Tensor) -> None:
        check_clips(clips, frames_multiple=GROUP, why="one frame in four at full size")
        height, width = clips.shape[3:]
        _check_size(height, width, self.multiple)
        if self.height not in (None, height):
            raise ValueError(
                f"H = {height} pixels do not fit: DAO was built for {self.height}; take such "
                f"images, or build it with height={height}"
            )


def _check_size(height: int, width: int, multiple: int) -> None:
    if height % multiple or width % multiple:
        fit = [max(-(-pixels // multiple), 1) * multiple for pixels in (height, width)]
        raise ValueError(
            f"H × W = {height} × {width} pixels do not fit: both must be multiples of {multiple}, "
            f"e.g. {fit[0]} × {fit[1]}"
        )


def bicnet_tks(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    tks: bool = True,
    dao: bool = True,
    height: int = 256,
    width: int = 128,
) -> BiCnet:
    """BiCnet-TKS; T must be a multiple of 4, height and width multiples of 64.

    Args:
        backbone: timm model or name.
        num_classes: identities of the classifier; 0 leaves it out.
        tks: choose kernels over time after stage 2; without it multiples of 32 pixels fit.
        dao: attend to rows after stage 3, with the penalty ``divergence``.
        height: of the images, in pixels; DAO is bound to it.
        width: of the images, in pixels.

    Raises:
        ValueError: the image size does not fit; the message says what does.
    """
    _check_size(height, width, 64 if tks else 32)
    return BiCnet(backbone, num_classes, tks=tks, dao=dao, height=height)
