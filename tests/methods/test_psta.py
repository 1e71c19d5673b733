"""PSTA: its tree of frames, its heads, what it costs and what it refuses."""

import itertools

import pytest
import torch

from benchmark.cost.macs import count_gmacs
from methods.head import Head
from methods.psta import psta


@pytest.fixture
def built(narrow, wake):
    """A narrow network for images of 64 × 32 pixels, 4 × 2 cells."""

    def network(num_classes=0, **arguments):
        return wake(psta(narrow(), num_classes, height=64, width=32, **arguments))

    return network


def tree(frames):
    """All orders of these frames that their binary tree cannot tell apart."""
    if len(frames) == 1:
        return [frames]
    half = len(frames) // 2
    left, right = tree(frames[:half]), tree(frames[half:])
    return [o for a, b in itertools.product(left, right) for o in (a + b, b + a)]


def test_the_embedding_keeps_every_symmetry_of_the_tree_and_no_other(built, draw):
    model, clip = built().double(), draw(1, 8, 3, 64, 32).double()
    orders = tree(tuple(range(8)))
    assert len(set(orders)) == 128
    with torch.no_grad():
        plain = model(clip).embedding
        for order in orders[1::9]:
            same = model(clip[:, list(order)]).embedding
            assert torch.allclose(same, plain, rtol=1e-10, atol=1e-10), order
        for i, j in itertools.combinations(range(8), 2):
            order = list(range(8))
            order[i], order[j] = j, i
            same = torch.allclose(model(clip[:, order]).embedding, plain, rtol=1e-6, atol=1e-9)
            assert same == (tuple(order) in orders) == (i // 2 == j // 2), order


def test_features_are_means_over_the_levels_up_to_there(built, draw):
    model, clips = built(), draw(2, 8, 3, 64, 32)
    levels = []
    for level in model.levels:
        level.register_forward_hook(lambda module, inputs, output: levels.append(output))
    with torch.no_grad():
        features = model.features(clips)
        out = model(clips)
    assert [x.shape[1] for x in levels[:3]] == [4, 2, 1]
    g = [x.mean((1, 3, 4)) for x in levels[:3]]
    wanted = [g[0], (g[0] + g[1]) / 2, (g[0] + g[1] + g[2]) / 3]
    for found, mean in zip(features, wanted, strict=True):
        assert torch.allclose(found, mean, atol=1e-6)
    assert torch.equal(out.metric, features[-1])
    assert torch.allclose(out.embedding, model.neck(features[-1]))


def test_each_level_has_a_head_with_its_share_of_both_losses(built, draw):
    model, clips = built(5), draw(2, 8, 3, 64, 32)
    with torch.no_grad():
        features, out = model.features(clips), model(clips)
    assert len(out.heads) == 3
    for feature, own, layers in zip(
        features, out.heads, (*model.head.below, model.head), strict=True
    ):
        assert torch.equal(own.metric, feature)
        assert torch.equal(own.embedding, layers.neck(feature))
        assert torch.equal(own.logits, layers.classifier(own.embedding))
        assert own.cross_entropy == own.triplet == 1 / 3
    assert torch.equal(out.heads[-1].logits, out.logits)
    assert torch.equal(out.heads[-1].embedding, out.embedding)


def test_every_neck_has_a_fixed_bias_and_every_classifier_starts_small(narrow):
    head = psta(narrow(), 500).head
    for part in (*head.below, head):
        assert not part.neck.bias.requires_grad and not part.neck.bias.any()
        assert 0.0009 < part.classifier.weight.std().item() < 0.0011
        assert not part.classifier.bias.any() and part.classifier.bias.requires_grad


def test_every_head_learns(built, draw):
    model = built(3, frames=4).train()
    out = model(draw(3, 4, 3, 64, 32))
    sum(head.logits.square().sum() for head in out.heads).backward()
    lost = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not lost


def test_without_classes_nothing_of_the_lower_heads_is_left(built, draw):
    model = built()
    assert [n for n, _ in model.head.named_parameters()] == ["neck.weight", "neck.bias"]
    out = model(draw(1, 8, 3, 64, 32))
    assert out.heads == () and out.logits is None


@pytest.mark.parametrize("neck", ["bn", "none"])
def test_a_plain_head_in_its_place_makes_it_single_headed(built, draw, neck):
    model, clips = built(5), draw(2, 8, 3, 64, 32)
    model.head = Head(model.head.width, 5, neck=neck).eval()
    with torch.no_grad():
        out, features = model(clips), model.features(clips)
    assert out.heads == () and out.logits.shape == (2, 5)
    assert torch.equal(out.metric, features[-1])
    assert torch.equal(out.embedding, model.neck(features[-1]))


@pytest.mark.parametrize(
    ("frames", "levels"), [(8, 3), (16, 3), (24, 3), (4, 2), (12, 2), (2, 1), (6, 1)]
)
def test_levels_follow_from_the_frames(built, draw, frames, levels):
    model = built(frames=frames)
    assert len(model.levels) == levels
    assert model(draw(1, frames, 3, 64, 32)).embedding.shape == (1, 32)


def test_convolutions_start_from_their_inputs_and_linear_layers_from_their_outputs(narrow):
    model = psta(narrow(channels=(4, 8, 8, 256)), frames=2)  # 512 channels in the pyramid
    level, embed = model.levels[0], model.levels[0].embed
    assert embed[0].weight.std().item() == pytest.approx((2 / 512) ** 0.5, rel=0.02)
    assert level.refine[3].weight.std().item() == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.02)
    assert level.within.channel[0].weight.std().item() == pytest.approx((2 / 64) ** 0.5, rel=0.02)
    assert level.within.channel[2].weight.std().item() == pytest.approx((2 / 512) ** 0.5, rel=0.02)
    assert not level.within.channel[0].bias.any()
    assert model.reduce[0].weight.std().item() == pytest.approx((1 / (3 * 1024)) ** 0.5, rel=0.02)


