"""CLIP's tower against timm's own way through it, and the mean over frames."""

import pytest
import timm
import torch
import torch.nn.functional as F

from benchmark.cost.macs import count
from methods.clip_vit import VIT, CLIPTower, clip_vit_avg, resized

TINY = {"embed_dim": 64, "depth": 2, "num_heads": 4}


def tiny(seed=0, **changes):
    torch.manual_seed(seed)
    return timm.create_model(VIT, **{**TINY, "img_size": (64, 32), **changes})


@pytest.fixture
def tower(wake):
    return wake(CLIPTower(tiny(), height=64, width=32)).double()


def test_tokens_are_those_of_timms_own_forward(tower, wake, draw):
    theirs, images = wake(tiny()), draw(3, 3, 64, 32).double()
    with torch.no_grad():
        expected = theirs.double().forward_features(images)
        assert torch.equal(expected, tower(images))
    assert expected.shape == (3, 1 + 4 * 2, 64)


def test_the_activation_is_quick_gelu(tower, draw):
    mlp, x = tower.blocks[0].mlp, draw(5, 64).double()
    hidden = x @ mlp.fc1.weight.T + mlp.fc1.bias
    expected = hidden / (1 + (-1.702 * hidden).exp()) @ mlp.fc2.weight.T + mlp.fc2.bias
    assert torch.allclose(mlp(x), expected, atol=1e-12)
    exact = F.gelu(hidden) @ mlp.fc2.weight.T + mlp.fc2.bias
    assert not torch.allclose(mlp(x), exact, atol=1e-4)


def test_every_layer_norm_divides_by_the_same_epsilon(tower):
    norms = [m for m in tower.modules() if isinstance(m, torch.nn.LayerNorm)]
    assert len(norms) == 6
    assert {norm.eps for norm in norms} == {1e-5}


def test_what_is_added_reaches_the_class_token_alone(tower, draw):
    images, row, seen = draw(2, 3, 64, 32).double(), draw(2, 64).double(), []
    tower.norm_pre.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    tower(images)
    tower(images, row)
    plain, told = seen
    assert torch.allclose(told[:, 0] - plain[:, 0], row, atol=1e-12)
    assert torch.equal(told[:, 1:], plain[:, 1:])


def test_a_clips_row_goes_to_each_of_its_frames(tower, draw):
    clips, rows = draw(2, 3, 3, 64, 32).double(), draw(2, 64).double()
    with torch.no_grad():
        tokens = tower.tokens(clips, rows)
        for b in range(2):
            for t in range(3):
                alone = tower(clips[b, t][None], rows[b][None])[0]
                assert torch.allclose(tokens[b, t], alone, atol=1e-12)


def by_hand(grid, rows, columns):
    """Bilinear resizing of [h, w, D], a cell after the other: centres at (i + ½)·h/h' − ½."""
    height, width, _ = grid.shape

    def places(i, old, new):
        at = min(max((i + 0.5) * old / new - 0.5, 0), old - 1)
        low = int(at)
        return low, min(low + 1, old - 1), at - low

    cells = []
    for r in range(rows):
        top, bottom, down = places(r, height, rows)
        for c in range(columns):
            left, right, across = places(c, width, columns)
            above = grid[top, left] * (1 - across) + grid[top, right] * across
            below = grid[bottom, left] * (1 - across) + grid[bottom, right] * across
            cells.append(above * (1 - down) + below * down)
    return torch.stack(cells)


@pytest.mark.parametrize("wanted", [(16, 8), (4, 2), (14, 14)])
def test_position_embeddings_are_resized_bilinearly_without_antialiasing(wanted, draw):
    embeddings = draw(1, 1 + 14 * 14, 5).double()
    found = resized(embeddings, (14, 14), wanted)
    assert torch.equal(found[:, 0], embeddings[:, 0])
    expected = by_hand(embeddings[0, 1:].unflatten(0, (14, 14)), *wanted)
    assert torch.allclose(found[0, 1:], expected, atol=1e-12)


def test_a_network_for_squares_is_fitted_to_the_images(draw):
    square = tiny(img_size=224)
    model = clip_vit_avg(square, height=64, width=32)
    assert torch.equal(model.tower.pos_embed, resized(square.pos_embed, (14, 14), (4, 2)))
    assert square.pos_embed.shape == (1, 197, 64)  # the backbone that was given is left alone
    assert model.eval()(draw(1, 2, 3, 64, 32)).embedding.shape == (1, 64 + 42)


def test_the_projection_is_the_backbones_where_it_has_one():
    backbone = tiny(num_classes=42)
    tower = CLIPTower(backbone, height=64, width=32)
    assert torch.equal(tower.proj.weight, backbone.head.weight)
    assert tower.proj.bias is None
    other = CLIPTower(tiny(num_classes=512), height=64, width=32)
    assert other.proj.weight.shape == (42, 64)  # two thirds, as 512 of 768


def test_the_feature_is_the_mean_class_token_and_its_projection(wake, draw):
    model, clips = wake(clip_vit_avg(tiny(), height=64, width=32)).double(), draw(2, 3, 3, 64, 32)
    clips = clips.double()
    with torch.no_grad():
        metric = model(clips).metric
        for b in range(2):
            tokens = [model.tower(frame[None])[0, 0] for frame in clips[b]]
            f1 = sum(tokens) / 3
            f2 = sum(token @ model.tower.proj.weight.T for token in tokens) / 3
            assert torch.allclose(metric[b].double(), torch.cat([f1, f2]), atol=1e-6)


def test_the_order_of_frames_does_not_matter(wake, draw):
    model, clips = wake(clip_vit_avg(tiny(), height=64, width=32)), draw(2, 4, 3, 64, 32)
    with torch.no_grad():
        one, other = model(clips).embedding, model(clips[:, [2, 0, 3, 1]]).embedding
    assert (one - other).norm() < 1e-5 * one.norm()


def test_images_of_another_size_are_refused():
    model = clip_vit_avg(tiny(), height=64, width=32)
    with pytest.raises(ValueError, match=r"128×64 pixels.*with height=128 and width=64"):
        model(torch.zeros(1, 2, 3, 128, 64))
    with pytest.raises(ValueError, match="height must be a multiple of 16"):
        clip_vit_avg(tiny(), height=60, width=32)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("resnet18", {}),
        (VIT, {**TINY, "class_token": False, "global_pool": "avg"}),
        (VIT, {**TINY, "reg_tokens": 4}),
    ],
)
def test_a_backbone_without_these_tokens_is_refused(name, changes):
    with pytest.raises(ValueError, match="does not fit: expected a timm VisionTransformer"):
        clip_vit_avg(timm.create_model(name, **changes))


def test_there_is_no_attention_to_be_drawn():
    assert clip_vit_avg(tiny(), height=64, width=32).attention(torch.zeros(1)) == {}


GOLDEN = [-0.20367, -0.20691, 1.1714, -3.03715, -1.80004, 1.66299]


def test_a_seed_gives_the_same_embedding_as_ever():
    model = clip_vit_avg(tiny(5), height=64, width=32).eval()
    clip = torch.randn(1, 4, 3, 64, 32, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        found = model(clip).metric[0, ::18]
    assert torch.allclose(found, torch.tensor(GOLDEN), atol=1e-4), found.tolist()


@pytest.mark.slow
def test_cost_at_full_size_is_that_of_the_arithmetic():
    found = count(clip_vit_avg(), torch.zeros(1, 8, 3, 256, 128))
    assert found.params_m == pytest.approx(86.14, rel=5e-3)
    assert found.gmacs == pytest.approx(91.12, rel=5e-3)
