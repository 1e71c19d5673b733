"""STA against equations 1 to 8 and Algorithm 1, loop by loop."""

import copy
import inspect

import pytest
import torch

from methods.sta import (
    attention_maps,
    block_scores,
    fuse,
    inter_frame_penalty,
    sta,
    sta_attention,
    sta_avg,
    sta_baseline,
    sta_fusion,
)


def maps_by_hand(f):
    """Eq. 1: f is [N, D, H, W] of one clip."""
    frames, depth, height, width = f.shape
    g = torch.zeros(frames, height, width, dtype=torch.float64)
    for n in range(frames):
        total = 0.0
        for h in range(height):
            for w in range(width):
                g[n, h, w] = abs(sum(f[n, d, h, w] ** 2 for d in range(depth)))
                total += g[n, h, w]
        g[n] /= total
    return g


def scores_by_hand(g, blocks):
    """Eqs. 2 to 4: the matrix S of a clip, [N, K]."""
    frames, height, _ = g.shape
    tall = height // blocks
    s = torch.zeros(frames, blocks, dtype=torch.float64)
    for n in range(frames):
        for k in range(blocks):
            for i in range(tall):
                s[n, k] += sum(abs(v) for v in g[n, k * tall + i])
    return torch.stack([s[n] / sum(s[m] for m in range(frames)) for n in range(frames)])


def fusion_by_hand(f, scores):
    """Algorithm 1: F₁ and F₂ of a clip."""
    frames, depth, height, width = f.shape
    tall = height // scores.shape[1]
    best = torch.zeros(depth, height, width, dtype=torch.float64)
    weighted = torch.zeros_like(best)
    for k in range(scores.shape[1]):
        rows = slice(k * tall, (k + 1) * tall)
        m = max(range(frames), key=lambda n: scores[n, k])
        best[:, rows] = f[m][:, rows]
        for n in range(frames):
            weighted[:, rows] += f[n][:, rows] * scores[n, k]
    return best, weighted


def maps_of(draw, batch, frames, depth, height, width, spread=1.0):
    """Last-stage maps as after a ReLU, with energies over ``spread`` orders of magnitude."""
    f = draw(batch, frames, depth, height, width).relu()
    return f * 10 ** (spread * draw(batch, frames, 1, height, width).tanh())


SHAPES = [(1, 4, 2, 4), (2, 4, 2, 4), (4, 8, 4, 2), (6, 8, 4, 8), (3, 6, 5, 3)]  # N, H, W, K


@pytest.mark.parametrize("spread", [0, 1, 2])
@pytest.mark.parametrize(("frames", "height", "width", "blocks"), SHAPES)
def test_maps_scores_and_fusion_are_the_equations(
    draw, error, frames, height, width, blocks, spread
):
    f = maps_of(draw, 2, frames, 5, height, width, spread)
    maps = attention_maps(f)
    scores = block_scores(maps, blocks)
    best, weighted = fuse(f, scores)
    for b in range(2):
        g = maps_by_hand(f[b].double())
        s = scores_by_hand(g, blocks)
        first, second = fusion_by_hand(f[b].double(), s)
        assert error(maps[b], g) < 1e-5
        assert error(scores[b], s) < 1e-5
        assert error(best[b], first) < 1e-5
        assert error(weighted[b], second) < 1e-5


def test_scores_of_a_block_sum_to_one_over_the_frames(draw):
    scores = block_scores(attention_maps(maps_of(draw, 2, 5, 4, 8, 4)), 4)
    assert torch.allclose(scores.sum(1), torch.ones(2, 4), atol=1e-6)


def test_first_half_takes_whole_blocks_and_the_best_only():
    f = torch.ones(1, 3, 1, 4, 2) * torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1, 1)
    scores = torch.tensor([[[0.5, 0.1], [0.3, 0.2], [0.2, 0.7]]])  # frame 0, then frame 2
    best, weighted = fuse(f, scores)
    assert best[0, 0].tolist() == [[1, 1], [1, 1], [3, 3], [3, 3]]
    upper, lower = 0.5 + 2 * 0.3 + 3 * 0.2, 0.1 + 2 * 0.2 + 3 * 0.7
    assert torch.allclose(weighted[0, 0, :, 0], torch.tensor([upper, upper, lower, lower]))


