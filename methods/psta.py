"""PSTA: frames merged in pairs, level by level, and a head for each level.

Wang, Zhang, Gao, Geng, Lu, Wang: "Pyramid Spatial-Temporal Aggregation for Video-based Person
Re-Identification", ICCV 2021. A level, `methods.pyramid`, takes T' frames to T'/2; three of them
take 8 to 1.

Decisions, not the paper's word:
    * ``levels`` follows from ``frames``: as many as halve them evenly, three at most. Clips of 4
      or 2 frames thus have a smaller network, whose weights are others;
    * all pairs of a batch go through a layer together, and both directions, so that in training a
      BatchNorm normalises over them all; the authors' code goes pair by pair. In evaluation the two
      are equal;
    * all widths follow the backbone's: of 2048 channels 1024, 256 and 128;
    * affinities are computed in float32 also under autocast: neither scale nor softmax bounds them.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from methods.head import Head
from methods.last_map import frame_net
from methods.non_local import AttentionMaps
from methods.output import ClipOutput, HeadOutput, check_clips
from methods.pyramid import Level, conv_norm_relu

MOST_LEVELS = 3


class PyramidHead(Head):
    """The usual head behind the last level, and in training one of the same kind for each below it.

    Args:
        width: D.
        num_classes: identities of the classifiers; 0 leaves all but the last BN neck out.
        levels: of the pyramid.
    """

    def __init__(self, width: int, num_classes: int, levels: int):
        super().__init__(width, num_classes, bias=True)
        below = levels - 1 if num_classes else 0
        self.below = nn.ModuleList(Head(width, num_classes, bias=True) for _ in range(below))

    def all_levels(self, features: Sequence[Tensor]) -> ClipOutput:
        """The levels' [B, D], the retrieval feature last -> `ClipOutput` with all ``heads``."""
        output = self(features[-1])
        if not self.below:
            return output
        share = 1 / len(features)
        parts = [
            head.part(feature, cross_entropy=share, triplet=share)
            for head, feature in zip(self.below, features[:-1], strict=True)
        ]
        last = HeadOutput(*output[:3], share, share)
        return output._replace(heads=(*parts, last))


class PSTA(nn.Module):
    """A 2D network on each frame, a pyramid over the frames, a head for each level.

    Args:
        backbone: timm model or name.
        num_classes: identities of the classifiers; 0 leaves them out.
        levels: of the pyramid; T must be a multiple of 2 to that power.
        image: height and width in pixels, as the layers on the relations are as wide as the map.
    """

    distance = "cosine"

    def __init__(
        self, backbone: nn.Module | str, num_classes: int, *, levels: int, image: tuple[int, int]
    ):
        super().__init__()
        self.frames, self.image = frame_net(backbone), image
        deep = self.frames.width
        channels = deep // 2
        rows, columns = self.frames.map_size(*image)
        self.reduce = nn.Sequential(*conv_norm_relu(deep, channels))
        self.levels = nn.ModuleList(Level(channels, rows * columns) for _ in range(levels))
        for layer in self.levels.modules():
            if isinstance(layer, nn.Conv1d | nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_in")
            elif isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")
                nn.init.zeros_(layer.bias)
        self.head = PyramidHead(channels, num_classes, levels)

    @property
    def neck(self) -> nn.Module:
        """From metric to embedding."""
        return self.head.neck

    def forward(self, clips: Tensor) -> ClipOutput:
        """[B, T, 3, H, W] -> `ClipOutput` of the last level's feature; the others in ``heads``."""
        features = self.features(clips)
        if isinstance(self.head, PyramidHead):
            return self.head.all_levels(features)
        return self.head(features[-1], {})

    def features(self, clips: Tensor, maps: AttentionMaps | None = None) -> list[Tensor]:
        """[B, T, 3, H, W] -> f₁, f₂, …, [B, D] each: means of the levels' means up to there."""
        self._check(clips)
        x = self.reduce(self.frames(clips.flatten(0, 1))).unflatten(0, clips.shape[:2])
        means, features = [], []
        for number, level in enumerate(self.levels, start=1):
            x = level(x, maps, f"level{number}")  # [B, T/2^number, D, H', W']
            means.append(x.mean((1, 3, 4)))  # g
            features.append(torch.stack(means).mean(0))  # f
        return features

    @torch.no_grad()
    def attention(self, clips: Tensor) -> dict[str, Tensor]:
        """The gates of the cells by level, [B, T', H', W'] with T' = T, T/2, …; in 0..1."""
        maps: AttentionMaps = {}
        self.features(clips, maps)
        return maps

    def _check(self, clips: Tensor) -> None:
        many = len(self.levels)
        check_clips(clips, frames_multiple=2**many, why=f"a pyramid of {many} levels")
        height, width = clips.shape[3:]
        given, built = (self.frames.map_size(*size) for size in ((height, width), self.image))
        if given != built:
            raise ValueError(
                f"H × W = {height} × {width} pixels give a map of {given[0]} × {given[1]} cells, "
                f"and PSTA was built for the {built[0]} × {built[1]} cells of {self.image[0]} × "
                f"{self.image[1]}: take such images, or build it with height={height}, "
                f"width={width}"
            )


def psta(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    levels: int | None = None,
    frames: int = 8,
    height: int = 256,
    width: int = 128,
) -> PSTA:
    """PSTA.

    Args:
        backbone: timm model or name.
        num_classes: identities of the classifiers; 0 leaves them out.
        levels: of the pyramid; None is three, or fewer where ``frames`` cannot be halved so often.
        frames: T that it is built for; it takes any multiple of 2 to the power of ``levels``.
        height: of the images, in pixels; only images that give the same map will do.
        width: of the images.

    Raises:
        ValueError: frames and levels do not fit; the message says what does.
    """
    halvings = (frames & -frames).bit_length() - 1
    if levels is None:
        levels = min(MOST_LEVELS, halvings)
    if levels < 1 or levels > halvings:
        raise ValueError(
            f"T = {frames} frames and {levels} levels do not fit: each level halves the frames, so "
            f"that T must be a multiple of 2 for one, 4 for two, 8 for three"
        )
    return PSTA(backbone, num_classes, levels=levels, image=(height, width))
