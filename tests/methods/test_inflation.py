"""Inflated layers against the kernels of Sec. 3.1, frame by frame."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from methods.backbone import FrameNet
from methods.inflation import Inflation, ReplicateConv3d, inflated_norm, inflated_pool
from tests.methods.by_hand import inflated_by_hand


def inflation(**changes):
    settings = {
        "temporal_padding": "zeros",
        "factorised": True,
        "inflate_pointwise": False,
        "stem_frames": 3,
        "pool_frames": 1,
        "temporal_stride": 1,
    }
    return Inflation(**{**settings, **changes})


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
@pytest.mark.parametrize("factorised", [True, False])
@pytest.mark.parametrize("frames", [1, 2, 3, 8])
@pytest.mark.parametrize(("stride", "groups"), [(1, 1), (2, 1), (2, 2)])
def test_pair_is_the_inflated_kernel_at_every_frame(
    draw, error, padding, factorised, frames, stride, groups
):
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 6, 3, stride, 1, groups=groups, bias=False)
    layer = inflation(temporal_padding=padding, factorised=factorised).convolution(conv)
    x = draw(2, 4, frames, 7, 5)
    with torch.no_grad():
        wanted = inflated_by_hand(copy.deepcopy(conv).double(), x.double(), padding)
        found = layer(x)
    for t in range(frames):  # borders included, each for itself
        assert error(found[:, :, t], wanted[:, :, t]) < 1e-5


def test_pair_is_time_then_space_with_nothing_between():
    pair = inflation().convolution(nn.Conv2d(4, 6, 3, 2, 1, bias=False))
    time, space = pair
    assert (time.kernel_size, time.stride, time.padding) == ((3, 1, 1), (1, 1, 1), (1, 0, 0))
    assert (space.kernel_size, space.stride, space.padding) == ((1, 3, 3), (1, 2, 2), (0, 1, 1))
    assert (time.in_channels, time.out_channels, space.out_channels) == (4, 4, 6)
    assert time.bias is None and space.bias is None
    assert torch.allclose(time.weight.sum(2)[..., 0, 0], torch.eye(4))


def test_pointwise_convolutions_stay_pointwise():
    conv = nn.Conv2d(4, 6, 1, bias=False)
    assert inflation().convolution(conv).kernel_size == (1, 1, 1)
    inflated = inflation(inflate_pointwise=True).convolution(conv)
    assert inflated.kernel_size == (3, 1, 1)
    assert torch.allclose(inflated.weight.sum(2)[..., 0], conv.weight[..., 0])


def test_replicate_touches_time_only(draw, error):
    """Space is padded with zeros: ``padding_mode`` would repeat the image's border, too."""
    conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
    layer = inflation(temporal_padding="replicate", factorised=False).convolution(conv)
    assert isinstance(layer, ReplicateConv3d) and layer.padding_mode == "zeros"
    x = draw(1, 3, 2, 5, 4)
    both = F.conv3d(F.pad(x, (1, 1, 1, 1, 1, 1), mode="replicate"), layer.weight)
    with torch.no_grad():
        wanted = inflated_by_hand(conv.double(), x.double(), "replicate")
        assert error(layer(x), wanted) < 1e-5
        assert error(both, wanted) > 0.1


def test_replicate_works_under_autocast(draw):
    layer = inflation(temporal_padding="replicate").convolution(
        nn.Conv2d(3, 4, 3, padding=1, bias=False)
    )
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(draw(1, 3, 2, 5, 4)).isfinite().all()
    assert layer.bfloat16()(draw(1, 3, 2, 5, 4).bfloat16()).isfinite().all()


def test_stem_is_3_by_7_by_7_and_its_pool_flat_in_time(narrow):
    trunk = FrameNet(narrow())
    inflation().network(trunk)
    assert trunk.conv1.kernel_size == (3, 7, 7) and type(trunk.conv1) is nn.Conv3d
    assert trunk.conv1.stride == (1, 2, 2) and trunk.conv1.padding == (1, 3, 3)
    pool = trunk.maxpool
    assert (pool.kernel_size, pool.stride, pool.padding) == ((1, 3, 3), (1, 2, 2), (0, 1, 1))


def test_inflated_norm_is_the_2d_one_on_every_frame(wake, draw):
    norm, x = wake(nn.BatchNorm2d(4)), draw(2, 4, 3, 5, 2)
    found = inflated_norm(norm).eval()(x)
    for t in range(3):
        assert torch.allclose(found[:, :, t], norm(x[:, :, t]), atol=1e-6)


@pytest.mark.parametrize("frames", [1, 3])
def test_inflated_pool_keeps_every_frame(draw, frames):
    pool, x = nn.MaxPool2d(3, 2, 1), draw(2, 4, 5, 8, 6)
    found = inflated_pool(pool, frames)(x)
    assert found.shape == (2, 4, 5, 4, 3)
    around = range(2 - frames // 2, 3 + frames // 2)
    wanted = torch.stack([pool(x[:, :, t]) for t in around]).amax(0)
    assert torch.equal(found[:, :, 2], wanted)


def test_a_layer_without_a_3d_twin_is_refused_by_name():
    owner = nn.Sequential()
    owner.add_module("shift", nn.Linear(2, 2))
    with pytest.raises(ValueError, match="its 'shift', a Linear, has no 3D twin"):
        inflation().blocks(owner)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"temporal_padding": "circular"}, "is 'circular', expected zeros or replicate"),
        ({"stem_frames": 4}, "stem_frames is 4, expected an odd number"),
        ({"pool_frames": 0}, "pool_frames is 0, expected an odd number"),
        ({"temporal_stride": 3}, "temporal_stride is 3, expected 1 or 2"),
    ],
)
def test_settings_out_of_range_are_refused(argument, message):
    with pytest.raises(ValueError, match=message):
        inflation(**argument)
