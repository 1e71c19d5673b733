"""CLIP's image tower on single frames, and the mean of its class tokens: the plain baseline.

Radford et al.: "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021;
as TF-CLIP (Yu et al., AAAI 2024) takes it: ViT-B/16 on 256×128 pixels, 16×8 patches and a class
token. The blocks are timm's; the way through them is ours, because every token is needed and a
vector may be added to the class token alone.

Decisions, not a paper's word:
    * images are normalised with ImageNet's mean and std, as everywhere here and in TF-CLIP's code.
    * the projection is two thirds as wide as the tower, 768 to 512, whatever the tower.
"""

import copy

import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from methods.backbone import named
from methods.head import Head
from methods.last_map import patch_grid
from methods.output import ClipOutput, check_clips

VIT = "vit_base_patch16_clip_quickgelu_224"


class CLIPTower(nn.Module):
    """A timm vision transformer that gives all its tokens, and CLIP's projection of them.

    Args:
        backbone: a timm ``VisionTransformer`` with a class token, or the name of one (built
            without weights). A model is copied, not taken over. Its position embeddings are
            resized bilinearly from its own grid of patches to that of the images.
        height: of the images, in pixels: a multiple of the patch.
        width: likewise.

    Raises:
        ValueError: the model is no such transformer, or the patches do not tile the images.
    """

    def __init__(self, backbone: nn.Module | str, *, height: int, width: int):
        super().__init__()
        source = named(backbone) if isinstance(backbone, str) else backbone
        _check_transformer(source)
        source, self.size = copy.deepcopy(source), (height, width)
        self.patch_embed = source.patch_embed.proj  # [N, 3, H, W] -> [N, D, rows, columns]
        self.grid = patch_grid(self.size, self.patch_embed.kernel_size)
        embeddings = resized(source.pos_embed.data, source.patch_embed.grid_size, self.grid)
        self.cls_token, self.pos_embed = source.cls_token, nn.Parameter(embeddings)
        self.norm_pre, self.blocks, self.norm = source.norm_pre, source.blocks, source.norm
        self.width, self.heads = source.embed_dim, source.blocks[0].attn.num_heads
        self.proj = _projection(source.head, self.width)
        self.projected_width = self.proj.out_features

    def forward(self, frames: Tensor, added: Tensor | None = None) -> Tensor:
        """[N, 3, H, W] -> [N, 1 + patches, D], after the last LayerNorm; the class token first.

        Args:
            frames: ImageNet-normalised.
            added: [N, D] or [1, D], added to the class token before the position embeddings.
        """
        patches = self.patch_embed(frames).flatten(2).transpose(1, 2)  # [N, patches, D]
        first = self.cls_token if added is None else self.cls_token + added[:, None]
        x = torch.cat([first.expand(frames.shape[0], -1, -1), patches], 1) + self.pos_embed
        return self.norm(self.blocks(self.norm_pre(x)))

    def tokens(self, clips: Tensor, added: Tensor | None = None) -> Tensor:
        """[B, T, 3, H, W] -> [B, T, 1 + patches, D]; ``added`` [B, D] or [1, D] is a clip's.

        Raises:
            ValueError: these are no clips, or their images have another size.
        """
        check_clips(clips)
        if tuple(clips.shape[3:]) != self.size:
            raise ValueError(
                f"images are {clips.shape[3]}×{clips.shape[4]} pixels, but the network has "
                f"position embeddings for {self.size[0]}×{self.size[1]}: build it with "
                f"height={clips.shape[3]} and width={clips.shape[4]}"
            )
        if added is not None and added.shape[0] > 1:
            added = added.repeat_interleave(clips.shape[1], 0)  # [B*T, D]
        return self(clips.flatten(0, 1), added).unflatten(0, clips.shape[:2])


def resized(embeddings: Tensor, grid: tuple[int, int], wanted: tuple[int, int]) -> Tensor:
    """Position embeddings of another grid: [1, 1 + h*w, D] -> [1, 1 + h'*w', D].

    Bilinear, corners not aligned, no antialiasing (TF-CLIP); the class token keeps its own.
    """
    first, patches = embeddings[:, :1], embeddings[:, 1:]
    patches = patches.unflatten(1, grid).permute(0, 3, 1, 2)  # [1, D, h, w]
    patches = F.interpolate(patches, wanted, mode="bilinear", align_corners=False)
    return torch.cat([first, patches.flatten(2).transpose(1, 2)], 1)


def _check_transformer(source: nn.Module) -> None:
    fits = isinstance(source, VisionTransformer)
    fits = fits and source.has_class_token and source.pos_embed is not None
    fits = fits and not source.num_reg_tokens and not source.no_embed_class
    if not fits:
        raise ValueError(
            f"backbone {type(source).__name__} does not fit: expected a timm VisionTransformer "
            f"with a class token and learned position embeddings, e.g. {VIT}"
        )


def _projection(head: nn.Module, width: int) -> nn.Linear:
    """CLIP's projection without bias: the backbone's head where it has one, else a new one."""
    layer = nn.Linear(width, width * 2 // 3, bias=False)
    nn.init.normal_(layer.weight, std=width**-0.5)
    if isinstance(head, nn.Linear) and head.weight.shape == layer.weight.shape:
        layer.weight.data.copy_(head.weight.data)  # timm keeps it there, with a bias of 0
    return layer


class CLIPViT(nn.Module):
    """The tower, the mean over frames of its class token, and of the token's projection.

    The feature is f₁ ⊕ f₂: f₁ = mean over frames of the class token, f₂ its projection.
    """

    distance = "cosine"

    def __init__(self, backbone: nn.Module | str, num_classes: int, *, height: int, width: int):
        super().__init__()
        self.tower = CLIPTower(backbone, height=height, width=width)
        self.head = Head(self.tower.width + self.tower.projected_width, num_classes)

    @property
    def neck(self) -> nn.Module:
        """From metric to embedding."""
        return self.head.neck

    def forward(self, clips: Tensor) -> ClipOutput:
        """[B, T, 3, H, W] -> `ClipOutput`; ``metric`` before BN, ``embedding`` after it."""
        f1 = self.tower.tokens(clips)[:, :, 0].mean(1)  # [B, D]
        return self.head(torch.cat([f1, self.tower.proj(f1)], 1))

    def attention(self, clips: Tensor) -> dict[str, Tensor]:
        """Nothing: what a frame's tokens say to each other is the tower's, not the method's."""
        return {}


def clip_vit_avg(
    backbone: nn.Module | str = VIT, num_classes: int = 0, *, height: int = 256, width: int = 128
) -> CLIPViT:
    """CLIP's ViT-B/16 with mean pooling over frames: TF-CLIP's baseline (its Supp. Table 7)."""
    return CLIPViT(backbone, num_classes, height=height, width=width)
