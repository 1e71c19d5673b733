"""TF-CLIP: one memory token a frame, exchanged between frames, then diffused to every patch.

Yu, Liu, Wang, Zhang, Lu: "TF-CLIP: Learning Text-free CLIP for Video-based Person
Re-Identification", AAAI 2024.

Decisions, not the paper's word:
    * ``cameras=0`` has no camera embedding. With it, a network that is not told the camera takes
      the mean of the rows; the authors' always is told, in training and in test.
    * the logits of f₃ and of single frames share a classifier, as in the authors' code.
    * the loss of single frames weighs 1/T: 1/8 for the paper's 8 frames.
    * new layers start as PyTorch's attention and linear layers do, as the authors' do.
"""

from collections.abc import Mapping

import torch
from timm.layers import QuickGELU
from timm.models.vision_transformer import Attention, Block
from torch import Tensor, nn

from methods.clip_memory import CLIPMemory, MemoryPass
from methods.clip_vit import VIT, CLIPTower
from methods.output import ClipOutput, HeadOutput


class TemporalMemoryDiffusion(nn.Module):
    """TMD: a memory token for each frame, and a block in which patches and memory attend."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.message = nn.Linear(width, width)  # W_m
        self.norm = nn.LayerNorm(width)
        self.between_frames = Attention(width, heads, qkv_bias=True)
        kinds = {"act_layer": QuickGELU, "norm_layer": nn.LayerNorm}  # its eps is 1e-5
        self.block = Block(width, heads, qkv_bias=True, **kinds)
        for attention in (self.between_frames, self.block.attn):
            nn.init.xavier_uniform_(attention.qkv.weight)
            nn.init.zeros_(attention.qkv.bias)
            nn.init.zeros_(attention.proj.bias)

    def with_memory(self, tokens: Tensor) -> Tensor:
        """[B, T, N, D] -> [B*T, N + 1, D]: each frame's tokens, then its memory."""
        memory = self.message(tokens.mean(2))  # [B, T, D]
        memory = memory + self.between_frames(self.norm(memory))
        return torch.cat([tokens, memory[:, :, None]], 2).flatten(0, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, T, N, D] -> [B, T, N + 1, D]; no LayerNorm follows."""
        return self.block(self.with_memory(tokens)).unflatten(0, tokens.shape[:2])

    def attention(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Means over heads: between memories [B, T, T]; of each memory to its frame [B, T, N]."""
        memory = self.norm(self.message(tokens.mean(2)))
        between = _weights(self.between_frames, memory)
        inside = _weights(self.block.attn, self.block.norm1(self.with_memory(tokens)))
        return between, inside[:, -1, :-1].unflatten(0, tokens.shape[:2])


def _weights(layer: Attention, x: Tensor) -> Tensor:
    """Attention of a timm layer, the mean over its heads: [B, N, D] -> [B, N, N]."""
    q, k, _ = layer.qkv(x).unflatten(2, (3, layer.num_heads, -1)).unbind(2)  # [B, N, heads, d]
    return torch.einsum("bihd,bjhd->bhij", q * layer.scale, k).softmax(-1).mean(1)


class TFCLIPHead(nn.Module):
    """TF-CLIP's own head: retrieval by f₁ ⊕ f₂ ⊕ f₃ as it is, losses on each part.

    Args:
        widths: of f₁, f₂ and f₃.
        num_classes: identities; 0 leaves out everything but the embedding.
        memory: whether there is a CLIP-Memory with its prompts.
    """

    def __init__(self, widths: tuple[int, int, int], num_classes: int, *, memory: bool):
        super().__init__()
        self.widths, self.width = widths, sum(widths)
        self.neck = nn.Identity()
        self.classifier = Classifiers(widths, num_classes, memory) if num_classes else None

    @property
    def memory(self) -> CLIPMemory | None:
        """The memory, where there is one."""
        return None if self.classifier is None else self.classifier.memory

    def forward(
        self,
        feature: Tensor,
        penalties: Mapping[str, Tensor] | None = None,
        frames: Tensor | None = None,
        patches: Tensor | None = None,
    ) -> ClipOutput:
        """f₁ ⊕ f₂ ⊕ f₃ [B, 2048] -> `ClipOutput`; ``logits`` are those of f₁.

        Args:
            feature: the three parts.
            penalties: further losses.
            frames: [B, T, D] feature of each frame, the mean over its tokens.
            patches: [B, N, D'] mean projected tokens of the clip, for the memory; None leaves the
                memory out.
        """
        heads: tuple[HeadOutput, ...] = ()
        if self.classifier is not None:
            heads = self.classifier(feature.split(self.widths, 1), frames, patches)
        logits = heads[0].logits if heads else None
        embedding = self.neck(feature).float()
        return ClipOutput(embedding, feature.float(), logits, dict(penalties or {}), heads)


