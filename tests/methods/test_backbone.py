"""The 2D network: its last stride, the sizes of its maps, and what it refuses."""

import pytest
import timm
import torch
import torch.nn.functional as F
from torch import nn

from methods.backbone import FrameNet, NoStages, has_squeeze_excitation
from methods.clip_vit import CLIPTower


def by_hand(net, x, strides):
    """A ResNet of bottlenecks, its strides written out: (layer1, layer2, layer3, layer4)."""

    def norm(bn, x):
        shape = (1, -1, 1, 1)
        x = (x - bn.running_mean.view(shape)) / (bn.running_var.view(shape) + bn.eps).sqrt()
        return x * bn.weight.view(shape) + bn.bias.view(shape)

    x = norm(net.bn1, F.conv2d(x, net.conv1.weight, stride=2, padding=3)).relu()
    x = F.max_pool2d(x, 3, 2, 1)
    stages = (net.layer1, net.layer2, net.layer3, net.layer4)
    for stage, stride in zip(stages, strides, strict=True):
        for i, block in enumerate(stage):
            step = stride if i == 0 else 1
            y = norm(block.bn1, F.conv2d(x, block.conv1.weight)).relu()
            y = norm(block.bn2, F.conv2d(y, block.conv2.weight, stride=step, padding=1)).relu()
            y = norm(block.bn3, F.conv2d(y, block.conv3.weight))
            if block.downsample is not None:
                x = norm(block.downsample[1], F.conv2d(x, block.downsample[0].weight, stride=step))
            x = (x + y).relu()
    return x


@pytest.mark.parametrize(("last_stride", "strides"), [(1, (1, 2, 2, 1)), (2, (1, 2, 2, 2))])
def test_network_is_a_resnet_of_these_strides(narrow, wake, draw, error, last_stride, strides):
    source = wake(narrow(layers=(1, 2, 2, 3)))
    x = draw(2, 3, 64, 32)
    with torch.no_grad():
        found = FrameNet(source, last_stride=last_stride).eval()(x)
        wanted = by_hand(source.double(), x.double(), strides)
    assert error(found, wanted) < 1e-5


def test_last_stride_1_is_not_dilation(narrow, wake, draw, error):
    """Timm's output_stride=16 looks the same until its last BatchNorms are no longer 0."""
    source = narrow(layers=(1, 1, 1, 3))
    dilated = timm.create_model(
        "resnet50", channels=(4, 8, 8, 16), layers=(1, 1, 1, 3), output_stride=16
    )
    x = draw(2, 3, 64, 32)
    with torch.no_grad():
        dilated.load_state_dict(source.state_dict())
        fresh = FrameNet(source).eval()(x)
        assert torch.allclose(fresh, dilated.eval().forward_features(x), atol=1e-5)
        dilated.load_state_dict(wake(source).state_dict())
        woken = FrameNet(source).eval()(x)
        assert error(dilated.forward_features(x), woken.double()) > 0.01


def test_legacy_senet_loses_the_stride_of_its_first_convolution():
    source = timm.create_model("legacy_seresnet50")
    assert source.layer4[0].conv1.stride == (2, 2) == source.layer4[0].downsample[0].stride
    net = FrameNet(source)
    assert all(m.stride == (1, 1) for m in net.layer4.modules() if isinstance(m, nn.Conv2d))
    assert all(m.dilation == (1, 1) for m in net.layer4.modules() if isinstance(m, nn.Conv2d))


@pytest.mark.parametrize("name", ["resnet18", "seresnet18", "legacy_seresnet18"])
def test_with_stride_2_it_is_the_network_that_was_given(name, wake, draw):
    source = wake(timm.create_model(name))
    x = draw(1, 3, 64, 32)
    with torch.no_grad():
        wanted = source.forward_features(x)
        assert torch.equal(FrameNet(source, last_stride=2).eval()(x), wanted)


def test_given_model_is_copied(narrow):
    source = narrow()
    FrameNet(source)
    assert source.layer4[0].conv2.stride == (2, 2)


