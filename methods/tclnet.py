"""TCLNet: the second frame of a pair looks where the first one did not.

Hou, Chang, Ma, Shan, Chen: "Temporal Complementary Learning for Video Person Re-Identification",
ECCV 2020. TSB (temporal saliency boosting) gives every frame what the other frames show of the same
person; TSE (temporal saliency erasing) takes from the second frame of each pair the rows that the
first one's feature answers to. The steps numbered below are the released network's.

Where text and released network differ, this is the network: TSE has two learners, so a clip is a
row of pairs of frames, and it erases whole rows, 3 of 16.

Decisions of ours:
    * any even T is taken, where the released network has T = 4;
    * ``erase_rows=None`` is 3 of 16 rows and in proportion elsewhere: 2 of 8, 1 of 4;
    * the scale 1/32 of the correlation is 1/√C with C = 1024 channels, and 1/√C elsewhere;
    * a stage 4 of one block is private to each learner as a whole;
    * the pairs of a clip go through TSE together, so that in training BatchNorm sees all of them;
    * attention is taken in float32 where the rest of the network is in half precision.
"""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from methods.backbone import FrameNet
from methods.head import Head
from methods.non_local import AttentionMaps
from methods.output import ClipOutput, check_clips
from methods.pair_head import PairHead
from methods.precision import without_autocast

SHARPNESS = 5.0  # factor of TSB's cosines


class TSB(nn.Module):
    """One vector from the other frames of the clip is added to every cell of a frame."""

    def __init__(self, channels: int):
        super().__init__()
        self.embed = _embedding(channels)

    def forward(self, x: Tensor, frames: int, maps: AttentionMaps | None = None) -> Tensor:
        """[B*T, C, H, W] -> the same, for T = ``frames``.

        With ``maps``, the attention over the other frames' cells is noted under ``boosting``,
        [B, T, T, H, W] (frame, other frame, cell), its sums under ``boosting_pairs``, [B, T, T].
        """
        with without_autocast(x):
            clips = _wide(x).unflatten(0, (-1, frames))  # [B, T, C, H, W]
            query = F.normalize(clips.mean((3, 4)), dim=2)  # [B, T, C], step 1
            keys = F.normalize(corner_sums(clips), dim=2).flatten(3)  # [B, T, C, H*W], step 2
            scores = SHARPNESS * torch.einsum("btc,bucp->btup", query, keys)
            frame = torch.arange(frames, device=x.device)
            scores = torch.where((frame[:, None] == frame)[:, :, None], -torch.inf, scores)
            attention = scores.flatten(2).softmax(2)  # [B, T, T*H*W], step 3
            values = clips.flatten(3).transpose(2, 3).flatten(1, 2)  # [B, T*H*W, C]
            boost = attention @ values  # [B, T, C], step 4
        if maps is not None:
            maps["boosting"] = attention.unflatten(2, (frames, *x.shape[2:]))
            maps["boosting_pairs"] = maps["boosting"].sum((3, 4))
        return x + self.embed(boost.flatten(0, 1)[:, :, None, None])


def corner_sums(x: Tensor) -> Tensor:
    """Each cell with those above, left and above left of it: [..., H, W], zeros beyond the map."""
    x = F.pad(x, (1, 0, 1, 0))
    x = x[..., 1:, :] + x[..., :-1, :]
    return x[..., 1:] + x[..., :-1]


