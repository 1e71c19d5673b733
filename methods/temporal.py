"""From frames to a clip: TP, TA and RNN, and the network that they and NLTP stand in.

Liu, Du, Li, Liu, Zou: "Non-Local Spatial and Temporal Attention Network for Video-Based Person
Re-Identification", Applied Sciences 2020, Table 1, which takes them from older work.

Decisions, not the paper's word:
    * no BN neck, no activation after the aggregation; the classifier has a bias;
    * TA's temporal convolution pads with zeros, so that every frame gets a weight.
"""

import torch
from torch import Tensor, nn

from methods.backbone import STAGES
from methods.head import Head
from methods.last_map import Frames
from methods.non_local import AttentionMaps
from methods.output import ClipOutput, check_clips

TEMPORAL = ("tp", "ta", "rnn")


class FrameMean(nn.Module):
    """TP: the mean over frames and cells."""

    def __init__(self, channels: int):
        super().__init__()
        self.width = channels

    def forward(self, x: Tensor, maps: AttentionMaps | None = None) -> Tensor:
        """[B, T, D, H, W] -> [B, D]."""
        return x.mean((1, 3, 4))


class FrameAttention(nn.Module):
    """TA: frames weighted by two convolutions, the first one as large as the whole map.

    Args:
        channels: D.
        size: rows and columns of the map.
        hidden: channels between the convolutions.
    """

    def __init__(self, channels: int, size: tuple[int, int], hidden: int = 256):
        super().__init__()
        self.width = channels
        self.spatial = nn.Conv2d(channels, hidden, size)
        self.temporal = nn.Conv1d(hidden, 1, 3, padding=1)

    def forward(self, x: Tensor, maps: AttentionMaps | None = None) -> Tensor:
        """[B, T, D, H, W] -> [B, D]; notes the weights under ``frame_weights``, [B, T]."""
        a = self.spatial(x.flatten(0, 1)).relu().flatten(1)  # [B*T, hidden]
        a = self.temporal(a.unflatten(0, x.shape[:2]).transpose(1, 2)).relu()  # [B, 1, T]
        weights = a.squeeze(1).float().softmax(1)  # [B, T]
        if maps is not None:
            maps["frame_weights"] = weights
        return torch.einsum("bt,btd->bd", weights, x.float().mean((3, 4)))


class FrameLSTM(nn.Module):
    """RNN: one LSTM layer over the frames' mean features, the mean of its outputs."""

    def __init__(self, channels: int, hidden: int = 512):
        super().__init__()
        self.width = hidden
        self.lstm = nn.LSTM(channels, hidden, batch_first=True)

    def forward(self, x: Tensor, maps: AttentionMaps | None = None) -> Tensor:
        """[B, T, D, H, W] -> [B, hidden]."""
        outputs, _ = self.lstm(x.mean((3, 4)))  # [B, T, hidden]
        return outputs.mean(1)


class ClipNet(nn.Module):
    """A 2D network on each frame, modules between its stages, an aggregation, a classifier.

    Args:
        frames: the 2D network; a `FrameNet` where there is something in ``after``.
        aggregate: [B, T, D, H, W] -> [B, ``aggregate.width``].
        num_classes: identities of the classifier; 0 leaves it out.
        after: modules that follow a stage, by its number (1 to 4); each keeps the map's shape.
        image: height and width that ``aggregate`` was built for; None takes any.
    """

    distance = "euclidean"

    def __init__(
        self,
        frames: Frames,
        aggregate: nn.Module,
        num_classes: int,
        *,
        after: dict[int, nn.Module] | None = None,
        image: tuple[int, int] | None = None,
    ):
        super().__init__()
        self.frames, self.aggregate, self.image = frames, aggregate, image
        self.after = nn.ModuleDict({f"stage{s}": module for s, module in (after or {}).items()})
        self.head = Head(aggregate.width, num_classes, neck="none")

    @property
    def neck(self) -> nn.Module:
        """From metric to embedding."""
        return self.head.neck

    def forward(self, clips: Tensor) -> ClipOutput:
        """[B, T, 3, H, W] -> `ClipOutput`; ``metric`` and ``embedding`` are the same feature."""
        return self.head(self.aggregate(self.features(clips)))  # [B, width]

    def features(self, clips: Tensor, maps: AttentionMaps | None = None) -> Tensor:
        """[B, T, 3, H, W] -> the last stage's maps, [B, T, D, H', W']."""
        self._check(clips)
        if not self.after:
            return self.frames(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])
        x = self.frames.stem(clips.flatten(0, 1))  # [B*T, C, H/4, W/4]
        for stage in STAGES:
            x = self.frames.stage(stage)(x)
            name = f"stage{stage}"
            if name in self.after:
                x = self.after[name](x, clips.shape[1], maps=maps, name=name)
        return x.unflatten(0, clips.shape[:2])

    @torch.no_grad()
    def attention(self, clips: Tensor) -> dict[str, Tensor]:
        """What the modules and the aggregation note down; empty for TP and RNN alone."""
        maps: AttentionMaps = {}
        self.aggregate(self.features(clips, maps), maps)
        return maps

    def _check(self, clips: Tensor) -> None:
        check_clips(clips)
        if self.image is None:
            return
        given, built = (self.frames.map_size(*size) for size in (clips.shape[3:], self.image))
        if given != built:
            raise ValueError(
                f"H × W = {clips.shape[3]} × {clips.shape[4]} pixels give a map of {given[0]} × "
                f"{given[1]} cells, and temporal attention was built for the {built[0]} × "
                f"{built[1]} cells of {self.image[0]} × {self.image[1]}: take such images, or "
                f"build it with height={clips.shape[3]}, width={clips.shape[4]}"
            )


def aggregation(
    temporal: str, frames: Frames, height: int, width: int
) -> tuple[nn.Module, tuple[int, int] | None]:
    """TP, TA or RNN, and the image size that it is bound to.

    Raises:
        ValueError: ``temporal`` is none of them.
    """
    channels = frames.width
    if temporal == "tp":
        return FrameMean(channels), None
    if temporal == "ta":
        return FrameAttention(channels, frames.map_size(height, width)), (height, width)
    if temporal == "rnn":
        return FrameLSTM(channels), None
    raise ValueError(f"temporal is {temporal!r}, expected one of {', '.join(TEMPORAL)}")
