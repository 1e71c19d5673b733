"""Frames weighted by how well they agree with the rest of their clip.

A frame in which somebody else stands before the person looks unlike the others, and a plain mean
counts it all the same. Here each frame is compared with the mean of the clip; the better it agrees,
the more it counts. Written by ``zoo new method``: put your own attention in the place of this one.

B clips of T frames; D channels of the backbone's last map, h × w cells; K = ``hidden``.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from methods.head import Head
from methods.last_map import frame_net
from methods.output import ClipOutput, check_clips


class FrameAgreement(nn.Module):
    """A 2D network on each frame, a weight for each frame, the weighted mean, a head."""

    distance = "cosine"  # or euclidean

    def __init__(
        self, backbone: nn.Module | str, num_classes: int, *, hidden: int, sharpness: float
    ):
        super().__init__()
        if hidden < 1:
            raise ValueError(f"hidden is {hidden}, expected 1 or more")
        self.sharpness = sharpness
        self.frames = frame_net(backbone)  # methods.backbone.FrameNet where you need its stages
        self.key = nn.Linear(self.frames.width, hidden, bias=False)
        self.head = Head(self.frames.width, num_classes)  # BN neck and classifier

    @property
    def neck(self) -> nn.Module:
        """From metric to embedding."""
        return self.head.neck

    def forward(self, clips: Tensor) -> ClipOutput:
        """[B, T, 3, H, W] -> `ClipOutput`; ``metric`` before the BN neck, ``embedding`` after."""
        features = self.features(clips)  # [B, T, D]
        weights = self.weights(features)  # [B, T]
        return self.head(torch.einsum("bt,btd->bd", weights, features))  # [B, D]

    def features(self, clips: Tensor) -> Tensor:
        """[B, T, 3, H, W] -> [B, T, D], one feature a frame."""
        check_clips(clips)
        maps = self.frames(clips.flatten(0, 1))  # [B*T, D, h, w]
        return maps.mean((2, 3)).unflatten(0, clips.shape[:2]).float()  # [B, T, D]

    def weights(self, features: Tensor) -> Tensor:
        """[B, T, D] -> [B, T]; over the frames of a clip they sum to 1."""
        keys = F.normalize(self.key(features).float(), dim=2)  # [B, T, K], of length 1
        clip = F.normalize(keys.mean(1, keepdim=True), dim=2)  # [B, 1, K]
        agreement = (keys * clip).sum(2)  # [B, T], a cosine
        return (self.sharpness * agreement).softmax(1)  # [B, T]

    @torch.no_grad()
    def attention(self, clips: Tensor) -> dict[str, Tensor]:
        """What ``zoo inspect`` draws: ``frame_weights``, [B, T]."""
        return {"frame_weights": self.weights(self.features(clips))}


def my_method(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    hidden: int = 64,
    sharpness: float = 4.0,
) -> FrameAgreement:
    """Frames weighted by their agreement with the clip.

    Args:
        backbone: timm model or name.
        num_classes: identities of the classifier; 0 leaves it out.
        hidden: dimensions K in which frames are compared.
        sharpness: 0 is the plain mean; the larger, the more the best frames count.

    Raises:
        ValueError: an argument does not fit.
    """
    return FrameAgreement(backbone, num_classes, hidden=hidden, sharpness=sharpness)


METHODS = (my_method,)
