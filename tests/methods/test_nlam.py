"""NLAM and NLTP against equations 1 to 6, position by position and frame by frame."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from benchmark.cost.memory import forward_peak_mb
from benchmark.losses import losses
from benchmark.recipes import recipe
from methods import nlam as module
from methods.nlam import NLAM, NLTP, nlam_nltp, nlam_tp
from methods.output import ClipOutput
from methods.temporal import FrameAttention, FrameLSTM, FrameMean

MARGIN = recipe("unified[triplet=0.3]")


def spatial_by_hand(layer, x):
    """Eqs. 1 and 2 for one clip [N, C, H, W]: A_S, one position after another."""
    frames, _, height, width = x.shape
    weight = {name: getattr(layer, name).weight.flatten(1) for name in ("a", "b", "d", "out")}
    bias = {name: getattr(layer, name).bias for name in weight}
    places = [(n, r, c) for n in range(frames) for r in range(height) for c in range(width)]
    a, b, d = (
        [weight[name] @ x[n, :, r, c] + bias[name] for n, r, c in places]
        for name in ("a", "b", "d")
    )
    result = x.clone()
    for i, (n, r, c) in enumerate(places):
        scores = torch.stack([a[i] @ other for other in b])
        powers = (scores - scores.max()).exp()
        y = sum(p / powers.sum() * value for p, value in zip(powers, d, strict=True))
        result[n, :, r, c] += weight["out"] @ y + bias["out"]
    return result


def channel_by_hand(layer, spatial):
    """Eq. 3 for one clip: the weight of each channel."""
    first, last = layer.mlp[0], layer.mlp[2]

    def mlp(v):
        return last.weight @ torch.tanh(first.weight @ v + first.bias) + last.bias

    most, mean = [], []
    for frame in spatial:
        cells = frame.flatten(1)  # [C, H*W]
        most.append(mlp(cells.max(1).values))
        mean.append(mlp(cells.mean(1)))
    total = torch.stack(most).max(0).values + sum(mean) / len(mean)
    return 1 / (1 + torch.exp(-total))


def nlam_by_hand(layer, x, frames):
    """[B*N, C, H, W] -> A_C and the weights, in float64."""
    layer, clips = copy.deepcopy(layer).double(), x.double().unflatten(0, (-1, frames))
    spatial = [spatial_by_hand(layer, clip) for clip in clips]
    weights = [channel_by_hand(layer, s) for s in spatial]
    scaled = [s * w[None, :, None, None] for s, w in zip(spatial, weights, strict=True)]
    return torch.cat(scaled), torch.stack(weights)


def spread_logits(layer, x, frames, spread):
    """Scale a(·) so that the standard deviation of the logits is ``spread``."""
    with torch.no_grad():
        q, k = (module.tokens(conv(x), frames) for conv in (layer.a, layer.b))
        factor = spread / (q @ k.transpose(1, 2)).std()
        layer.a.weight *= factor
        layer.a.bias *= factor


@pytest.mark.parametrize("spread", [1, 10, 100])
@pytest.mark.parametrize(
    ("frames", "size", "options"),
    [
        (1, (4, 2), {}),
        (3, (4, 2), {}),
        (4, (3, 3), {}),
        (2, (8, 4), {"reduction": 3, "hidden": 5}),
    ],
)
def test_layer_is_equations_1_to_3(draw, error, frames, size, options, spread):
    torch.manual_seed(0)
    layer, x = NLAM(6, zero_start=False, **options).eval(), 2 * draw(2 * frames, 6, *size)
    spread_logits(layer, x, frames, spread)
    maps = {}
    with torch.no_grad():
        found = layer(x, frames, maps=maps, name="here")
        wanted, weights = nlam_by_hand(layer, x, frames)
    assert error(found, wanted) < 1e-5
    assert error(maps["here_channel"], weights) < 1e-5
    assert weights.max() - weights.min() > 0.05  # not one weight for all


def test_new_layer_leaves_the_map_but_for_weights_near_one_half(draw):
    x = draw(6, 8, 4, 2)
    layer = NLAM(8).eval()
    with torch.no_grad():
        weights = layer.channel_weights(x, 3)  # A_S = X
        wanted = x * weights.repeat_interleave(3, 0)[:, :, None, None]
        assert torch.allclose(layer(x, 3), wanted, atol=1e-6)
    assert weights.min() > 0.2 and weights.max() < 0.8


@pytest.mark.parametrize(("channels", "hidden"), [(64, 64), (256, 64), (512, 256)])
def test_hidden_width_follows_the_channels(channels, hidden):
    assert NLAM(channels).mlp[0].out_features == hidden
    assert NLAM(channels).a.out_channels == channels // 2


def test_clips_of_a_batch_do_not_mix(draw):
    layer, x = NLAM(6, zero_start=False).eval(), draw(6, 6, 4, 2)
    with torch.no_grad():
        assert torch.allclose(layer(x, 3)[3:], layer(x[3:], 3), atol=1e-6)


def test_noted_map_is_a_row_of_the_softmax(draw):
    layer, x, maps = NLAM(6, zero_start=False).eval(), draw(3, 6, 4, 2), {}
    with torch.no_grad():
        layer(x, 3, maps=maps, name="here")
        scores = torch.einsum("d,tdhw->thw", layer.a(x)[1, :, 2, 1], layer.b(x))
    wanted = scores.flatten().softmax(0).reshape(3, 4, 2)
    assert torch.allclose(maps["here_spatial"][0, 1], wanted, atol=1e-6)


def test_only_the_bias_of_b_has_no_gradient(draw):
    """It moves all logits of a softmax alike; W₀'s is seen by the channel attention."""
    layer, x = NLAM(6, zero_start=False).double().train(), draw(6, 6, 4, 2).double()
    layer(x, 3).pow(3).sum().backward()
    sizes = {name: p.grad.norm().item() for name, p in layer.named_parameters()}
    assert sizes.pop("b.bias") < 1e-9
    assert all(size > 1e-3 for size in sizes.values()), sizes


