"""The 2D network that most methods stand on: a timm ResNet as a stem and four stages.

"Stage k" is timm's ``layer<k>``, the papers' conv<k+1>_x. The last stage keeps its stride of 1:
every strided conv of its first block gets stride 1 and nothing is dilated (timm's
``output_stride=16`` would dilate the later blocks). A method that needs the last map alone takes
`methods.last_map.frame_net`, which knows other networks as well.
"""

import copy
import re

import timm
import torch
from timm.models.convnext import ConvNeXt
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

STAGES = (1, 2, 3, 4)


class NoStages(ValueError):
    """A method needs a ResNet's stages, and its backbone is a ConvNeXt or a vision transformer."""


class FrameNet(nn.Module):
    """Stem and stages of a timm ``ResNet`` or legacy ``SENet``, applied to single frames.

    Args:
        backbone: a timm model, or the name of one (built without weights). A model is copied, not
            taken over.
        last_stride: stride of stage 4: 1 (16×8 cells at 256×128 pixels) or 2 (8×4).
        stem_activation: False leaves out the activation between the stem's BatchNorm and its
            max-pool, as the released STE-NVAN networks do.
        stem_padding: False takes the padding from the stem's max-pool, as in SINet's networks.

    Raises:
        NoStages: the model is a network that `methods.last_map` knows.
        ValueError: the model is no such network; the message names what is missing.
    """

    def __init__(
        self,
        backbone: nn.Module | str,
        *,
        last_stride: int = 1,
        stem_activation: bool = True,
        stem_padding: bool = True,
    ):
        super().__init__()
        check_last_stride(last_stride)
        source = named(backbone) if isinstance(backbone, str) else backbone
        if isinstance(source, ConvNeXt | VisionTransformer):
            raise NoStages(f"the stages of a ResNet are needed, not a {type(source).__name__}")
        if source is backbone:
            source = copy.deepcopy(source)
        legacy = hasattr(source, "layer0")  # legacy SENet keeps its stem there and pools after it
        stem = source.layer0 if legacy else source
        self.conv1, self.bn1 = _part(stem, "conv1", nn.Conv2d), _part(stem, "bn1", nn.BatchNorm2d)
        act = getattr(stem, "act1", None) or getattr(stem, "relu1", None) or nn.ReLU(inplace=True)
        self.act1 = act if stem_activation else nn.Identity()
        self.maxpool = _part(source, "pool0" if legacy else "maxpool", nn.MaxPool2d)
        if not stem_padding:
            self.maxpool.padding = 0
        for stage in STAGES:
            setattr(self, f"layer{stage}", _part(source, f"layer{stage}", nn.Sequential))
        refuse_dilation(self)
        if last_stride == 1:
            _unstride(self.layer4[0])
        self.last_stride = last_stride
        self.widths = {stage: _width(self.stage(stage)) for stage in STAGES}

    @property
    def width(self) -> int:
        """D, channels of the last map."""
        return self.widths[4]

    def map_size(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the last map for images of that size, in pixels."""
        return self.rows(4, height), self.rows(4, width)

    def stage(self, number: int) -> nn.Sequential:
        """The blocks of stage 1 to 4."""
        return getattr(self, f"layer{number}")

    def stem(self, frames: Tensor) -> Tensor:
        """[N, 3, H, W] -> [N, C, H/4, W/4]."""
        return self.maxpool(self.act1(self.bn1(self.conv1(frames))))

    def rows(self, stage: int, height: int) -> int:
        """Rows of a stage's map for images of ``height`` pixels; columns for their width."""
        rows = -(-height // 2)  # conv1; a stride of 2 rounds up
        span = rows + 2 * self.maxpool.padding - 3  # of a 3×3 window's upper left corner
        rows = (-(-span // 2) if self.maxpool.ceil_mode else span // 2) + 1
        for strided in range(2, stage + 1):
            if strided < 4 or self.last_stride == 2:
                rows = -(-rows // 2)
        return rows

    def forward(self, frames: Tensor) -> Tensor:
        """[N, 3, H, W] -> [N, D, H/16, W/16] (last stride 1)."""
        x = self.stem(frames)
        for stage in STAGES:
            x = self.stage(stage)(x)
        return x


def named(backbone: str) -> nn.Module:
    """A timm network by its name, with random weights.

    timm takes more for a name: ``hf-hub:`` fetches a network, ``local-dir:`` reads one. None does
    here.

    Raises:
        ValueError: it is no name of a timm network.
    """
    if not re.fullmatch(r"\w+(\.\w+)?", backbone) or not timm.is_model(backbone):
        raise ValueError(f"backbone {backbone!r} is no name of a timm network, e.g. resnet50")
    return timm.create_model(backbone, pretrained=False)


def check_last_stride(stride: int) -> None:
    """Refuse what no last stage can have.

    Raises:
        ValueError: it is neither 1 nor 2.
    """
    if stride not in (1, 2):
        raise ValueError(f"last_stride is {stride}, expected 1 or 2")


def _part(owner: nn.Module, name: str, kind: type) -> nn.Module:
    part = getattr(owner, name, None)
    if not isinstance(part, kind):
        raise ValueError(
            f"backbone {type(owner).__name__} does not fit: its {name!r} is {type(part).__name__}, "
            f"expected {kind.__name__}; take a timm ResNet with a single-conv stem or a legacy "
            "SENet, e.g. resnet50"
        )
    return part


def refuse_dilation(frames: nn.Module) -> None:
    """Refuse a network with dilated convolutions.

    Raises:
        ValueError: it names the first one.
    """
    for name, module in frames.named_modules():
        if isinstance(module, nn.Conv2d) and module.dilation != (1, 1):
            raise ValueError(
                f"backbone does not fit: its {name} has dilation {module.dilation[0]}; build it "
                "without output_stride, and set last_stride here"
            )


def _unstride(block: nn.Module) -> None:
    for module in block.modules():
        if isinstance(module, nn.Conv2d) and module.stride != (1, 1):
            module.stride = (1, 1)
        elif getattr(module, "stride", 1) not in (1, (1, 1)) and not isinstance(
            module, type(block)
        ):
            raise ValueError(
                f"backbone does not fit: {type(module).__name__} in its last stage pools its way "
                "down, and only strided convolutions can be given stride 1; take e.g. resnet50"
            )


def _width(stage: nn.Sequential) -> int:
    """Channels that leave a stage: those of its last BatchNorm outside squeeze-and-excitation."""
    block = stage[-1]
    norm = getattr(block, "bn3", None) or getattr(block, "bn2", None)
    return norm.num_features


def has_squeeze_excitation(network: nn.Module) -> bool:
    """Whether there is a squeeze-and-excitation block in a timm network, or in a method on it."""
    return any(type(module).__name__.endswith("SEModule") for module in network.modules())


def channels_last(model: nn.Module) -> nn.Module:
    """Lay out its 2D convolutions with the channels innermost, in place: same values, faster.

    Training takes half as long again without on a CPU.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            layer.to(memory_format=torch.channels_last)
    return model
