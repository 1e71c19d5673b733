"""SINet and its relatives: trunk, places, head, what they cost and what they refuse."""

import copy

import pytest
import torch
import torch.nn.functional as F

from benchmark.cost.macs import count_gmacs
from methods.head import Head
from methods.sinet import idnet, sanet, sbnet, sinet

BOUND = (sinet, idnet)


@pytest.fixture
def built(narrow, wake):
    """A narrow network for clips of 4 frames of 64 × 48 pixels."""

    def network(build=sinet, num_classes=0, layers=(1, 4, 6, 1), **arguments):
        if build in BOUND:
            arguments = {"height": 64, "width": 48, **arguments}
        return wake(build(narrow(layers=layers), num_classes, **arguments))

    return network


def by_hand(model, clips, padding=0):
    """The network's feature [B, D], stage by stage, a clip after the other."""
    trunk, features = model.frames, []
    for clip in clips:
        x = F.conv2d(clip, trunk.conv1.weight, stride=2, padding=3)
        x = F.max_pool2d(trunk.bn1(x).relu(), 3, 2, padding)
        for stage in (1, 2, 3, 4):
            for i, block in enumerate(trunk.stage(stage)):
                x = block(x)
                if f"stage{stage}_block{i}" in model.between:
                    x = model.between[f"stage{stage}_block{i}"](x, len(clip))
        features.append(sum(frame.flatten(1).max(1).values for frame in x) / len(clip))
    return torch.stack(features)


@pytest.mark.parametrize("build", [sinet, sbnet, idnet, sanet])
def test_network_is_its_stages_written_out(built, draw, error, build):
    model, clips = built(build), draw(2, 4, 3, 64, 48)
    twin = copy.deepcopy(model).double()
    with torch.no_grad():
        out = model(clips)
        wanted = by_hand(twin, clips.double())
        embedding = twin.neck(wanted)
    assert error(out.metric, wanted) < 1e-5
    assert error(out.embedding, embedding) < 1e-5


def test_the_pool_of_the_stem_has_no_padding(built, draw, error):
    """Every later map is as large with padding, so that only the values can tell."""
    model, clips = built(sanet), draw(2, 4, 3, 64, 48)
    with torch.no_grad():
        found = model(clips).metric
        assert error(found, by_hand(model, clips, padding=1).double()) > 1e-2
        assert model.frames.stem(clips[0]).shape[2:] == (15, 11)


@pytest.mark.parametrize(
    ("build", "layers", "kinds"),
    [
        (sinet, (3, 4, 6, 3), ("IntegrateDistribution", "SalientToBroad")),
        (sbnet, (3, 4, 6, 3), (None, "SalientToBroad")),
        (idnet, (3, 4, 6, 3), ("IntegrateDistribution", None)),
        (sanet, (3, 4, 6, 3), ("MomentAttention", None)),
        (sinet, (1, 2, 3, 1), ("IntegrateDistribution", "SalientToBroad")),
    ],
)
def test_layers_follow_every_other_block(built, build, layers, kinds):
    places = {
        f"stage{stage}_block{i}": kind
        for stage, kind in zip((2, 3), kinds, strict=True)
        for i in range(1, layers[stage - 1], 2)
        if kind
    }
    model = built(build, layers=layers)
    assert {name: type(layer).__name__ for name, layer in model.between.items()} == places


def test_the_splits_come_in_order(built):
    layers = built(sbnet, layers=(1, 1, 9, 1)).between.values()
    assert [layer.early for layer in layers] == [1, 2, 3, 1]


def test_a_backbone_without_places_is_refused(built):
    with pytest.raises(ValueError, match="every other block of stage 2, and this backbone has 1"):
        built(sanet, layers=(1, 1, 3, 1))
    with pytest.raises(ValueError, match="every other block of stage 3, and this backbone has 1"):
        built(sbnet, layers=(1, 1, 1, 1))


def test_neck_has_a_trained_bias_and_starts_near_1(narrow):
    head = sbnet(narrow(channels=(4, 8, 8, 512), layers=(1, 2, 2, 1)), 300).head
    assert head.neck.bias.requires_grad and not head.neck.bias.any()
    assert head.neck.weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert head.neck.weight.mean().item() == pytest.approx(1, abs=0.01)
    assert head.classifier.weight.std().item() == pytest.approx(0.001, rel=0.05)
    assert not head.classifier.bias.any()
    assert head.projection.weight.std().item() == pytest.approx((2 / 2048) ** 0.5, rel=0.02)
    assert not head.projection.bias.any()


@pytest.mark.parametrize("build", [sinet, sbnet])
def test_training_gives_each_frame_projected_to_unit_length(built, draw, build):
    model, clips = built(build, 5), draw(3, 4, 3, 64, 48)
    model.train()
    model.head.neck.momentum = 0.0
    for layer in model.frames.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 0.0
    out = model(clips)
    features = model.features(clips)  # [B, D, T]
    assert torch.allclose(out.metric, features.mean(2), atol=1e-4)
    flat = features.transpose(1, 2).flatten(0, 1)  # [B*T, D]
    normed = (flat - flat.mean(0)) / (flat.var(0, correction=0) + 1e-5).sqrt()
    normed = normed * model.head.neck.weight + model.head.neck.bias
    z = normed @ model.head.projection.weight[:, :, 0].T + model.head.projection.bias
    wanted = (z / z.norm(dim=1, keepdim=True)).unflatten(0, (3, 4)).transpose(1, 2)
    assert out.frames.shape == (3, 64, 4) and torch.allclose(out.frames, wanted, atol=1e-4)
    assert model.eval()(clips).frames is None


