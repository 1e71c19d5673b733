"""Networks without a ResNet's stages, for methods that need the last map alone.

`frame_net` takes any backbone that has one: a ResNet of timm's (`methods.backbone.FrameNet`), a
ConvNeXt or a vision transformer. timm's pooling and classifier are left out; a norm that timm
applies to the pooled feature is applied to every cell.

What ``last_stride`` = 1 means:
    * ConvNeXt: the 2×2 convolution before stage 4 takes steps of one cell, padded by a row and a
      column of zeros below and to the right. Every other cell of its map is what it was with steps
      of two: 16×8 cells at 256×128 pixels, as of a ResNet.
    * vision transformer: nothing; its cells are its patches. Class and register tokens are dropped.
"""

import copy

from timm.layers import PatchEmbed
from timm.models.convnext import ConvNeXt
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from methods.backbone import FrameNet, check_last_stride, named, refuse_dilation


class ConvNeXtMap(nn.Module):
    """A timm ``ConvNeXt``, applied to single frames; it is taken over, not copied.

    Raises:
        ValueError: it is dilated.
    """

    def __init__(self, trunk: ConvNeXt, *, last_stride: int):
        super().__init__()
        refuse_dilation(trunk)
        trunk.reset_classifier(0, "")
        self.trunk, self.width = trunk, trunk.head_hidden_size
        if last_stride == 1:
            norm, conv = trunk.stages[3].downsample
            conv.stride = (1, 1)
            trunk.stages[3].downsample = nn.Sequential(norm, nn.ZeroPad2d((0, 1, 0, 1)), conv)

    def map_size(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the map for images of that size, in pixels."""
        size = height, width
        for part in (self.trunk.stem, *(stage.downsample for stage in self.trunk.stages)):
            for layer in part.modules():
                if isinstance(layer, nn.ZeroPad2d):
                    size = size[0] + 1, size[1] + 1
                elif isinstance(layer, nn.Conv2d):
                    (kernel, _), (stride, _), (pad, _) = (
                        layer.kernel_size,
                        layer.stride,
                        layer.padding,
                    )
                    size = tuple((length + 2 * pad - kernel) // stride + 1 for length in size)
        return size

    def forward(self, frames: Tensor) -> Tensor:
        """[N, 3, H, W] -> [N, D, H/16, W/16] (last stride 1).

        Raises:
            ValueError: the images are smaller than one cell of the map.
        """
        if min(self.map_size(*frames.shape[2:])) < 1:
            size = "×".join(str(int(length)) for length in frames.shape[2:])
            raise ValueError(f"images of {size} pixels are too small for a ConvNeXt: 32×32 will do")
        return self.trunk(frames)


class TransformerMap(nn.Module):
    """A timm ``VisionTransformer``, applied to single frames; it is taken over, not copied.

    It takes images of one size: that which it was built for, until `fit` names another.

    Raises:
        ValueError: its patches are made by another network.
    """

    def __init__(self, tower: VisionTransformer):
        super().__init__()
        if not isinstance(tower.patch_embed, PatchEmbed):
            made = type(tower.patch_embed).__name__
            raise ValueError(f"backbone does not fit: its patches are made by {made}")
        tower.reset_classifier(0, "")
        self.tower, self.width = tower, tower.embed_dim

    def fit(self, height: int, width: int) -> None:
        """Resample the position embeddings to images of that size, in pixels, as timm does.

        Raises:
            ValueError: the patches do not tile such images.
        """
        self.map_size(height, width)
        self.tower.set_input_size(img_size=(height, width))

    def map_size(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of patches.

        Raises:
            ValueError: the patches do not tile such images.
        """
        return patch_grid((height, width), self.tower.patch_embed.patch_size)

    def forward(self, frames: Tensor) -> Tensor:
        """[N, 3, H, W] -> [N, D, rows, columns].

        Raises:
            ValueError: the images have another size.
        """
        (height, width), (given, across) = self.tower.patch_embed.img_size, frames.shape[2:]
        if (given, across) != (height, width):
            raise ValueError(
                f"images are {given}×{across} pixels, but the network has position embeddings for "
                f"{height}×{width}: build it for the others, zoo.create(…, size=({given}, "
                f"{across}))"
            )
        tokens = self.tower.fc_norm(self.tower.forward_features(frames))
        patches = tokens[:, self.tower.num_prefix_tokens :]  # [N, rows * columns, D]
        return patches.transpose(1, 2).unflatten(2, self.map_size(height, width))


Frames = FrameNet | ConvNeXtMap | TransformerMap


def frame_net(
    backbone: nn.Module | str, *, last_stride: int = 1, stem_activation: bool = True
) -> Frames:
    """The network that gives a method the last map of each frame, [N, 3, H, W] -> [N, D, h, w].

    ``width`` is D, ``map_size(H, W)`` is (h, w).

    Args:
        backbone: a timm ResNet or legacy SENet, ConvNeXt or vision transformer, or the name of one
            (built without weights). A model is copied, not taken over.
        last_stride: of stage 4, 1 or 2; see above for what it means elsewhere.
        stem_activation: see `FrameNet`; other networks have none to leave out.

    Raises:
        ValueError: the backbone is none of these; the message says what is missing.
    """
    source = named(backbone) if isinstance(backbone, str) else backbone
    if not isinstance(source, ConvNeXt | VisionTransformer):
        return FrameNet(source, last_stride=last_stride, stem_activation=stem_activation)
    check_last_stride(last_stride)
    if not stem_activation:
        raise ValueError(
            f"stem_activation=False is for ResNets: a {type(source).__name__} has none to leave out"
        )
    source = copy.deepcopy(source)
    if isinstance(source, ConvNeXt):
        return ConvNeXtMap(source, last_stride=last_stride)
    return TransformerMap(source)


def fit_images(model: nn.Module, size: tuple[int, int]) -> None:
    """Make the vision transformers under a method ready for images of (height, width) pixels.

    Raises:
        ValueError: their patches do not tile such images.
    """
    for part in model.modules():
        if isinstance(part, TransformerMap):
            part.fit(*size)


def patch_grid(size: tuple[int, int], patch: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of patches of an image.

    Raises:
        ValueError: they do not tile it.
    """
    (height, width), (tall, wide) = size, patch
    if height % tall or width % wide or not (height and width):
        raise ValueError(
            f"images of {height}×{width} pixels cannot be cut into patches of {tall}×{wide}: "
            f"height must be a multiple of {tall} and width of {wide}"
        )
    return height // tall, width // wide
