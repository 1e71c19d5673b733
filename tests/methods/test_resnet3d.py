"""The 3D network: the inflated one written out, its non-local blocks' places, its head."""

import copy
import math

import pytest
import timm
import torch
import torch.nn.functional as F
from torch import nn

from methods.baselines import resnet50_image
from methods.resnet3d import he_start, resnet3d50, resnet3d50_nl
from tests.methods.by_hand import inflated_by_hand


def norm_by_hand(bn, x):
    shape = (1, -1, 1, 1, 1)
    x = (x - bn.running_mean.view(shape)) / (bn.running_var.view(shape) + bn.eps).sqrt()
    return x * bn.weight.view(shape) + bn.bias.view(shape)


def attended_by_hand(layer, x):
    """A non-local block over the positions of each clip, [B, C, T, H, W]."""
    flat = x.flatten(2)  # [B, C, positions]
    theta, phi, g = (
        conv.weight.flatten(1) @ flat + conv.bias[:, None]
        for conv in (layer.theta, layer.phi, layer.g)
    )
    scores = theta.transpose(1, 2) @ phi
    powers = (scores - scores.amax(2, keepdim=True)).exp()
    y = g @ (powers / powers.sum(2, keepdim=True)).transpose(1, 2)  # eq. 5
    z = layer.out.weight.flatten(1) @ y + layer.out.bias[:, None]
    return norm_by_hand(layer.norm, z.unflatten(2, x.shape[2:])) + x  # eq. 6


