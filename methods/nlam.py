"""NLAM and NLTP: non-local attention between the blocks, non-local pooling of the frames.

Liu, Du, Li, Liu, Zou: "Non-Local Spatial and Temporal Attention Network for Video-Based Person
Re-Identification", Applied Sciences 2020. Equations and tables below are this paper's. Its
"block 2 to 5" are stages 1 to 4 of the backbone; its N frames are T here.

Decisions, not the paper's word (each is an argument):
    * ``dot_scale="mean"`` divides the dot product of eq. 5 by its C/2·H·W terms; as printed
      (``"sum"``) it diverges within a few steps of Adam;
    * ``last_stride``: stage 4 keeps stride 1; with temporal attention alone it is 2;
    * ``reduction``: a, b, d go from C to C' = C/2 channels;
    * ``hidden``: the channel attention's MLP has 256 hidden units, 64 where C ≤ 256;
    * ``zero_start``: W₀ of eq. 2 and W of eq. 4 start at 0, so that A_S = X and F' = Avg[F] at
      first.
"""

from torch import Tensor, nn

from methods.backbone import FrameNet
from methods.last_map import frame_net
from methods.non_local import AttentionMaps, attend, attention_of_cells, tokens
from methods.precision import without_autocast
from methods.temporal import TEMPORAL, ClipNet, aggregation


class NLAM(nn.Module):
    """Spatial attention over all cells of a clip, then one weight a channel (Fig. 3).

    Args:
        channels: C.
        reduction: C' = C / ``reduction``.
        hidden: of the MLP in eq. 3; None is 256, or 64 where C ≤ 256.
        zero_start: start W₀ at 0.
    """

    def __init__(
        self,
        channels: int,
        *,
        reduction: int = 2,
        hidden: int | None = None,
        zero_start: bool = True,
    ):
        super().__init__()
        if not 1 <= reduction <= channels:
            raise ValueError(f"reduction is {reduction}, expected 1 to C = {channels}")
        if hidden is None:
            hidden = 64 if channels <= 256 else 256
        if hidden < 1:
            raise ValueError(f"hidden is {hidden}, expected 1 or more, or None")
        inner = channels // reduction
        self.a = nn.Conv2d(channels, inner, 1)
        self.b = nn.Conv2d(channels, inner, 1)
        self.d = nn.Conv2d(channels, inner, 1)
        self.out = nn.Conv2d(inner, channels, 1)  # W₀
        if zero_start:
            _zero(self.out)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden), nn.Tanh(), nn.Linear(hidden, channels)
        )

    def forward(
        self, x: Tensor, frames: int, *, maps: AttentionMaps | None = None, name: str = ""
    ) -> Tensor:
        """[B*T, C, H, W] -> the same, attending over T = ``frames`` frames.

        With ``maps``, the attention of three cells of the middle frame is noted under
        ``<name>_spatial``, [B, 3, T, H, W] (see `NonLocal`), the channel weights under
        ``<name>_channel``, [B, C].
        """
        q, k, v = (tokens(conv(x), frames) for conv in (self.a, self.b, self.d))  # [B, T*H*W, C']
        y = attend(q, k, v)  # eq. 1
        y = y.unflatten(1, (frames, -1)).flatten(0, 1).transpose(1, 2)  # [B*T, C', H*W]
        spatial = self.out(y.unflatten(2, x.shape[2:])) + x  # [B*T, C, H, W], eq. 2
        weights = self.channel_weights(spatial, frames)  # [B, C]
        if maps is not None:
            maps[f"{name}_spatial"] = attention_of_cells(q, k, frames, frames, x.shape[2:])
            maps[f"{name}_channel"] = weights
        return spatial * weights.repeat_interleave(frames, 0)[:, :, None, None]

    def channel_weights(self, spatial: Tensor, frames: int) -> Tensor:
        """Eq. 3, [B*T, C, H, W] -> [B, C]."""
        most = self.mlp(spatial.amax((2, 3))).unflatten(0, (-1, frames))  # [B, T, C]
        mean = self.mlp(spatial.mean((2, 3))).unflatten(0, (-1, frames))  # [B, T, C]
        return (most.amax(1) + mean.mean(1)).sigmoid()