class Classifiers(nn.Module):
    """What only training needs: necks and classifiers of the parts and frames, and the memory."""

    def __init__(self, widths: tuple[int, int, int], num_classes: int, memory: bool):
        super().__init__()
        self.necks = nn.ModuleList(nn.BatchNorm1d(w) for w in (*widths, widths[2]))
        self.first, self.projected, self.temporal = (
            nn.Linear(w, num_classes, bias=False) for w in widths
        )
        for layer in (self.first, self.projected, self.temporal):
            nn.init.normal_(layer.weight, std=0.001)
        for neck in self.necks:
            neck.bias.requires_grad_(False)  # fixed at 0
        self.memory = CLIPMemory(num_classes, widths[1]) if memory else None

    def forward(
        self, parts: tuple[Tensor, ...], frames: Tensor, patches: Tensor | None
    ) -> tuple[HeadOutput, ...]:
        """f₁, f₂, f₃ [B, D] each, frames [B, T, D] -> heads of f₁, f₂, f₃, frames and memory."""
        layers = (self.first, self.projected, self.temporal)
        heads = []
        for part, neck, layer in zip(parts, self.necks[:3], layers, strict=True):
            normed = neck(part)
            heads.append(HeadOutput(normed.float(), part.float(), layer(normed), 0.25, 1.0))
        logits = self.temporal(self.necks[3](frames.flatten(0, 1)))  # [B*T, num_classes]
        heads.append(HeadOutput(None, None, logits, 1 / frames.shape[1], 0.0))
        if patches is not None:
            heads.append(HeadOutput(None, None, self.memory(parts[1], patches), 1.0, 0.0))
        return tuple(heads)


class TFCLIP(nn.Module):
    """CLIP's image tower, temporal memory diffusion, and three features joined.

    Args:
        backbone: a timm vision transformer or its name.
        num_classes: identities of the classifiers; 0 leaves them out, and the memory.
        height: of the images, in pixels; ``width`` likewise.
        cameras: rows of the camera embedding; 0 has none.
        memory: train against a CLIP-Memory with sequence-specific prompts.
    """

    distance = "cosine"

    def __init__(
        self,
        backbone: nn.Module | str,
        num_classes: int,
        *,
        height: int,
        width: int,
        cameras: int,
        memory: bool,
    ):
        super().__init__()
        if cameras < 0:
            raise ValueError(f"cameras is {cameras}, expected the number of cameras, or 0 for none")
        self.tower = CLIPTower(backbone, height=height, width=width)
        wide, projected = self.tower.width, self.tower.projected_width
        self.camera = nn.Parameter(torch.zeros(cameras, wide)) if cameras else None
        if self.camera is not None:
            nn.init.trunc_normal_(self.camera, std=0.02)
        self.diffusion = TemporalMemoryDiffusion(wide, self.tower.heads)
        self.head = TFCLIPHead((wide, projected, wide), num_classes, memory=memory)

    @property
    def neck(self) -> nn.Module:
        """From metric to embedding."""
        return self.head.neck

    def forward(self, clips: Tensor, cameras: Tensor | None = None) -> ClipOutput:
        """[B, T, 3, H, W] -> `ClipOutput`; ``embedding`` is f₁ ⊕ f₂ ⊕ f₃, before any BN.

        Args:
            clips: ImageNet-normalised.
            cameras: [B] rows of the camera embedding, from 0; None takes the mean of the rows.

        Raises:
            ValueError: clips or cameras do not fit.
        """
        tokens = self.tower.tokens(clips, self._camera(cameras, clips.shape[0]))  # [B, T, N, D]
        f1 = tokens[:, :, 0].mean(1)  # [B, D]
        f2 = self.tower.proj(f1)  # [B, D']
        frames = self.diffusion(tokens.detach()).mean(2)  # [B, T, D]
        feature = torch.cat([f1, f2, frames.mean(1)], 1)
        if not isinstance(self.head, TFCLIPHead):
            return self.head(feature)
        remember = self.training and self.head.memory is not None
        patches = self.tower.proj(tokens.mean(1)) if remember else None  # [B, N, D']
        return self.head(feature, None, frames, patches)

    def preparation(self, classes: Tensor) -> MemoryPass | None:
        """What has to be done before the first step of training; None where there is nothing.

        Args:
            classes: [N] class of each training tracklet.
        """
        memory = self.head.memory if isinstance(self.head, TFCLIPHead) else None
        if memory is None or memory.filled:
            return None
        return MemoryPass(memory, self._projected_mean, classes)

    @torch.no_grad()
    def attention(self, clips: Tensor) -> dict[str, Tensor]:
        """``memory_pairs`` [B, T, T] of the memories; ``memory_shares`` [B, T, rows, columns].

        The second is how each frame's memory token attends to the patches of its frame, as shares
        of all its attention; the rest goes to class token and memory.
        """
        tokens = self.tower.tokens(clips, self._camera(None, clips.shape[0]))
        between, inside = self.diffusion.attention(tokens)
        maps = inside[:, :, 1:].unflatten(2, self.tower.grid)
        return {"memory_pairs": between, "memory_shares": maps}

    def _projected_mean(self, clips: Tensor) -> Tensor:
        """A clip's vector in the memory, without a camera: [B, T, 3, H, W] -> [B, D']."""
        return self.tower.proj(self.tower.tokens(clips)[:, :, 0].mean(1))

    def _camera(self, cameras: Tensor | None, batch: int) -> Tensor | None:
        """What is added to the class token: [B, D] or [1, D], or None."""
        if cameras is None:
            return None if self.camera is None else self.camera.mean(0, keepdim=True)
        if self.camera is None:
            raise ValueError(
                "the network has no camera embedding: build it with cameras=N, or give no cameras"
            )
        if cameras.shape != (batch,):
            raise ValueError(f"cameras have shape {list(cameras.shape)}, expected [{batch}]")
        return self.camera[cameras]


def tf_clip(
    backbone: nn.Module | str = VIT,
    num_classes: int = 0,
    *,
    height: int = 256,
    width: int = 128,
    cameras: int = 0,
    memory: bool = True,
) -> TFCLIP:
    """TF-CLIP (Table 1); ``memory=False`` trains with classifiers and triplets alone."""
    return TFCLIP(backbone, num_classes, height=height, width=width, cameras=cameras, memory=memory)