def by_hand(net, layers, clips, padding):
    """The 2D network ``net`` inflated layer by layer in float64; non-local blocks by place."""
    x = clips.double().transpose(1, 2)  # [B, 3, T, H, W]
    x = norm_by_hand(net.bn1, inflated_by_hand(net.conv1, x, padding)).relu()
    x = torch.stack([F.max_pool2d(frame, 3, 2, 1) for frame in x.unbind(2)], 2)
    for number, stage in enumerate((net.layer1, net.layer2, net.layer3, net.layer4), 1):
        for i, block in enumerate(stage):
            y = norm_by_hand(block.bn1, inflated_by_hand(block.conv1, x, padding, 1)).relu()
            y = norm_by_hand(block.bn2, inflated_by_hand(block.conv2, y, padding)).relu()
            y = norm_by_hand(block.bn3, inflated_by_hand(block.conv3, y, padding, 1))
            if block.downsample is not None:
                conv, norm = block.downsample
                x = norm_by_hand(norm, inflated_by_hand(conv, x, padding, 1))
            x = (x + y).relu()
            if (number, i) in layers:
                x = attended_by_hand(layers[number, i], x)
    return x


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
@pytest.mark.parametrize("factorised", [True, False])
@pytest.mark.parametrize("frames", [1, 4])
def test_network_is_the_inflated_one_written_out(
    narrow, wake, draw, error, padding, factorised, frames
):
    torch.manual_seed(0)
    source = wake(narrow(layers=(1, 4, 4, 1)))
    model = resnet3d50_nl(source, 5, temporal_padding=padding, factorised=factorised)
    for part in (model.non_local, model.bottleneck):
        wake(part)
    with torch.no_grad():
        for layer in model.non_local.values():
            layer.theta.weight *= 0.1  # logits of some tens, not of hundreds
    clips, twin = draw(2, frames, 3, 64, 32), copy.deepcopy(model).double().eval()
    places = {(2, 1): "stage2_block1", (2, 3): "stage2_block3", (3, 1): "stage3_block1"}
    places[3, 3] = "stage3_block3"
    layers = {place: twin.non_local[name] for place, name in places.items()}
    linear, norm, _ = twin.bottleneck
    with torch.no_grad():
        found = model.eval()(clips)
        x = by_hand(source.double(), layers, clips, padding).mean((2, 3, 4))
        x = (x @ linear.weight.T - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
        x = x * norm.weight + norm.bias
        wanted = torch.where(x > 0, x, 0.1 * x)
        logits = wanted @ twin.head.classifier.weight.T + twin.head.classifier.bias
    assert error(found.embedding, wanted) < 1e-5
    assert error(found.logits, logits) < 1e-5
    assert torch.equal(found.metric, found.embedding)


@pytest.mark.parametrize("frames", [1, 3, 8])
@pytest.mark.parametrize(
    "arguments", [{}, {"factorised": False}, {"inflate_pointwise": True}, {"pool_frames": 3}]
)
def test_equal_frames_give_the_features_of_the_2d_network(narrow, wake, draw, frames, arguments):
    source = wake(narrow(layers=(1, 2, 4, 2))).double()
    model = resnet3d50_nl(source, temporal_padding="replicate", **arguments).double().eval()
    image = draw(2, 3, 64, 32).double()
    with torch.no_grad():
        wanted = source.forward_features(image)  # [B, D, h, w]
        found = model.features(image[:, None].expand(-1, frames, -1, -1, -1))
    assert found.shape[2] == frames
    for t in range(frames):
        assert ((found[:, :, t] - wanted).norm() / wanted.norm()).item() < 1e-9


def test_zeros_in_time_are_felt_at_the_borders(narrow, wake, draw):
    model = resnet3d50(wake(narrow())).eval()
    clip = draw(1, 1, 3, 64, 32).expand(-1, 8, -1, -1, -1)
    with torch.no_grad():
        x = model.features(clip)
    assert not torch.allclose(x[:, :, 0], x[:, :, 4], atol=1e-3)


def test_blocks_stand_where_the_rule_says(narrow):
    assert list(resnet3d50_nl(narrow(layers=(3, 4, 6, 3))).non_local) == [
        "stage2_block1",
        "stage2_block3",
        "stage3_block1",
        "stage3_block3",
        "stage3_block5",
    ]
    assert list(resnet3d50_nl(narrow(layers=(1, 2, 3, 1))).non_local) == [
        "stage2_block1",
        "stage3_block1",
    ]
    assert not resnet3d50(narrow(layers=(3, 4, 6, 3))).non_local


def test_non_local_blocks_start_as_he_says_and_change_nothing(narrow, wake, draw):
    layer = he_start(resnet3d50_nl(narrow(channels=(4, 64, 64, 8))).non_local["stage2_block1"])
    for conv in (layer.theta, layer.phi, layer.g, layer.out):
        assert conv.weight.std().item() == pytest.approx(math.sqrt(2 / conv.in_channels), rel=0.05)
        assert not conv.bias.any()
    assert not layer.norm.weight.any() and not layer.norm.bias.any()
    source, clips = wake(narrow()), draw(1, 3, 3, 64, 32)
    plain, attending = resnet3d50(source).eval(), resnet3d50_nl(source).eval()
    with torch.no_grad():
        assert torch.equal(plain.features(clips), attending.features(clips))


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({}, (64, 8, 2, 1)),
        ({"last_stride": 1}, (64, 8, 4, 2)),
        ({"temporal_stride": 2}, (64, 1, 2, 1)),
        ({"stem_frames": 5}, (64, 8, 2, 1)),
    ],
)
def test_strides_are_in_space_unless_told_otherwise(narrow, draw, arguments, shape):
    model = resnet3d50(narrow(), **arguments).eval()
    assert tuple(model.features(draw(1, 8, 3, 64, 32)).shape[1:]) == shape


def test_any_depth_and_width_is_inflated(draw):
    image = draw(1, 3, 64, 32)
    for name, options in (
        ("resnet18", {"channels": (4, 8, 8, 16)}),
        ("resnext50_32x4d", {"channels": (4, 8, 8, 16), "cardinality": 2, "base_width": 64}),
        ("resnet101", {"channels": (2, 2, 2, 4)}),
    ):
        source = timm.create_model(name, **options).eval()
        model = resnet3d50_nl(source, temporal_padding="replicate").eval()
        with torch.no_grad():
            found = model.features(image[:, None].expand(-1, 2, -1, -1, -1))[:, :, 0]
            assert torch.allclose(found, source.forward_features(image), atol=1e-5), name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("seresnet18", "its 'se', a SEModule, has no 3D twin"),
        ("legacy_seresnet18", "a SEResNetBlock, has no 3D twin"),
    ],
)
def test_networks_with_layers_of_2d_alone_are_refused(name, message):
    with pytest.raises(ValueError, match=message):
        resnet3d50(timm.create_model(name))


