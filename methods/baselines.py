"""Baselines: a 2D network on each frame, and one of several ways from frames to a clip.

The TP, TA and RNN rows are Table 1 of Liu, Du, Li, Liu, Zou: "Non-Local Spatial and Temporal
Attention Network for Video-Based Person Re-Identification", Applied Sciences 2020;
`resnet50_image` is the baseline in Table 2 of Liao, He, Yang, Zhang: "Video-based Person
Re-identification via 3D Convolutional Networks and Non-local Attention", 2018.

Decisions, not the papers' word (each is an argument, or stands in `methods.temporal`):
    * ``last_stride`` is 1, and 2 with temporal attention and in `resnet50_image`;
    * `resnet50_image` has the 3D network's head of ``dimensions`` = 512, and its mean over frames
      is taken of the retrieval features of single frames.
"""

from torch import Tensor, nn

from methods.head import Head
from methods.last_map import frame_net
from methods.output import ClipOutput, check_clips
from methods.resnet3d import DROPOUT, Bottleneck
from methods.temporal import ClipNet, aggregation


def _baseline(
    backbone: nn.Module | str,
    num_classes: int,
    temporal: str,
    last_stride: int,
    height: int = 0,
    width: int = 0,
) -> ClipNet:
    frames = frame_net(backbone, last_stride=last_stride)
    aggregate, image = aggregation(temporal, frames, height, width)
    return ClipNet(frames, aggregate, num_classes, image=image)


def resnet50_tp(
    backbone: nn.Module | str = "resnet50", num_classes: int = 0, *, last_stride: int = 1
) -> ClipNet:
    """ResNet-50, mean over frames, no BN neck (Table 1, "TP avg")."""
    return _baseline(backbone, num_classes, "tp", last_stride)


def resnet50_ta(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    last_stride: int = 2,
    height: int = 256,
    width: int = 128,
) -> ClipNet:
    """ResNet-50, temporal attention (Table 1, "TA") on images of ``height`` × ``width``."""
    return _baseline(backbone, num_classes, "ta", last_stride, height, width)


def resnet50_rnn(
    backbone: nn.Module | str = "resnet50", num_classes: int = 0, *, last_stride: int = 1
) -> ClipNet:
    """ResNet-50, LSTM over the frames (Table 1, "RNN")."""
    return _baseline(backbone, num_classes, "rnn", last_stride)


def seresnet50_tp(
    backbone: nn.Module | str = "legacy_seresnet50", num_classes: int = 0, *, last_stride: int = 1
) -> ClipNet:
    """SE-ResNet50, mean over frames: the paper's starting point (Table 1)."""
    return _baseline(backbone, num_classes, "tp", last_stride)


def seresnet50_ta(
    backbone: nn.Module | str = "legacy_seresnet50",
    num_classes: int = 0,
    *,
    last_stride: int = 2,
    height: int = 256,
    width: int = 128,
) -> ClipNet:
    """SE-ResNet50, temporal attention (Table 1) on images of ``height`` × ``width``."""
    return _baseline(backbone, num_classes, "ta", last_stride, height, width)


def seresnet50_rnn(
    backbone: nn.Module | str = "legacy_seresnet50", num_classes: int = 0, *, last_stride: int = 1
) -> ClipNet:
    """SE-ResNet50, LSTM over the frames (Table 1)."""
    return _baseline(backbone, num_classes, "rnn", last_stride)


class ImageMean(nn.Module):
    """A network for single images; a clip is the mean of its frames' features.

    Args:
        backbone: timm model or name.
        num_classes: identities of the classifier; 0 leaves it out.
        last_stride: of stage 4.
        dimensions: of the retrieval feature.
    """

    distance = "euclidean"

    def __init__(
        self, backbone: nn.Module | str, num_classes: int, *, last_stride: int, dimensions: int
    ):
        super().__init__()
        self.frames = frame_net(backbone, last_stride=last_stride)
        self.bottleneck = Bottleneck(self.frames.width, dimensions)
        self.head = Head(dimensions, num_classes, neck="none", dropout=DROPOUT)

    @property
    def neck(self) -> nn.Module:
        """From metric to embedding."""
        return self.head.neck

    def forward(self, clips: Tensor) -> ClipOutput:
        """[B, T, 3, H, W] -> `ClipOutput`; ``metric`` and ``embedding`` are the same feature."""
        check_clips(clips)
        pooled = self.frames(clips.flatten(0, 1)).mean((2, 3))  # [B*T, D]
        feature = self.bottleneck(pooled).unflatten(0, clips.shape[:2]).mean(1)  # [B, dimensions]
        return self.head(feature)

    def attention(self, clips: Tensor) -> dict[str, Tensor]:
        """There is none."""
        return {}


def resnet50_image(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    last_stride: int = 2,
    dimensions: int = 512,
) -> ImageMean:
    """ResNet-50 trained on single images, mean over frames (Liao et al., Table 2, "Baseline")."""
    return ImageMean(backbone, num_classes, last_stride=last_stride, dimensions=dimensions)