def test_no_square_matrix_is_in_memory(monkeypatch, narrow):
    model, clips = nlam_nltp(narrow(), after=(2, 3)).eval(), torch.randn(1, 8, 3, 128, 64)
    square = (8 * 32 * 16) ** 2 * 4 / 1e6  # MB, of block 2
    with torch.inference_mode():
        fused = forward_peak_mb(model, clips)
        monkeypatch.setattr(
            module, "attend", lambda q, k, v: (q @ k.transpose(1, 2)).softmax(-1) @ v
        )
        assert forward_peak_mb(model, clips) > square
    assert fused < square / 2


# ---- NLTP ----------------------------------------------------------------------------------------


def nltp_by_hand(layer, x, scale):
    """Eqs. 4 to 6 in float64, [B, N, C, H, W] -> [B, C] and h / N, [B, N, N]."""
    layer, results, pairs = copy.deepcopy(layer).double(), [], []

    def conv(kind, frame):
        flat = frame.flatten(1)  # [C, H*W]
        return kind.weight.flatten(1) @ flat + kind.bias[:, None]

    for clip in x.double():
        theta, phi, g = (
            [conv(kind, frame) for frame in clip] for kind in (layer.theta, layer.phi, layer.g)
        )
        terms = theta[0].numel()
        divisor = terms if scale == "mean" else 1
        h = [[(t * p).sum() / divisor for p in phi] for t in theta]  # eq. 5
        refined = 0.0
        for i, frame in enumerate(clip):
            y = sum(h[i][j] * g[j] for j in range(len(clip))) / len(clip)  # eq. 6
            refined = refined + conv(layer.out, y) + frame.flatten(1)
        results.append((refined / len(clip)).mean(1))  # eq. 4, then the spatial mean
        pairs.append(torch.tensor(h) / len(clip))
    return torch.stack(results), torch.stack(pairs)