def test_downsampling_by_average_is_refused():
    with pytest.raises(ValueError, match="AvgPool2d, has no 3D twin"):
        resnet3d50(timm.create_model("resnet18", avg_down=True))


def test_too_shallow_a_network_has_no_place_for_non_local_blocks(narrow):
    with pytest.raises(ValueError, match=r"stages 2 and 3.*take one with 2 or more"):
        resnet3d50_nl(narrow(layers=(1, 1, 1, 1)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temporal_padding": "circular"}, "temporal_padding is 'circular', expected zeros"),
        ({"stem_frames": 4}, "stem_frames is 4, expected an odd number"),
        ({"pool_frames": 0}, "pool_frames is 0, expected an odd number"),
        ({"temporal_stride": 3}, "temporal_stride is 3, expected 1 or 2"),
        ({"last_stride": 3}, "last_stride is 3"),
    ],
)
def test_arguments_out_of_range_are_refused(narrow, arguments, message):
    for build in (resnet3d50, resnet3d50_nl):
        with pytest.raises(ValueError, match=message):
            build(narrow(), **arguments)


def test_a_network_trained_on_images_can_be_inflated(narrow, wake, draw):
    """Initialisation "reid" of Table 3."""
    images = wake(resnet50_image(narrow()))
    model = resnet3d50(images.frames, temporal_padding="replicate").eval()
    clip = draw(1, 1, 3, 64, 32)
    with torch.no_grad():
        wanted = images.frames(clip[:, 0])
        found = model.features(clip.expand(-1, 4, -1, -1, -1))[:, :, 2]
        assert torch.allclose(found, wanted, atol=1e-5)


def test_a_checkpoint_of_another_shape_is_refused(narrow):
    """Initialisation "kinetics": this very shape or nothing."""
    weights = resnet3d50(narrow(layers=(1, 2, 2, 1))).state_dict()
    resnet3d50(narrow(layers=(1, 2, 2, 1))).load_state_dict(weights)
    with pytest.raises(RuntimeError, match="Missing key"):
        resnet3d50(narrow(layers=(1, 2, 3, 1))).load_state_dict(weights)


def test_given_model_is_not_changed(narrow):
    source = narrow()
    before = {name: p.clone() for name, p in source.named_parameters()}
    model = resnet3d50(source).train()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    assert all(torch.equal(p, before[name]) for name, p in source.named_parameters())
    assert isinstance(source.conv1, nn.Conv2d) and source.conv1.stride == (2, 2)


# ---- the head ------------------------------------------------------------------------------------


def test_head_is_linear_norm_leaky_dropout_linear(narrow, draw):
    torch.manual_seed(0)
    model = resnet3d50(narrow(), 5).train()
    linear, norm, leaky = model.bottleneck
    assert (linear.out_features, norm.num_features, leaky.negative_slope) == (512, 512, 0.1)
    assert model.head.dropout.p == 0.5 and model.head.classifier.weight.shape == (5, 512)
    seen = []
    model.head.classifier.register_forward_hook(lambda m, inputs, o: seen.append(inputs[0]))
    out = model(draw(4, 2, 3, 64, 32))
    dropped = seen[0] == 0
    assert 0.4 < dropped.float().mean() < 0.6
    assert torch.allclose(seen[0][~dropped], 2 * out.metric[~dropped])
    assert torch.equal(out.metric, out.embedding) and not (out.metric == 0).any()
    assert resnet3d50(narrow(), dimensions=7).eval()(draw(1, 2, 3, 64, 32)).metric.shape == (1, 7)


def test_attention_is_a_row_of_the_softmax(narrow, wake, draw):
    model, clips = wake(resnet3d50_nl(narrow())), draw(2, 3, 3, 64, 32)
    maps = model.attention(clips)
    assert {name: list(m.shape) for name, m in maps.items()} == {
        "stage2_block1": [2, 3, 3, 8, 4],
        "stage3_block1": [2, 3, 3, 4, 2],
    }
    assert torch.allclose(maps["stage3_block1"].sum((2, 3, 4)), torch.ones(2, 3), atol=1e-5)
    assert maps["stage3_block1"].std() > 1e-4
    assert resnet3d50(narrow()).eval().attention(clips) == {}