@pytest.mark.parametrize("name", ["resnet18", "legacy_seresnet50"])
@pytest.mark.parametrize("last_stride", [1, 2])
@pytest.mark.parametrize("stem_padding", [True, False])
def test_rows_are_those_of_the_map(name, last_stride, stem_padding):
    net = FrameNet(timm.create_model(name), last_stride=last_stride, stem_padding=stem_padding)
    net = net.to("meta")
    for height in (33, 34, 63, 70):
        x = net.stem(torch.empty(1, 3, height, 64, device="meta"))
        for stage in (1, 2, 3, 4):
            x = net.stage(stage)(x)
            assert net.rows(stage, height) == x.shape[2], (height, stage)


def test_stem_activation_stands_between_norm_and_pool(narrow, wake, draw):
    source, x = wake(narrow()), draw(2, 3, 64, 32)
    with torch.no_grad():
        normed = source.bn1(source.conv1(x))
        assert torch.equal(FrameNet(source).eval().stem(x), source.maxpool(normed.relu()))
        without = FrameNet(source, stem_activation=False).eval().stem(x)
        assert torch.equal(without, source.maxpool(normed)) and (without < 0).any()


def test_stem_padding_false_pools_whole_windows_only(narrow, wake, draw):
    source, x = wake(narrow()), draw(2, 3, 64, 34)
    with torch.no_grad():
        active = source.bn1(source.conv1(x)).relu()
        without = FrameNet(source, stem_padding=False).eval().stem(x)
        assert torch.equal(without, F.max_pool2d(active, 3, 2))
    assert without.shape[2:] == (15, 8)
    assert FrameNet(source).stem(x).shape[2:] == (16, 9)


def test_widths_are_those_of_the_stages(narrow):
    assert FrameNet(narrow()).widths == {1: 16, 2: 32, 3: 32, 4: 64}
    assert FrameNet("resnet18").widths == {1: 64, 2: 128, 3: 256, 4: 512}
    assert FrameNet("legacy_seresnet50").widths == {1: 256, 2: 512, 3: 1024, 4: 2048}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet50d", {}, "its 'conv1' is Sequential, expected Conv2d"),
        ("efficientnet_b0", {}, "'conv1' is NoneType"),
        ("resnetaa50", {}, "'maxpool' is AvgPool2d"),
        ("resnet18", {"avg_down": True}, "AvgPool2d in its last stage pools its way down"),
    ],
)
def test_other_networks_are_refused_by_name_of_what_is_missing(name, options, message):
    with pytest.raises(ValueError, match=message):
        FrameNet(timm.create_model(name, **options))


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "convnext_atto"])
def test_a_network_without_a_resnet_s_stages_is_refused_as_such(name):
    with torch.device("meta"):
        source = timm.create_model(name)
    with pytest.raises(NoStages, match=f"needed, not a {type(source).__name__}"):
        FrameNet(source)


def test_dilated_networks_are_refused():
    with pytest.raises(ValueError, match=r"layer4\.\d\.conv2 has dilation 2"):
        FrameNet(timm.create_model("resnet50", channels=(4, 8, 8, 16), output_stride=16))


def test_last_stride_is_1_or_2(narrow):
    with pytest.raises(ValueError, match="last_stride is 3"):
        FrameNet(narrow(), last_stride=3)


@pytest.mark.parametrize(
    ("name", "has"),
    [("resnet18", False), ("seresnet18", True), ("legacy_seresnet18", True)],
)
def test_squeeze_and_excitation_is_seen_in_a_backbone_and_in_what_stands_on_it(name, has):
    source = timm.create_model(name)
    assert has_squeeze_excitation(source) is has
    assert has_squeeze_excitation(FrameNet(source)) is has


@pytest.mark.parametrize(
    "name",
    ["hf-hub:timm/resnet50", "local-dir:/etc", "hf_hub:x", "../resnet50", "", "resnet50[a=1]", "x"],
)
def test_what_is_no_name_of_timms_is_refused_and_nothing_is_fetched(name, monkeypatch):
    def create(*_, **__):
        raise AssertionError("timm was asked")

    monkeypatch.setattr(timm, "create_model", create)
    with pytest.raises(ValueError, match="is no name of a timm network"):
        FrameNet(name)
    with pytest.raises(ValueError, match="is no name of a timm network"):
        CLIPTower(name, height=64, width=32)