class NLTP(nn.Module):
    """Non-local temporal pooling: frames as vectors, added up by their dot products (Fig. 4).

    Args:
        channels: C.
        dot_scale: ``mean`` or ``sum`` over the terms of the dot product.
        zero_start: start W at 0.
    """

    def __init__(self, channels: int, *, dot_scale: str = "mean", zero_start: bool = True):
        super().__init__()
        if dot_scale not in ("mean", "sum"):
            raise ValueError(f"dot_scale is {dot_scale!r}, expected mean or sum")
        self.width, self.dot_scale = channels, dot_scale
        self.theta = nn.Conv2d(channels, channels // 2, 1)
        self.phi = nn.Conv2d(channels, channels // 2, 1)
        self.g = nn.Conv2d(channels, channels // 2, 1)
        self.out = nn.Conv2d(channels // 2, channels, 1)  # W
        if zero_start:
            _zero(self.out)

    def forward(self, x: Tensor, maps: AttentionMaps | None = None) -> Tensor:
        """[B, T, C, H, W] -> [B, C]; notes h / T under ``frame_pairs``, [B, T, T].

        Always in float32: the dot product has C/2·H·W terms.
        """
        with without_autocast(x):
            x = x.float()
            # [B, T, C/2*H*W]
            theta, phi, g = (
                conv(x.flatten(0, 1)).flatten(1).unflatten(0, x.shape[:2])
                for conv in (self.theta, self.phi, self.g)
            )
            h = theta @ phi.transpose(1, 2)  # [B, T, T], eq. 5
            if self.dot_scale == "mean":
                h = h / theta.shape[2]
            pairs = h / x.shape[1]
            y = (pairs @ g).flatten(0, 1)  # [B*T, C/2*H*W], eq. 6
            y = y.unflatten(1, (-1, *x.shape[3:]))  # [B*T, C/2, H, W]
            refined = self.out(y).unflatten(0, x.shape[:2]) + x  # [B, T, C, H, W]
            if maps is not None:
                maps["frame_pairs"] = pairs
            return refined.mean((1, 3, 4))  # eq. 4, then over the cells


def _zero(conv: nn.Conv2d) -> None:
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)


def nlam_nltp(
    backbone: nn.Module | str = "legacy_seresnet50",
    num_classes: int = 0,
    *,
    after: tuple[int, ...] = (4, 5),
    temporal: str = "nltp",
    dot_scale: str = "mean",
    last_stride: int | None = None,
    reduction: int = 2,
    hidden: int | None = None,
    zero_start: bool = True,
    height: int = 256,
    width: int = 128,
) -> ClipNet:
    """NLAM and NLTP, the paper's best (Tables 3 to 6).

    Args:
        backbone: timm model or name.
        num_classes: identities of the classifier; 0 leaves it out.
        after: the paper's numbers, 2 to 5, of the blocks that an NLAM follows.
        temporal: ``nltp``, or ``tp``, ``ta``, ``rnn`` of Table 1.
        dot_scale: of NLTP.
        last_stride: of stage 4; None is 1, and 2 with ``ta``.
        reduction: of the NLAMs.
        hidden: of the NLAMs.
        zero_start: of NLAM and NLTP.
        height: of the images; only ``ta`` depends on it, and on ``width``.
        width: of the images.

    Raises:
        ValueError: an argument does not fit; the message says what does.
    """
    if len(set(after)) < len(after) or not set(after) <= {2, 3, 4, 5}:
        raise ValueError(f"after is {after}, expected different blocks out of 2, 3, 4, 5")
    if temporal not in ("nltp", *TEMPORAL):
        raise ValueError(f"temporal is {temporal!r}, expected nltp, {', '.join(TEMPORAL)}")
    if last_stride is None:
        last_stride = 2 if temporal == "ta" else 1
    trunk = FrameNet if after else frame_net
    frames = trunk(backbone, last_stride=last_stride)
    between = {
        block - 1: NLAM(
            frames.widths[block - 1], reduction=reduction, hidden=hidden, zero_start=zero_start
        )
        for block in sorted(after)
    }
    if temporal == "nltp":
        pool, image = NLTP(frames.width, dot_scale=dot_scale, zero_start=zero_start), None
    else:
        pool, image = aggregation(temporal, frames, height, width)
    return ClipNet(frames, pool, num_classes, after=between, image=image)


def nlam_tp(
    backbone: nn.Module | str = "legacy_seresnet50",
    num_classes: int = 0,
    *,
    after: tuple[int, ...] = (4, 5),
) -> ClipNet:
    """NLAM with the plain mean over frames (Table 5, "NLAM + TP")."""
    return nlam_nltp(backbone, num_classes, after=after, temporal="tp")
