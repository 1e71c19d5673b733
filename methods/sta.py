"""STA: spatial-temporal attention without parameters.

Fu, Wang, Wei, Huang: "STA: Spatial-Temporal Attention for Large-Scale Video-based Person
Re-Identification", AAAI 2019. Equations and tables below are this paper's. Frames are N there, T
here; its K horizontal blocks are ``blocks``.

Decisions, not the paper's word:
    * the retrieval feature X has ``dimensions`` = 1024 dimensions, and neither BN nor activation
      follows it;
    * λ = ``regularisation`` = 1.0;
    * eq. 6 is taken as printed, the norm, not its square as the text says;
    * in evaluation, where nothing may be random, the penalty compares the first and the last frame.
"""

import torch
from torch import Tensor, nn

from methods.head import Head
from methods.last_map import frame_net
from methods.output import ClipOutput, check_clips
from methods.precision import without_autocast

EPS = 1e-12


class STA(nn.Module):
    """Scores each horizontal block of each frame and fuses the frames by these scores (Fig. 1).

    Args:
        backbone: timm model or name.
        num_classes: identities of the classifier; 0 leaves it out.
        fusion: how frames become one map: ``mean`` over frames, ``attention`` (weighted by the
            scores) or ``both`` (the best blocks beside the weighted ones, Alg. 1).
        blocks: number K of horizontal blocks; must divide the rows of the last stage.
        regularisation: weight λ of the inter-frame penalty (eq. 7); 0 leaves it out.
        dimensions: of the retrieval feature.
    """

    distance = "euclidean"

    def __init__(
        self,
        backbone: nn.Module | str,
        num_classes: int,
        *,
        fusion: str = "both",
        blocks: int = 4,
        regularisation: float = 1.0,
        dimensions: int = 1024,
    ):
        super().__init__()
        if blocks < 1:
            raise ValueError(f"blocks is {blocks}, expected 1 or more")
        self.fusion, self.blocks, self.regularisation = fusion, blocks, regularisation
        self.frames = frame_net(backbone)
        maps = 2 if fusion == "both" else 1
        self.fc = nn.Linear(maps * self.frames.width, dimensions)
        self.head = Head(dimensions, num_classes, neck="none")

    @property
    def neck(self) -> nn.Module:
        """From metric to embedding."""
        return self.head.neck

    def forward(self, clips: Tensor) -> ClipOutput:
        """[B, T, 3, H, W] -> `ClipOutput`; ``metric`` and ``embedding`` are both the feature X."""
        features = self.features(clips)  # [B, T, D, H', W']
        with without_autocast(clips):  # Σ f² would overflow float16
            features = features.float()
            maps = attention_maps(features)  # [B, T, H', W']
            fused = self._fuse(features, maps)  # [B, D or 2D, H', W']
            penalties = {}
            if self.regularisation:
                penalties["inter_frame"] = self.regularisation * inter_frame_penalty(
                    maps, self.training
                )
        x = self.fc(fused.mean((2, 3)))  # [B, dimensions], eq. 8
        return self.head(x, penalties)

    def _fuse(self, features: Tensor, maps: Tensor) -> Tensor:
        if self.fusion == "mean":
            return features.mean(1)
        best, weighted = fuse(features, block_scores(maps, self.blocks))
        return weighted if self.fusion == "attention" else torch.cat([best, weighted], 1)

    def features(self, clips: Tensor) -> Tensor:
        """[B, T, 3, H, W] -> the last stage's maps f_n, [B, T, D, H/16, W/16]."""
        check_clips(clips)
        rows, _ = self.frames.map_size(*clips.shape[3:])
        if rows % self.blocks:
            fit = [k for k in range(1, rows + 1) if rows % k == 0]
            raise ValueError(
                f"K = {self.blocks} blocks do not divide the {rows} rows of H = {clips.shape[3]}: "
                f"K in {fit}"
            )
        return self.frames(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])

    @torch.no_grad()
    def attention(self, clips: Tensor) -> dict[str, Tensor]:
        """The scores S(n, k) of eq. 4 as ``scores``, [B, T, K]; over the frames they sum to 1."""
        return {"scores": block_scores(attention_maps(self.features(clips).float()), self.blocks)}