def by_hand(model, clips, fusion, blocks):
    """X of each clip in float64: maps, fusion, mean over cells, first linear layer (eq. 8)."""
    model, features = copy.deepcopy(model).double(), []
    for clip in clips.double():
        f = model.frames(clip)
        if fusion == "mean":
            fused = sum(f) / len(f)
        else:
            best, weighted = fusion_by_hand(f, scores_by_hand(maps_by_hand(f), blocks))
            fused = weighted if fusion == "attention" else torch.cat([best, weighted])
        features.append(model.fc.weight @ fused.mean((1, 2)) + model.fc.bias)
    return torch.stack(features)


@pytest.mark.parametrize(
    ("build", "fusion", "arguments", "frames", "height"),
    [
        (sta, "both", {}, 4, 64),
        (sta, "both", {"blocks": 2}, 3, 96),
        (sta, "both", {"blocks": 8}, 2, 128),
        (sta_fusion, "both", {}, 1, 64),
        (sta_attention, "attention", {}, 4, 64),
        (sta_avg, "mean", {}, 4, 64),
        (sta_baseline, "mean", {}, 3, 64),
    ],
)
def test_network_is_the_paper_written_out(
    narrow, wake, draw, error, build, fusion, arguments, frames, height
):
    model = wake(build(narrow(layers=(1, 1, 2, 2)), 5, dimensions=20, **arguments))
    clips = draw(2, frames, 3, height, 32)
    with torch.no_grad():
        out = model(clips)
        wanted = by_hand(model, clips, fusion, arguments.get("blocks", 4))
    assert error(out.embedding, wanted) < 1e-5
    assert torch.equal(out.embedding, out.metric)  # no BN, no activation
    assert (out.embedding < 0).any()


def test_logits_are_a_second_layer_on_x(narrow, wake, draw):
    model = wake(sta(narrow(), 5))
    with torch.no_grad():
        out = model(draw(2, 2, 3, 64, 32))
        wanted = out.metric @ model.head.classifier.weight.T + model.head.classifier.bias
    assert torch.allclose(out.logits, wanted, atol=1e-6)


def test_baseline_is_the_mean_of_its_single_frames(narrow, wake, draw):
    model, clips = wake(sta_baseline(narrow())), draw(2, 3, 3, 64, 32)
    with torch.no_grad():
        single = torch.stack([model(clips[:, t : t + 1]).embedding for t in range(3)]).mean(0)
        assert torch.allclose(model(clips).embedding, single, atol=1e-5)


def test_no_parameter_depends_on_the_number_of_frames(narrow, wake, draw):
    model = wake(sta(narrow()))
    with torch.no_grad():
        assert all(
            model(draw(1, n, 3, 64, 32)).embedding.shape == (1, 1024) for n in (1, 2, 4, 6, 8)
        )


# ---- the penalty ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("frames", "height", "width"), [(2, 4, 2), (4, 8, 4)])
def test_penalty_is_the_norm_of_equation_6(draw, error, frames, height, width):
    g = attention_maps(maps_of(draw, 3, frames, 5, height, width))
    wanted = 0.0
    for clip in g.double():
        square = 0.0
        for h in range(height):
            for w in range(width):
                square += (clip[0, h, w] - clip[-1, h, w]).abs() ** 2
        wanted += square.sqrt() / 3  # mean over the batch
    assert error(inter_frame_penalty(g, training=False), wanted) < 1e-5


def test_training_draws_two_different_frames_of_every_clip(draw):
    g = attention_maps(maps_of(draw, 2, 3, 5, 4, 2))
    pairs = {
        ((g[0, i] - g[0, j]).norm() + (g[1, k] - g[1, m]).norm()).item() / 2
        for i, j in ((0, 1), (0, 2), (1, 2))
        for k, m in ((0, 1), (0, 2), (1, 2))
    }
    torch.manual_seed(0)
    drawn = {round(inter_frame_penalty(g, training=True).item(), 5) for _ in range(200)}
    assert drawn == {round(p, 5) for p in pairs}  # all nine combinations, and 0 never


def test_penalty_of_one_frame_is_0(narrow, draw):
    model = sta(narrow()).train()
    out = model(draw(2, 1, 3, 64, 32))
    assert out.penalties["inter_frame"].item() == 0
    out.embedding.sum().backward()


