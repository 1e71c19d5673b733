"""COSAM: what the frames of a clip have in common decides which cells and channels count.

Subramaniam, Nambiar, Mittal: "Co-segmentation Inspired Attention Networks for Video-based Person
Re-identification", ICCV 2019. Its "block 2 to 5" are stages 1 to 4 of the backbone, and "COSAM 4,
5" stand after stages 3 and 4. The steps numbered below are the released network's.

Where text and released network differ, this is the network:
    * BatchNorm and ReLU follow the 1×1 convolution that reduces the channels;
    * the cost volume becomes a mask in two convolutions with 64 channels between them;
    * the channels are scaled by 1 + w, not by w.

Decisions of ours:
    * the correlation is taken in float32 where the rest of the network is in half precision;
    * all clips and frames of a batch go through a layer together.
"""

import torch
from torch import Tensor, nn

from methods.backbone import FrameNet
from methods.non_local import AttentionMaps
from methods.output import check_clips
from methods.precision import without_autocast
from methods.temporal import TEMPORAL, ClipNet, aggregation

EPS = 1e-4  # added to the standard deviation, not to the variance
SUMMARY = 64  # channels between the cost volume and the mask


class COSAM(nn.Module):
    """A mask for each frame from its correlation with the others, then one weight a channel.

    Args:
        channels: C.
        frames: T, 2 or more.
        size: rows and columns of the map.
    """

    def __init__(self, channels: int, frames: int, size: tuple[int, int]):
        super().__init__()
        inner = 64 if channels <= 256 else 256  # C_r
        others = (frames - 1) * size[0] * size[1]  # cells of the other frames
        self.reduce = nn.Sequential(nn.Conv2d(channels, inner, 1), nn.BatchNorm2d(inner), nn.ReLU())
        self.summary = nn.Sequential(
            nn.Conv2d(others, SUMMARY, 1),
            nn.BatchNorm2d(SUMMARY),
            nn.ReLU(),
            nn.Conv2d(SUMMARY, 1, 1),
        )
        self.mlp = nn.Sequential(nn.Linear(channels, inner), nn.Tanh(), nn.Linear(inner, channels))

    def forward(
        self, x: Tensor, frames: int, *, maps: AttentionMaps | None = None, name: str = ""
    ) -> Tensor:
        """[B*T, C, H, W] -> the same, for T = ``frames``.

        With ``maps``, the masks are noted under ``<name>_mask``, [B, T, H, W], and the channels'
        weights under ``<name>_channel``, [B, C].
        """
        reduced = self.reduce(x)  # [B*T, C_r, H, W], step 1
        mask = self.summary(cost_volume(reduced, frames)).sigmoid()  # [B*T, 1, H, W], steps 3, 4
        y = mask * x  # step 5
        weights = self.mlp(y.mean((2, 3))).sigmoid()  # [B*T, C]
        weights = weights.unflatten(0, (-1, frames)).mean(1)  # [B, C], step 6
        if maps is not None:
            maps[f"{name}_mask"] = mask.unflatten(0, (-1, frames)).squeeze(2)
            maps[f"{name}_channel"] = weights
        return y * (1 + weights.repeat_interleave(frames, 0)[:, :, None, None])  # step 7


def cost_volume(reduced: Tensor, frames: int) -> Tensor:
    """Correlation of each cell with every cell of the other frames, in float32 at least.

    Args:
        reduced: [B*T, C_r, H, W].
        frames: T.

    Returns:
        [B*T, (T-1)*H*W, H, W]: the other frames in their order, in each its cells row by row.
    """
    with without_autocast(reduced):
        wide = reduced.to(torch.promote_types(reduced.dtype, torch.float32))
        r = standardise(wide).flatten(2).unflatten(0, (-1, frames))  # [B, T, C_r, H*W]
        others = [[m for m in range(frames) if m != n] for n in range(frames)]
        keys = r[:, others].transpose(3, 4).flatten(2, 3)  # [B, T, (T-1)*H*W, C_r]
        volume = keys @ r / r.shape[2]  # [B, T, (T-1)*H*W, H*W], step 3
    return volume.flatten(0, 1).unflatten(2, reduced.shape[2:])


def standardise(x: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1 over the channels of each cell, [N, C, H, W] (step 2)."""
    x = x - x.mean(1, keepdim=True)
    variance = x.square().sum(1, keepdim=True) / (x.shape[1] - 1)
    return x / (variance.clamp_min(1e-24).sqrt() + EPS)  # the gradient is finite at variance 0


class CosamNet(ClipNet):
    """A `ClipNet` whose modules are bound to T and the image's size, which it checks first.

    Args:
        frames: the 2D network.
        aggregate: [B, T, D, H, W] -> [B, ``aggregate.width``].
        num_classes: identities of the classifier; 0 leaves it out.
        after: COSAMs by the stage that they follow.
        clip: T, height and width that they were built for.
    """

    def __init__(
        self,
        frames: FrameNet,
        aggregate: nn.Module,
        num_classes: int,
        *,
        after: dict[int, nn.Module],
        clip: tuple[int, int, int],
    ):
        super().__init__(frames, aggregate, num_classes, after=after)
        self.clip = clip

    def features(self, clips: Tensor, maps: AttentionMaps | None = None) -> Tensor:
        """[B, T, 3, H, W] -> the last stage's maps, [B, T, D, H', W'].

        Raises:
            ValueError: clips of another length or size than the network was built for.
        """
        check_clips(clips)
        given = (clips.shape[1], *clips.shape[3:])
        if given != self.clip:
            raise ValueError(
                f"clips of T × H × W = {' × '.join(map(str, given))} do not fit: COSAM was built "
                f"for {' × '.join(map(str, self.clip))}; take such clips, or build it with "
                f"frames={given[0]}, height={given[1]}, width={given[2]}"
            )
        return super().features(clips, maps)


def cosam(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    after: tuple[int, ...] = (4, 5),
    aggregate: str = "tp",
    frames: int = 4,
    height: int = 256,
    width: int = 128,
) -> CosamNet:
    """COSAM; published on SE-ResNet50 (``backbone="legacy_seresnet50"``) with ``after=(4, 5)``.

    Args:
        backbone: timm model or name.
        num_classes: identities of the classifier; 0 leaves it out.
        after: the paper's numbers, 2 to 5, of the blocks that a COSAM follows.
        aggregate: from frames to a clip: ``tp``, ``ta`` or ``rnn``; ``ta`` has a last stride of 2.
        frames: T of every clip, in training and test, 2 or more.
        height: of the images, in pixels.
        width: of the images, in pixels.

    Raises:
        ValueError: an argument does not fit; the message says what does.
    """
    if not after or len(set(after)) < len(after) or not set(after) <= {2, 3, 4, 5}:
        raise ValueError(f"after is {after}, expected different blocks out of 2, 3, 4, 5")
    if frames < 2:
        raise ValueError(
            f"frames is {frames}, expected 2 or more: COSAM compares each frame with the others"
        )
    if aggregate not in TEMPORAL:
        raise ValueError(f"aggregate is {aggregate!r}, expected one of {', '.join(TEMPORAL)}")
    network = FrameNet(backbone, last_stride=2 if aggregate == "ta" else 1)
    pool, _ = aggregation(aggregate, network, height, width)
    modules = {
        block - 1: COSAM(
            network.widths[block - 1],
            frames,
            (network.rows(block - 1, height), network.rows(block - 1, width)),
        )
        for block in sorted(after)
    }
    return CosamNet(network, pool, num_classes, after=modules, clip=(frames, height, width))