def attention_maps(features: Tensor) -> Tensor:
    """g_n(h, w) of eq. 1: [B, T, D, H, W] -> [B, T, H, W]; each frame sums to 1."""
    energy = features.square().sum(2)
    return energy / energy.sum((2, 3), keepdim=True).clamp_min(EPS)


def block_scores(maps: Tensor, blocks: int) -> Tensor:
    """S(n, k) of eqs. 2 to 4: [B, T, H, W] -> [B, T, K]; over the frames each block sums to 1."""
    s = maps.unflatten(2, (blocks, -1)).abs().sum((3, 4))  # eq. 3
    return s / s.sum(1, keepdim=True).clamp_min(EPS)  # eq. 4


def fuse(features: Tensor, scores: Tensor) -> Tensor:
    """Algorithm 1: [B, T, D, H, W] and [B, T, K] -> [B, 2D, H, W].

    The first half takes each block from the frame that scores best there, the second is the sum
    weighted by the scores.
    """
    batch, _, blocks = scores.shape
    parts = features.unflatten(3, (blocks, -1))  # [B, T, D, K, H/K, W]
    b = torch.arange(batch, device=features.device)[:, None]
    k = torch.arange(blocks, device=features.device)[None]
    best = parts[b, scores.argmax(1), :, k].transpose(1, 2)  # [B, D, K, H/K, W]
    mean = torch.einsum("btk,btdkhw->bdkhw", scores, parts)  # [B, D, K, H/K, W]
    return best.flatten(2, 3), mean.flatten(2, 3)


def inter_frame_penalty(maps: Tensor, training: bool) -> Tensor:
    """‖g_i − g_j‖_F of eq. 6 for two frames of each clip, mean over clips; 0 for one frame.

    Training draws i and j at random for each clip; evaluation takes the first and the last frame.
    """
    batch, frames = maps.shape[:2]
    if frames == 1:
        return maps.new_zeros(())
    if training:
        i = torch.randint(frames, (batch,), device=maps.device)
        j = (i + torch.randint(1, frames, (batch,), device=maps.device)) % frames
    else:
        i, j = torch.zeros(batch, dtype=torch.long), torch.full((batch,), frames - 1)
    b = torch.arange(batch)
    # vector_norm has a finite gradient at 0
    return torch.linalg.vector_norm(maps[b, i] - maps[b, j], dim=(1, 2)).mean()


def sta_baseline(
    backbone: nn.Module | str = "resnet50", num_classes: int = 0, *, dimensions: int = 1024
) -> STA:
    """Frames averaged; the paper trains it on single frames (Table 1, "Baseline").

    On clips of more than one frame it is the same network as `sta_avg`.
    """
    return STA(backbone, num_classes, fusion="mean", regularisation=0.0, dimensions=dimensions)


def sta_avg(
    backbone: nn.Module | str = "resnet50", num_classes: int = 0, *, dimensions: int = 1024
) -> STA:
    """Mean over the frames of a clip, D channels (Table 1, "Baseline + TL + Avg")."""
    return STA(backbone, num_classes, fusion="mean", regularisation=0.0, dimensions=dimensions)


def sta_attention(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    blocks: int = 4,
    dimensions: int = 1024,
) -> STA:
    """The sum weighted by the scores alone, D channels (Table 1, "Baseline + TL + STA")."""
    return STA(
        backbone,
        num_classes,
        fusion="attention",
        blocks=blocks,
        regularisation=0.0,
        dimensions=dimensions,
    )


def sta_fusion(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    blocks: int = 4,
    dimensions: int = 1024,
) -> STA:
    """Both halves of Alg. 1, without the penalty (Table 1, "Baseline + TL + STA + Fusion")."""
    return STA(backbone, num_classes, blocks=blocks, regularisation=0.0, dimensions=dimensions)


def sta(
    backbone: nn.Module | str = "resnet50",
    num_classes: int = 0,
    *,
    blocks: int = 4,
    regularisation: float = 1.0,
    dimensions: int = 1024,
) -> STA:
    """STA with fusion and inter-frame regularisation (Table 1, last row)."""
    return STA(
        backbone, num_classes, blocks=blocks, regularisation=regularisation, dimensions=dimensions
    )