@pytest.mark.parametrize(("build", "classes"), [(idnet, 5), (sanet, 5), (sinet, 0)])
def test_other_networks_give_no_frames(built, draw, build, classes):
    model = built(build, classes).train()
    assert model.head.projection is None
    assert model(draw(2, 4, 3, 64, 48)).frames is None


def test_a_mean_of_normed_frames_is_the_normed_mean(built, draw):
    model, clips = built(), draw(2, 4, 3, 64, 48)
    with torch.no_grad():
        frames = model.neck(model.features(clips))  # [B, D, T]
        assert torch.allclose(frames.mean(2), model(clips).embedding, atol=1e-5)


@pytest.mark.parametrize("neck", ["bn", "none"])
def test_a_plain_head_in_its_place_makes_it_single_headed(built, draw, neck):
    model, clips = built(num_classes=5), draw(2, 4, 3, 64, 48)
    model.head = Head(model.head.width, 5, neck=neck)
    out = model.train()(clips)
    assert out.frames is None and out.logits.shape == (2, 5)
    with torch.no_grad():
        out = model.eval()(clips)
        assert torch.allclose(model.neck(out.metric), out.embedding)


@pytest.mark.parametrize("build", [sinet, sbnet, idnet])
def test_the_order_of_the_frames_matters(built, draw, build):
    model, clips = built(build), draw(1, 4, 3, 64, 48)
    with torch.no_grad():
        plain, other = model(clips).embedding, model(clips[:, [1, 0, 2, 3]]).embedding
    assert (plain - other).norm() > 1e-3 * plain.norm()


def test_sanet_takes_frames_in_any_order_and_number(built, draw):
    model = built(sanet)
    for frames in (1, 3, 8):
        clips = draw(1, frames, 3, 64, 48)
        with torch.no_grad():
            plain, other = model(clips).embedding, model(clips.flip(1)).embedding
        assert torch.allclose(plain, other, rtol=1e-4, atol=1e-4)


def test_eight_frames_are_two_groups_of_four(built, draw):
    model, clips = built(sbnet), draw(1, 8, 3, 64, 48)
    with torch.no_grad():
        whole = model.features(clips)
        parts = [model.features(clips[:, part]) for part in (slice(0, 4), slice(4, 8))]
    assert torch.allclose(whole, torch.cat(parts, 2), atol=1e-5)


def test_attention_to_be_drawn(built, draw):
    clips = draw(2, 8, 3, 64, 48)
    maps = built(frames=8).attention(clips)
    blocks = [f"stage3_block{i}" for i in (1, 3, 5)]
    assert {name: list(m.shape) for name, m in maps.items()} == {
        f"{block}_{kind}": [2, 8, 4, 3] for block in blocks for kind in ("kept", "kernel_shares")
    }
    assert built(idnet, frames=8).attention(clips) == {}
    assert len(built(sanet).attention(clips)) == 10


@pytest.mark.parametrize(
    ("build", "arguments", "shape", "message"),
    [
        (sbnet, {}, (1, 6, 3, 64, 48), "T = 6 .* salient-to-broad .* multiple of 4, e.g. T = 4"),
        (sbnet, {}, (1, 4, 3, 64, 32), "64 × 32 pixels give a map of 4 × 2 cells in stage 3"),
        (sinet, {}, (1, 8, 3, 64, 48), "T = 8 frames .* built for 4 of 64 × 48.*frames=8"),
        (idnet, {}, (1, 3, 3, 64, 48), "T = 3 frames of 64 × 48 pixels do not fit"),
        (idnet, {}, (1, 4, 3, 128, 48), "128 × 48 pixels .* frames=4, height=128, width=48"),
        (sanet, {}, (1, 4, 1, 64, 48), r"expected \[B, T, 3, H, W\]"),
    ],
)
def test_clips_that_do_not_fit_are_refused_with_their_numbers(
    built, build, arguments, shape, message
):
    model = built(build, **arguments)
    model.frames.conv1.forward = None  # nothing is computed before the refusal
    with pytest.raises(ValueError, match=message):
        model(torch.zeros(shape))


@pytest.mark.parametrize(
    ("build", "arguments", "frames", "millions", "gmacs"),
    [
        (sinet, {}, 4, 26.26, 16.31),
        (sinet, {"frames": 8}, 8, 29.41, 32.69),
        (sanet, {}, 4, 23.80, None),
    ],
)
def test_parameters_and_multiply_adds_are_those_of_the_authors_network(
    build, arguments, frames, millions, gmacs
):
    """Theirs has 26,560 more: biases of convolutions that BatchNorm follows."""
    model = build(**arguments)
    found = sum(p.numel() for p in model.parameters()) / 1e6
    assert found + 0.0266 == pytest.approx(millions, abs=0.006)
    if gmacs is not None:
        clip = torch.zeros(1, frames, 3, 256, 128)
        assert count_gmacs(model, clip) == pytest.approx(gmacs, rel=5e-3)


@pytest.mark.parametrize(
    ("build", "golden"),
    [
        (sinet, [90.800, 1671.1, -0.07794, 379.37, 0.26481]),
        (sbnet, [53.095, 470.89, 23.977, 91.487, -0.29269]),
        (idnet, [271.48, 1945.7, 0.80399, 883.17, 0.45470]),
        (sanet, [12.644, 482.68, 10.548, 61.975, -0.28211]),
    ],
)
def test_a_seeded_network_gives_its_golden_embedding(built, draw, build, golden):
    with torch.no_grad():
        found = built(build)(draw(1, 4, 3, 64, 48)).embedding[0]
    assert found.shape == (64,)
    assert torch.allclose(found[:5], torch.tensor(golden), rtol=1e-3, atol=1e-3)
