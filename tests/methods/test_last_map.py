"""ConvNeXts and vision transformers: their last maps, strides, sizes, and what is refused."""

import copy

import pytest
import timm
import torch
import torch.nn.functional as F

from methods.backbone import FrameNet
from methods.last_map import fit_images, frame_net, patch_grid


@pytest.fixture
def convnext(wake):
    """A narrow ConvNeXt without zeros and scales next to zero."""

    def build(**options):
        torch.manual_seed(0)
        options = {"depths": (1, 1, 1, 2), "dims": (4, 8, 8, 16)} | options
        net = timm.create_model("convnext_atto", ls_init_value=0.5, **options)
        return wake(net)

    return build


@pytest.fixture
def vit(wake):
    """A narrow vision transformer for images of 64×32 pixels."""

    def build(name="vit_tiny_patch16_224", **options):
        torch.manual_seed(0)
        shape = {"img_size": (64, 32), "depth": 2, "embed_dim": 12, "num_heads": 2}
        return wake(timm.create_model(name, **(shape | options)))

    return build


def test_a_resnet_is_the_frame_net_that_it_was(narrow, draw):
    source, x = narrow().eval(), draw(2, 3, 64, 32)
    with torch.no_grad():
        found = frame_net(source, last_stride=2, stem_activation=False)
        wanted = FrameNet(source, last_stride=2, stem_activation=False)
        assert isinstance(found, FrameNet) and torch.equal(found.eval()(x), wanted.eval()(x))
    assert found.width == 64 and found.map_size(64, 32) == found(x).shape[2:]


# ---- ConvNeXt ------------------------------------------------------------------------------------


def test_with_stride_2_it_is_timm_s_map_with_its_norm_on_every_cell(convnext, draw):
    source, x = convnext(), draw(2, 3, 64, 64)
    with torch.no_grad():
        wanted = source.head.norm(source.forward_features(x))
        assert torch.equal(frame_net(source, last_stride=2).eval()(x), wanted)


def test_with_stride_1_every_other_cell_of_the_last_downsampling_is_what_it_was(convnext, draw):
    source, x = convnext(), draw(2, 8, 6, 4)
    net = frame_net(source).eval()
    with torch.no_grad():
        before, after = source.stages[3].downsample(x), net.trunk.stages[3].downsample(x)
    assert after.shape == (2, 16, 6, 4)
    assert torch.allclose(after[:, :, ::2, ::2], before, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"patch_size": 2}, {"stem_type": "overlap"}])
@pytest.mark.parametrize("last_stride", [1, 2])
def test_a_convnext_s_map_has_the_size_that_it_says(convnext, options, last_stride):
    net = frame_net(convnext(**options), last_stride=last_stride).to("meta")
    for size in ((64, 32), (70, 45), (33, 63)):
        assert net.map_size(*size) == net(torch.empty(1, 3, *size, device="meta")).shape[2:]
    assert net(torch.empty(1, 3, 64, 32, device="meta")).shape[1] == net.width == 16


def test_its_cells_at_256_by_128_pixels_are_a_resnet_s(convnext, narrow):
    assert frame_net(convnext()).map_size(256, 128) == FrameNet(narrow()).map_size(256, 128)


def test_images_below_one_cell_are_refused(convnext, draw):
    with pytest.raises(ValueError, match=r"8×32 pixels are too small for a ConvNeXt"):
        frame_net(convnext())(draw(1, 3, 8, 32))


def test_a_dilated_convnext_is_refused(convnext):
    with pytest.raises(ValueError, match="has dilation 2"):
        frame_net(convnext(output_stride=16))


# ---- vision transformer --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "prefix"),
    [
        ("vit_tiny_patch16_224", {}, 1),
        ("vit_tiny_patch16_224", {"class_token": False, "global_pool": "avg"}, 0),
        ("vit_tiny_patch16_224", {"reg_tokens": 3}, 4),
        ("deit_tiny_distilled_patch16_224", {}, 2),
    ],
)
def test_cells_are_the_normed_patch_tokens_in_place(vit, draw, name, options, prefix):
    source, x = vit(name, **options), draw(2, 3, 64, 32)
    with torch.no_grad():
        found = frame_net(source).eval()(x)
        tokens = source.fc_norm(source.forward_features(x))
    assert found.shape == (2, 12, 4, 2) and tokens.shape[1] == prefix + 8
    for row in range(4):
        for column in range(2):
            assert torch.equal(found[:, :, row, column], tokens[:, prefix + 2 * row + column])


def test_position_embeddings_follow_the_images(vit, draw):
    net = frame_net(vit())
    before = net.tower.pos_embed.detach().clone()  # [1, 1 + 4 * 2, D]
    fit_images(torch.nn.Sequential(net), (128, 64))
    assert net.map_size(128, 64) == net(draw(1, 3, 128, 64)).shape[2:] == (8, 4)
    grids = [p[:, 1:].unflatten(1, g).permute(0, 3, 1, 2) for p, g in _with_grids(net, before)]
    wanted = F.interpolate(grids[0], (8, 4), mode="bicubic", antialias=True)
    assert torch.allclose(grids[1], wanted, atol=1e-6)
    assert torch.equal(net.tower.pos_embed[:, :1], before[:, :1])


def _with_grids(net, before):
    return ((before, (4, 2)), (net.tower.pos_embed.detach(), (8, 4)))


def test_images_of_another_size_are_refused_with_what_to_do(vit, draw):
    with pytest.raises(ValueError, match=r"32×32 pixels, .* for 64×32: .*size=\(32, 32\)"):
        frame_net(vit())(draw(1, 3, 32, 32))


def test_images_that_patches_do_not_tile_are_refused(vit):
    assert patch_grid((256, 128), (16, 16)) == (16, 8)
    with pytest.raises(ValueError, match=r"64×40 pixels cannot .* and width of 16"):
        frame_net(vit()).fit(64, 40)


def test_patches_of_another_network_are_refused(vit):
    source = vit()
    source.patch_embed = torch.nn.Identity()
    with pytest.raises(ValueError, match="its patches are made by Identity"):
        frame_net(source)


# ---- both ----------------------------------------------------------------------------------------


def test_every_parameter_serves_the_map(convnext, vit, draw):
    for source in (convnext(), vit(), vit(class_token=False, global_pool="avg")):
        net = frame_net(source)
        net(draw(1, 3, 64, 32)).square().sum().backward()
        assert [n for n, p in net.named_parameters() if p.grad is None] == []


def test_the_given_network_is_copied(convnext, vit):
    for source in (convnext(), vit()):
        before = copy.deepcopy(source.state_dict())
        fit_images(frame_net(source), (128, 64))
        assert source.state_dict().keys() == before.keys() and source.num_classes == 1000
        assert all(torch.equal(source.state_dict()[k], v) for k, v in before.items())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"last_stride": 3}, "last_stride is 3, expected 1 or 2"),
        ({"stem_activation": False}, "stem_activation=False is for ResNets: a ConvNeXt has no"),
    ],
)
def test_what_does_not_fit_is_refused(convnext, options, says):
    with pytest.raises(ValueError, match=says):
        frame_net(convnext(), **options)


def test_other_networks_are_refused_as_before():
    with torch.device("meta"):
        source = timm.create_model("efficientnet_b0")
    with pytest.raises(ValueError, match=r"backbone EfficientNet does not fit: .* e\.g\. resnet50"):
        frame_net(source)