class TSE(nn.Module):
    """Stage 4 for pairs of frames; each learner has a copy of its ``last`` block.

    Stage 3 has C = ``channels``, stage 4 D = ``width``; ``erase_rows`` as of `tclnet`.
    """

    def __init__(self, last: nn.Module, channels: int, width: int, erase_rows: int | None):
        super().__init__()
        if erase_rows is not None and erase_rows < 1:
            raise ValueError(f"erase_rows is {erase_rows}, expected 1 or more, or None")
        self.erase_rows = erase_rows
        self.branches = nn.ModuleList(copy.deepcopy(last) for _ in range(2))
        for module in self.branches.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()  # as the authors' copies start
        self.reduce = nn.Conv2d(width, channels, 1, bias=False)  # R
        nn.init.normal_(self.reduce.weight, std=(2 / channels) ** 0.5)
        self.embed = _embedding(channels)  # E

    def forward(
        self, x: Tensor, frames: int, shared: nn.Module, maps: AttentionMaps | None = None
    ) -> Tensor:
        """[B*T, C, H, W] -> both learners' features side by side, [B*T/2, 2*D].

        ``shared`` are the blocks of stage 4 before the learners' own. With ``maps``, step 2 is
        noted under ``correlation``, [B, T/2, H, W], and under ``kept_mask``, [B, T, H, W], 0 in the
        rows that were erased and 1 elsewhere.
        """
        x0, x1 = x.unflatten(0, (-1, 2)).unbind(1)  # [B*T/2, C, H, W] each
        x0 = x0 + self.embed(x0.mean((2, 3), keepdim=True))  # step 1
        y0 = self.branches[0](shared(x0))  # [B*T/2, D, H, W]
        answer = self.reduce(y0.detach().mean((2, 3), keepdim=True)).flatten(1)  # [B*T/2, C]
        with without_autocast(x):
            wide = _wide(x1)
            f = torch.einsum("nc,nchw->nhw", answer.to(wide.dtype), wide)
            f = f / answer.shape[1] ** 0.5  # [B*T/2, H, W], step 2
            keep = ~erased_rows(f, self.rows_of(f.shape[1]))[:, :, None]  # [B*T/2, H, 1], step 3
            attention = torch.where(keep, f, -torch.inf).flatten(1).softmax(1)
            pooled = (wide.flatten(2) @ attention[:, :, None]).unsqueeze(3)  # [B*T/2, C, 1, 1]
        x1 = x1 * keep[:, None].to(x1.dtype) + self.embed(pooled)  # step 4
        y1 = self.branches[1](shared(x1))
        if maps is not None:
            keep = keep.expand(f.shape).float()
            both = torch.stack([torch.ones_like(keep), keep], 1)  # [B*T/2, 2, H, W]
            maps["correlation"] = f.unflatten(0, (-1, frames // 2))
            maps["kept_mask"] = both.flatten(0, 1).unflatten(0, (-1, frames))
        return torch.cat([y0.amax((2, 3)), y1.amax((2, 3))], 1)  # step 5

    def rows_of(self, rows: int) -> int:
        """How many of a map's rows are erased.

        Raises:
            ValueError: too few would be left.
        """
        erased = (3 * rows + 8) // 16 if self.erase_rows is None else self.erase_rows
        if rows < 4 or erased >= rows:
            raise ValueError(
                f"erasing {erased} of the {rows} rows of stage 3 does not fit: it needs 4 rows, so "
                "H = 64 pixels, or more, and erase_rows below their number"
            )
        return erased


def erased_rows(f: Tensor, count: int) -> Tensor:
    """The ``count`` adjacent rows with the highest sum of means: [N, H, W] -> [N, H], True there.

    Windows stand centred on each row (an even one reaches further up) and may lie half beyond the
    map, where there are zeros; of equal windows the uppermost counts.
    """
    rows, above = f.shape[1], count // 2
    below = count - 1 - above
    scores = F.pad(f.mean(2), (above, below))
    best = sum(scores[:, i : i + rows] for i in range(count)).argmax(1, keepdim=True)  # r*
    distance = torch.arange(rows, device=f.device) - best  # [N, H]
    return distance.clamp(-above, below) == distance


class TCLNet(nn.Module):
    """A ResNet with TSB after stage 2 and TSE for stage 4; arguments as of `tclnet`."""

    distance = "cosine"

    def __init__(
        self,
        backbone: nn.Module | str,
        num_classes: int,
        *,
        tsb: bool,
        tse: bool,
        erase_rows: int | None,
    ):
        super().__init__()
        self.frames = FrameNet(backbone)
        _, second, third, width = self.frames.widths.values()
        self.tsb = TSB(second) if tsb else None
        self.tse = None
        self.head = Head(width, num_classes, neck="bn-bias", bias=True)
        if tse:
            self.tse = TSE(self.frames.layer4[-1], third, width, erase_rows)
            self.frames.layer4 = self.frames.layer4[:-1]
            self.head = PairHead(2 * width, num_classes)
        nn.init.normal_(self.neck.weight, 1, 0.02)

    @property
    def neck(self) -> nn.Module:
        """From metric to embedding."""
        return self.head.neck

    @property
    def parts(self) -> int:
        """Equal parts of the embedding that retrieval brings to unit length one by one."""
        return getattr(self.head, "parts", 1)

    def forward(self, clips: Tensor) -> ClipOutput:
        """[B, T, 3, H, W] -> `ClipOutput`; both are [B, 2*D], the learners' halves side by side."""
        return self.head(self.features(clips))

    def features(self, clips: Tensor, maps: AttentionMaps | None = None) -> Tensor:
        """[B, T, 3, H, W] -> [B, 2*D], or [B, D] without TSE."""
        self._check(clips)
        x = self.frames.layer1(self.frames.stem(clips.flatten(0, 1)))  # [B*T, C, H/4, W/4]
        x = self.frames.layer2(x)  # [B*T, C, H/8, W/8]
        if self.tsb is not None:
            x = self.tsb(x, clips.shape[1], maps)
        x = self.frames.layer3(x)  # [B*T, C, H/16, W/16]
        if self.tse is None:
            x = self.frames.layer4(x).amax((2, 3))  # [B*T, D]
        else:
            x = self.tse(x, clips.shape[1], self.frames.layer4, maps)  # [B*T/2, 2*D]
        return x.unflatten(0, (len(clips), -1)).mean(1)

    @torch.no_grad()
    def attention(self, clips: Tensor) -> dict[str, Tensor]:
        """What TSB and TSE note down."""
        maps: AttentionMaps = {}
        self.features(clips, maps)
        return maps

    def _check(self, clips: Tensor) -> None:
        multiple = 1 if self.tse is None else 2
        check_clips(clips, frames_multiple=multiple, why="erasing in pairs of frames")
        if self.tsb is not None and clips.shape[1] < 2:
            raise ValueError("T = 1 frame does not fit: TSB needs other frames, e.g. T = 2")
        if self.tse is not None:
            self.tse.rows_of(self.frames.rows(3, clips.shape[3]))


def _embedding(channels: int) -> nn.Sequential:
    """A 1×1 convolution and a BatchNorm that starts at 0, so that nothing is added at first."""
    conv, norm = nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels)
    nn.init.normal_(conv.weight, std=(2 / channels) ** 0.5)
    nn.init.zeros_(conv.bias)
    nn.init.zeros_(norm.weight)
    return nn.Sequential(conv, norm)


def _wide(x: Tensor) -> Tensor:
    """The same in float32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def tclnet(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    tsb: bool = True,
    tse: bool = True,
    erase_rows: int | None = None,
) -> TCLNet:
    """TCLNet; T must be even.

    Args:
        backbone: timm model or name.
        num_classes: identities of each learner's classifier; 0 leaves them out.
        tsb: attend to the other frames after stage 2.
        tse: erase in pairs of frames; without it stage 4 and the head are the plain ones.
        erase_rows: rows of stage 3 that are erased; None is 3 of 16 and in proportion elsewhere.
    """
    return TCLNet(backbone, num_classes, tsb=tsb, tse=tse, erase_rows=erase_rows)