@pytest.mark.parametrize("training", [True, False])
def test_gradient_of_equal_frames_is_finite(narrow, draw, training):
    model = sta(narrow(), 5).train(training)
    clip = draw(2, 1, 3, 64, 32).expand(-1, 4, -1, -1, -1)
    out = model(clip)
    assert out.penalties["inter_frame"].item() < 1e-6
    (out.penalties["inter_frame"] + out.logits.square().sum()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    maps = torch.full((2, 3, 4, 2), 1 / 8, requires_grad=True)
    inter_frame_penalty(maps, training).backward()
    assert not maps.grad.any()


def test_penalty_reaches_the_backbone_through_the_scores(narrow, wake, draw):
    model, clips = wake(sta(narrow())), draw(2, 3, 3, 64, 32)
    model(clips).penalties["inter_frame"].backward()
    assert model.frames.layer4[-1].conv3.weight.grad.abs().max() > 0
    assert model.fc.weight.grad is None


def test_fused_feature_has_a_gradient_through_the_scores(draw):
    f = maps_of(draw, 1, 3, 4, 4, 2).requires_grad_()
    scores = block_scores(attention_maps(f), 2)
    fuse(f.detach(), scores)[1].sum().backward()
    assert f.grad.abs().max() > 0


def test_weight_of_the_penalty_is_lambda(narrow, wake, draw):
    clips = draw(2, 3, 3, 64, 32)
    once, thrice = (
        wake(sta(narrow(), regularisation=r))(clips).penalties["inter_frame"] for r in (1.0, 3.0)
    )
    assert torch.allclose(3 * once, thrice)
    assert sta(narrow(), regularisation=0.0)(clips).penalties == {}
    assert inspect.signature(sta).parameters["regularisation"].default == 1.0
    for build in (sta_baseline, sta_avg, sta_attention, sta_fusion):
        assert build(narrow())(clips).penalties == {}


def test_evaluation_is_not_random_and_training_gives_the_same_feature(narrow, wake, draw):
    model, clips = wake(sta(narrow(), 5)), draw(2, 4, 3, 64, 32)
    with torch.no_grad():
        first, second = model(clips), model(clips)
        assert first.penalties == second.penalties
        assert torch.equal(first.embedding, second.embedding)
        for module in model.modules():  # training, but for BatchNorm's statistics
            module.training = not isinstance(module, torch.nn.modules.batchnorm._BatchNorm)
        assert torch.equal(model(clips).embedding, first.embedding)
        assert model(clips).penalties.keys() == first.penalties.keys()


# ---- precision, errors, pictures -----------------------------------------------------------------


def test_attention_is_float32_under_autocast(narrow, wake, draw):
    """Σ f² of 2048 channels would overflow float16; bfloat16 would round it to 3 digits."""
    model, clips = wake(sta(narrow())), draw(2, 4, 3, 64, 32)
    seen, fused = {}, model._fuse

    def spy(f, g):
        seen.update(f=f, g=g, fused=fused(f, g))
        return seen["fused"]

    model._fuse = spy
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        out = model(clips)
    assert seen["f"].dtype == seen["g"].dtype == torch.float32
    assert torch.equal(seen["g"], attention_maps(seen["f"]))  # not a digit is lost on the way
    assert torch.equal(seen["fused"], fused(seen["f"], seen["g"]))
    assert out.penalties["inter_frame"].dtype == out.embedding.dtype == torch.float32


def test_maps_of_zeros_are_finite():
    maps = attention_maps(torch.zeros(1, 2, 3, 4, 2))
    assert not maps.any() and not block_scores(maps, 2).any()


@pytest.mark.parametrize(
    ("blocks", "height", "message"),
    [
        (3, 64, r"K = 3 .* 4 rows of H = 64.*\[1, 2, 4\]"),
        (8, 64, r"K = 8 .* 4 rows"),
        (4, 80, r"K = 4 .* 5 rows of H = 80.*\[1, 5\]"),
    ],
)
def test_blocks_must_divide_the_rows(narrow, blocks, height, message):
    model = sta(narrow(), blocks=blocks).eval()
    model.frames.conv1.forward = None  # nothing is computed before the refusal
    with pytest.raises(ValueError, match=message):
        model(torch.zeros(1, 2, 3, height, 32))
    with pytest.raises(ValueError, match=message):
        model.attention(torch.zeros(1, 2, 3, height, 32))


def test_blocks_are_1_or_more(narrow):
    with pytest.raises(ValueError, match="blocks is 0"):
        sta(narrow(), blocks=0)


def test_attention_gives_the_scores_of_the_forward_pass(narrow, wake, draw, error):
    model, clips = wake(sta(narrow())), draw(2, 3, 3, 64, 32)
    scores = model.attention(clips)["scores"]
    with torch.no_grad():
        for b in range(2):
            f = model.frames(clips[b]).double()
            assert error(scores[b], scores_by_hand(maps_by_hand(f), 4)) < 1e-5