@pytest.mark.parametrize("scale", ["mean", "sum"])
@pytest.mark.parametrize("spread", [1, 10, 100])
@pytest.mark.parametrize(("frames", "size"), [(1, (4, 2)), (2, (8, 4)), (5, (3, 3)), (8, (4, 2))])
def test_pooling_is_equations_4_to_6(draw, error, frames, size, spread, scale):
    torch.manual_seed(0)
    layer = NLTP(6, dot_scale=scale, zero_start=False)
    x, maps = spread**0.5 * draw(2, frames, 6, *size), {}
    with torch.no_grad():
        found = layer(x, maps)
        wanted, pairs = nltp_by_hand(layer, x, scale)
    assert error(found, wanted) < 1e-5
    assert error(maps["frame_pairs"], pairs) < 1e-5


def test_the_two_scales_differ_by_the_number_of_terms(draw, error):
    layer, x, mean, total = NLTP(6, zero_start=False), draw(2, 3, 6, 4, 2), {}, {}
    with torch.no_grad():
        layer(x, mean)
        layer.dot_scale = "sum"
        layer(x, total)
    assert error(total["frame_pairs"], 3 * 4 * 2 * mean["frame_pairs"].double()) < 1e-6


def test_new_pooling_is_the_mean(draw, error):
    x = draw(2, 3, 6, 4, 2)
    with torch.no_grad():
        assert error(NLTP(6)(x), x.double().mean((1, 3, 4))) < 1e-6


def test_pooling_is_float32_under_autocast(draw):
    layer, x, plain, cast = NLTP(16, zero_start=False), draw(2, 3, 16, 8, 4), {}, {}
    with torch.no_grad():
        wanted = layer(x, plain)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = layer(x, cast)
            assert layer(x.bfloat16()).dtype == torch.float32
    assert found.dtype == torch.float32
    assert torch.equal(found, wanted) and torch.equal(plain["frame_pairs"], cast["frame_pairs"])


def test_network_pools_in_float32_under_autocast(narrow, draw):
    model, seen = nlam_nltp(narrow()).eval(), []
    model.aggregate.out.register_forward_hook(lambda m, i, o: seen.extend([i[0].dtype, o.dtype]))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        out = model(draw(2, 2, 3, 64, 32))
    assert seen == [torch.float32] * 2 and out.embedding.dtype == torch.float32


# ---- the whole network ---------------------------------------------------------------------------


def by_hand(model, clips, after, temporal):
    """Features of the clips in float64, stage after stage and frame after frame."""
    model, features = copy.deepcopy(model).double(), []
    for clip in clips.double():
        x = model.frames.stem(clip)
        for stage in (1, 2, 3, 4):
            for block in model.frames.stage(stage):
                x = torch.cat([block(frame[None]) for frame in x])
            if stage + 1 in after:  # the paper counts the stem as block 1
                x, _ = nlam_by_hand(model.after[f"stage{stage}"], x, len(clip))
        if temporal == "nltp":
            features.append(nltp_by_hand(model.aggregate, x[None], "mean")[0][0])
        else:
            features.append(x.mean((0, 2, 3)))
    return torch.stack(features)


@pytest.mark.parametrize(
    ("backbone", "after", "temporal"),
    [
        ("resnet50", (4, 5), "nltp"),
        ("seresnet50", (4, 5), "nltp"),
        ("seresnet50", (4, 5), "tp"),
        ("resnet50", (5,), "nltp"),
        ("resnet50", (3, 5), "nltp"),
        ("resnet50", (3, 4, 5), "nltp"),
        ("resnet50", (), "nltp"),
    ],
)
def test_network_is_the_paper_written_out(narrow, wake, draw, error, backbone, after, temporal):
    torch.manual_seed(0)
    model = wake(nlam_nltp(narrow(name=backbone), after=after, temporal=temporal))
    clips = draw(2, 3, 3, 64, 32)
    with torch.no_grad():
        found, wanted = model(clips), by_hand(model, clips, after, temporal)
        without = by_hand(model, clips, (), temporal)
    assert error(found.embedding, wanted) < 1e-5
    assert torch.equal(found.embedding, found.metric)  # no BN neck
    if after:
        assert error(found.embedding, without) > 1e-2