def test_gates_to_be_drawn_are_those_of_every_level(built, draw):
    maps = built().attention(draw(2, 8, 3, 64, 32))
    assert {name: list(gates.shape) for name, gates in maps.items()} == {
        f"level{level}_{kind}_gates": [2, frames, 4, 2]
        for level, frames in ((1, 8), (2, 4), (3, 2))
        for kind in ("pair", "frame")
    }
    assert all(0 <= gates.min() < gates.max() <= 1 for gates in maps.values())


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 4, 3, 64, 32), "T = 4 .* 3 levels needs a multiple of 8, e.g. T = 8"),
        ((1, 12, 3, 64, 32), "T = 12 .* a multiple of 8, e.g. T = 8"),
        ((1, 8, 3, 128, 32), "128 × 32 pixels give a map of 8 × 2 cells.* 4 × 2 .*height=128"),
        ((1, 8, 1, 64, 32), r"expected \[B, T, 3, H, W\]"),
    ],
)
def test_clips_that_do_not_fit_are_refused_with_their_numbers(built, shape, message):
    model = built()
    model.frames.conv1.forward = None  # nothing is computed before the refusal
    with pytest.raises(ValueError, match=message):
        model(torch.zeros(shape))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frames": 5}, "T = 5 frames and 0 levels"),
        ({"frames": 4, "levels": 3}, "T = 4 frames and 3 levels"),
        ({"levels": 0}, "T = 8 frames and 0 levels"),
    ],
)
def test_a_pyramid_that_does_not_fit_is_refused(narrow, arguments, message):
    with pytest.raises(ValueError, match=message):
        psta(narrow(), **arguments)


def test_parameters_and_multiply_adds_are_those_of_the_authors_network():
    """33.50 M; 37.34 GMACs, 4.92 of them behind the trunk, BatchNorms left out."""
    model = psta()
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(33.50, rel=5e-4)
    assert count_gmacs(model, torch.zeros(1, 8, 3, 256, 128)) == pytest.approx(37.34, rel=5e-3)


def test_a_seeded_network_gives_its_golden_embedding(built, draw):
    with torch.no_grad():
        found = built()(draw(1, 8, 3, 64, 32)).embedding[0]
    assert found.shape == (32,)
    golden = torch.tensor([21.8965, 11.6635, 5.4139, 10.2437, 5.8520])
    assert torch.allclose(found[:5], golden, rtol=1e-3)