def test_legacy_senet_is_the_backbone():
    model = nlam_nltp(num_classes=3)
    assert type(model.frames.layer4[0]).__name__ == "SEResNetBottleneck"
    assert model.frames.layer4[0].conv1.stride == (1, 1)
    assert list(model.after) == ["stage3", "stage4"]
    assert model.after["stage4"].a.out_channels == 1024
    assert (
        model.head.classifier.weight.shape == (3, 2048) and model.head.classifier.bias is not None
    )


@pytest.mark.parametrize(
    ("temporal", "kind", "stride"),
    [("nltp", NLTP, 1), ("tp", FrameMean, 1), ("ta", FrameAttention, 2), ("rnn", FrameLSTM, 1)],
)
def test_temporal_chooses_the_aggregation(narrow, temporal, kind, stride):
    model = nlam_nltp(narrow(), temporal=temporal)
    assert isinstance(model.aggregate, kind) and model.frames.last_stride == stride
    assert type(nlam_tp(narrow()).aggregate) is FrameMean


def test_attention_names_what_it_shows(narrow, draw):
    maps = nlam_nltp(narrow()).eval().attention(draw(2, 3, 3, 64, 32))
    assert {name: list(m.shape) for name, m in maps.items()} == {
        "stage3_spatial": [2, 3, 3, 4, 2],
        "stage3_channel": [2, 32],
        "stage4_spatial": [2, 3, 3, 4, 2],
        "stage4_channel": [2, 64],
        "frame_pairs": [2, 3, 3],
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"after": (1, 5)}, r"after is \(1, 5\), expected different blocks out of 2, 3, 4, 5"),
        ({"after": (4, 4)}, r"after is \(4, 4\)"),
        ({"temporal": "max"}, "temporal is 'max', expected nltp, tp, ta, rnn"),
        ({"dot_scale": "max"}, "dot_scale is 'max', expected mean or sum"),
        ({"reduction": 0}, "reduction is 0"),
        ({"hidden": 0}, "hidden is 0"),
        ({"last_stride": 0}, "last_stride is 0"),
    ],
)
def test_arguments_out_of_range_are_refused(narrow, arguments, message):
    with pytest.raises(ValueError, match=message):
        nlam_nltp(narrow(), **arguments)


def train(model, steps, lr=1e-4):
    """The paper's losses and optimiser on random clips; the loss of every step."""
    torch.manual_seed(0)
    clips, classes = torch.randn(8, 4, 3, 64, 32), torch.arange(4).repeat_interleave(2)
    optimiser = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=5e-4)
    history = []
    for _ in range(steps):
        loss = sum(losses(model(clips), classes, MARGIN).values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    return history


def test_fifty_steps_of_the_recipe_stay_finite(narrow):
    torch.manual_seed(0)
    model = nlam_nltp(narrow(channels=(4, 8, 8, 64)), 4).train()
    history = train(model, 50)
    assert all(F.mse_loss(p, p) == 0 for p in model.parameters())  # false for NaN and infinity
    assert max(history) < 10 and history[-1] < history[0]


def test_as_printed_the_pooling_diverges_within_three_steps():
    """Which is why ``mean`` is the default: 2048 channels, 8 × 4 cells, lr 1e-4."""
    torch.manual_seed(0)
    features, classes = torch.randn(4, 4, 2048, 8, 4).relu(), torch.tensor([0, 0, 1, 1])
    worst = {}
    for scale in ("mean", "sum"):
        torch.manual_seed(0)
        pool, classifier = NLTP(2048, dot_scale=scale), nn.Linear(2048, 2)
        parameters = [*pool.parameters(), *classifier.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=1e-4, weight_decay=5e-4)
        history = []
        for _ in range(3):
            x = pool(features)
            out = ClipOutput(x, x, classifier(x), {})
            loss = sum(losses(out, classes, MARGIN).values())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            history.append(loss.item())
        worst[scale] = max(history) / history[0]
    assert worst["mean"] < 1.1 and worst["sum"] > 3
