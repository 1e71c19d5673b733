"""BiCnet-TKS against its steps, frame by frame and cell by cell in float64."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from benchmark.cost.macs import count_gmacs
from methods.bicnet import DAO, PENALTY, TKS, apart, bicnet_tks, divergence, in_order, pooled
from methods.head import Head

SMALL = {"height": 64, "width": 64}


def block_mean(x, row, column, side):
    """Mean of a square of cells of one map, [C, H, W]."""
    rows = slice(row * side, (row + 1) * side)
    return x[:, rows, column * side : (column + 1) * side].flatten(1).mean(1)


def norm_by_hand(norm, v):
    return (v - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias


def temporal_by_hand(conv, frames, t, dilation):
    """A 3-tap convolution at frame t of a list of vectors, zeros beyond the clip."""
    total = 0
    for tap, s in enumerate((t - dilation, t, t + dilation)):
        if 0 <= s < len(frames):
            total = total + conv.weight[:, :, tap] @ frames[s]
    return total


def tks_by_hand(layer, clip):
    """One clip as a list of maps, [C, H, W] (frame 0, 4, …) or [C, H/2, W/2]: the same list."""
    sides = [8 if t % 4 == 0 else 4 for t in range(len(clip))]
    height, width = (n // 8 for n in clip[0].shape[1:])
    places = [(i, j) for i in range(height) for j in range(width)]
    y1, y2, e = {}, {}, 0
    for i, j in places:
        u = [block_mean(x, i, j, side) for x, side in zip(clip, sides, strict=True)]
        for t in range(len(clip)):
            y1[t, i, j] = temporal_by_hand(layer.short, u, t, 1)
            y2[t, i, j] = temporal_by_hand(layer.long, u, t, 2)
            e = e + (y1[t, i, j] + y2[t, i, j]) / (len(places) * len(clip))
    first, norm, _, last = layer.select
    hidden = norm_by_hand(norm, first.weight.flatten(1) @ e).clamp_min(0)
    logits = last.weight.flatten(1) @ hidden
    b1, b2 = (half.exp() for half in logits.split(len(e)))
    result = []
    for t, (x, side) in enumerate(zip(clip, sides, strict=True)):
        x = x.clone()
        for i, j in places:
            z = (b1 * y1[t, i, j] + b2 * y2[t, i, j]) / (b1 + b2)
            for r in range(i * side, (i + 1) * side):
                for c in range(j * side, (j + 1) * side):
                    x[:, r, c] += norm_by_hand(layer.norm, z)
        result.append(x)
    return result, b2 / (b1 + b2)


def softmax_by_hand(v):
    powers = [math.exp(float(x)) for x in v]
    return torch.tensor([p / sum(powers) for p in powers], dtype=torch.float64)


def dao_by_hand(layer, clip):
    """One clip as a list of maps: the same list and the rows' weights of each frame."""
    result, weights = [], []
    for t, x in enumerate(clip):
        place, rows = t % 4, clip[1].shape[1]
        if place == 0:
            columns = x.shape[2] // 2
            s = [sum(block_mean(x, r, c, 2) for c in range(columns)) / columns for r in range(rows)]
        else:
            s = [x[:, r].mean(1) for r in range(rows)]
        scores = torch.stack([v.mean() for v in s])
        if place >= 2:
            score, (mix, norm) = layer.score[place - 2], layer.mix[place - 2]
            raw = torch.stack([score.weight.flatten() @ v + score.bias[0] for v in s])
            scores = norm_by_hand(norm, mix.weight.flatten(1) @ raw + mix.bias)
        p = softmax_by_hand(scores)
        added = norm_by_hand(layer.norms[place], sum(w * v for w, v in zip(p, s, strict=True)))
        result.append(x + added[:, None, None])
        weights.append(p)
    return result, weights


def overlap_by_hand(weights):
    """The penalty of one or more clips' row weights, before its factor 0.01."""
    groups = [clip[g : g + 4] for clip in weights for g in range(0, len(clip), 4)]
    total = 0
    for a, b in ((1, 2), (1, 3), (2, 3)):
        d = [
            sum(math.sqrt(float(p) * float(q)) for p, q in zip(g[a], g[b], strict=True))
            for g in groups
        ]
        total += math.sqrt(2) / 4 * sum(d) / len(d)
    return total / 3


def branches(draw, channels, height, width, clips=2, groups=2):
    """High and low maps as the modules take them, and each clip as the list of its frames."""
    high = draw(clips * groups, channels, height, width).double()
    low = draw(clips * groups * 3, channels, height // 2, width // 2).double()
    lists = []
    for clip in range(clips):
        frames = []
        for group in range(clip * groups, (clip + 1) * groups):
            frames += [high[group], *low[3 * group : 3 * group + 3]]
        lists.append(frames)
    return high, low, lists


def split(lists):
    """Lists of frames back into high and low maps."""
    high = [x for frames in lists for t, x in enumerate(frames) if t % 4 == 0]
    low = [x for frames in lists for t, x in enumerate(frames) if t % 4]
    return torch.stack(high), torch.stack(low)


@pytest.mark.parametrize(("size", "groups"), [((8, 8), 1), ((16, 8), 2), ((8, 16), 3)])
def test_tks_is_its_five_steps(wake, draw, error, size, groups):
    layer, maps = wake(TKS(48)).double(), {}
    high, low, lists = branches(draw, 48, *size, groups=groups)
    with torch.no_grad():
        layer.select[1].bias += 1  # past the ReLU
        found = layer(high, low, 2, maps)
        by_hand = [tks_by_hand(layer, frames) for frames in lists]
    for ours, wanted in zip(found, split([frames for frames, _ in by_hand]), strict=True):
        assert error(ours, wanted) < 1e-10
    chosen = maps["long_range_channel"]
    assert error(chosen, torch.stack([a for _, a in by_hand])) < 1e-10
    assert chosen.std() > 0.01


@pytest.mark.parametrize(("size", "groups"), [((8, 4), 1), ((4, 8), 2)])
def test_dao_weighs_rows_by_the_place_in_the_group(wake, draw, error, size, groups):
    layer, maps = wake(DAO(6, size[0] // 2)).double(), {}
    high, low, lists = branches(draw, 6, *size, groups=groups)
    with torch.no_grad():
        *found, penalty = layer(high, low, 2, maps)
        by_hand = [dao_by_hand(layer, frames) for frames in lists]
    for ours, wanted in zip(found, split([frames for frames, _ in by_hand]), strict=True):
        assert error(ours, wanted) < 1e-10
    weights = [w for _, w in by_hand]
    assert error(maps["row_scores"], torch.stack([torch.stack(w) for w in weights])) < 1e-10
    assert penalty.item() == pytest.approx(PENALTY * overlap_by_hand(weights))


def test_the_overlap_is_highest_for_equal_weights_and_zero_for_disjoint_ones():
    rows = torch.eye(3)[None]
    same = divergence(rows[:, 0], rows[:, 0], rows[:, 0])
    apart_ = divergence(rows[:, 0], rows[:, 1], rows[:, 2])
    assert same.item() == pytest.approx(2**0.5 / 4, abs=1e-4)
    assert apart_.item() == pytest.approx(0, abs=1e-4)


def test_the_overlap_moves_the_second_and_third_frame_alone():
    p = [torch.rand(2, 4).softmax(1).requires_grad_() for _ in range(3)]
    divergence(*p).backward()
    assert p[0].grad is None and p[1].grad.any() and p[2].grad.any()
    zero = torch.tensor([[1.0, 0.0]], requires_grad=True)
    divergence(zero.detach(), zero, zero).backward()
    assert zero.grad.isfinite().all()


def test_frames_come_apart_and_together_again(draw):
    x = draw(8, 2, 3)
    high, low = apart(x)
    assert torch.equal(high, x[[0, 4]]) and torch.equal(low, x[[1, 2, 3, 5, 6, 7]])
    assert torch.equal(in_order(high, low), x)


# ---- the whole network ---------------------------------------------------------------------------


def by_hand(model, clip):
    """One clip, [T, 3, H, W], frame after frame: the feature and the penalty."""
    net = model.frames
    frames = [net.stem(frame[None])[0] for frame in clip]
    frames = [x if t % 4 == 0 else F.max_pool2d(x, 2) for t, x in enumerate(frames)]
    weights = None
    for stage in (1, 2, 3, 4):
        frames = [net.stage(stage)(x[None])[0] for x in frames]
        if stage < 4:
            kernel = model.paths[f"stage{stage}"].weight.flatten(1)  # [3*C, C]
            for t, x in enumerate(frames):
                if t % 4:
                    given = F.max_pool2d(frames[t - t % 4], 2)  # of the group's high frame
                    own = kernel[(t % 4 - 1) * len(x) : (t % 4) * len(x)]
                    frames[t] = x + torch.einsum("oc,chw->ohw", own, given)
        if stage == 2:
            frames, _ = tks_by_hand(model.tks, frames)
        if stage == 3:
            frames, weights = dao_by_hand(model.dao, frames)
    vectors = [x.flatten(1).amax(1) for x in frames]
    high = sum(vectors[::4]) / (len(vectors) // 4)
    low = sum(v for t, v in enumerate(vectors) if t % 4) / (len(vectors) // 4 * 3)
    return (high + low) / 2, weights


def test_the_network_is_its_steps_written_out(narrow, wake, draw, error):
    model = wake(bicnet_tks(narrow(), **SMALL)).double()
    clips = draw(2, 8, 3, 64, 64).double()
    with torch.no_grad():
        out, wanted = model(clips), [by_hand(model, clip) for clip in clips]
    assert error(out.metric, torch.stack([v for v, _ in wanted])) < 1e-6  # outputs are float32
    penalty = PENALTY * overlap_by_hand([w for _, w in wanted])
    assert out.penalties["divergence"].item() == pytest.approx(penalty, rel=1e-6)
    assert error(out.embedding, model.neck(out.metric.double())) < 1e-6


def test_new_modules_add_nothing_and_the_paths_do(narrow, draw, error):
    model = bicnet_tks(narrow(), **SMALL).eval()
    clips = draw(1, 4, 3, 64, 64)
    with torch.no_grad():
        whole = model(clips).metric
        model.tks = model.dao = None
        assert torch.allclose(model(clips).metric, whole, atol=1e-6)
        nn.init.zeros_(model.paths["stage3"].weight)
        assert error(model(clips).metric, whole.double()) > 1e-3


def test_both_branches_have_their_own_statistics_in_training(narrow, wake, draw):
    """High first, low after it: what a BatchNorm sees last weighs most in its running mean."""
    model = wake(bicnet_tks(narrow(), **SMALL)).train()
    seen = []
    norm = model.frames.layer1[0].bn1
    norm.register_forward_hook(lambda m, given, out: seen.append(given[0].shape[:1]))
    before, after = copy.deepcopy(norm), []
    norm.register_forward_pre_hook(lambda m, given: after.append(given[0]))
    model(draw(2, 8, 3, 64, 64))
    assert [n for (n,) in seen] == [4, 12]
    for x in after:
        before(x)
    assert torch.allclose(norm.running_mean, before.running_mean)


def test_groups_may_not_change_places_nor_high_and_low_frames(narrow, wake, draw, error):
    model = wake(bicnet_tks(narrow(), **SMALL))
    clips = draw(1, 8, 3, 64, 64)
    with torch.no_grad():
        whole = model(clips).metric.double()
        for order in ([1, 0, 2, 3, 4, 5, 6, 7], [0, 2, 1, 3, 4, 5, 6, 7], [4, 5, 6, 7, 0, 1, 2, 3]):
            assert error(model(clips[:, order]).metric, whole) > 1e-4
        model.tks = None  # what alone looks beyond a group
        swapped = model(clips[:, [4, 5, 6, 7, 0, 1, 2, 3]]).metric
        assert error(swapped, model(clips).metric.double()) < 1e-5


GOLDEN = [8.32454, 2.30088, 27.12515, 48.65739, 9.30005, 7.29038]


def test_the_embedding_is_what_it_was(narrow, wake):
    model = wake(bicnet_tks(narrow(), **SMALL))
    clip = torch.randn(1, 4, 3, 64, 64, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        found = model(clip).embedding[0, :6]
    assert torch.allclose(found, torch.tensor(GOLDEN), rtol=1e-3, atol=1e-4), found.tolist()


def test_parameters_and_multiply_adds_at_full_size():
    model = bicnet_tks(num_classes=625)
    assert sum(p.numel() for p in model.parameters()) == 30_555_043
    assert count_gmacs(model, torch.zeros(1, 8, 3, 256, 128)) == pytest.approx(15.24, rel=0.005)


def test_the_head_is_the_papers_or_a_plain_one(narrow, draw):
    model, clips = bicnet_tks(narrow(), 5, **SMALL), draw(3, 4, 3, 64, 64)
    assert model.neck.bias.requires_grad and model.head.classifier.bias is not None
    model.head = Head(model.head.width, 7, neck="bn")
    out = model(clips)
    assert out.logits.shape == (3, 7) and list(out.penalties) == ["divergence"]
    assert not model.neck.bias.requires_grad


@pytest.mark.parametrize(("tks", "dao"), [(True, False), (False, True), (False, False)])
def test_parts_of_it_can_be_taken_away(narrow, draw, tks, dao):
    size = {"height": 64, "width": 64 if tks else 32}
    model = bicnet_tks(narrow(), tks=tks, dao=dao, **size).eval()
    clips = draw(2, 4, 3, *size.values())
    assert list(model(clips).penalties) == ["divergence"] * dao
    assert len(model.attention(clips)) == tks + dao
    if not dao:
        assert model(draw(1, 4, 3, 128, 64)).embedding.shape == (1, 64)


def test_attention_names_what_it_shows(narrow, draw):
    model = bicnet_tks(narrow(), height=128, width=64).eval()
    maps = model.attention(draw(2, 8, 3, 128, 64))
    shapes = {name: list(m.shape) for name, m in maps.items()}
    assert shapes == {"long_range_channel": [2, 32], "row_scores": [2, 8, 4]}
    assert torch.allclose(maps["row_scores"].sum(2), torch.ones(2, 8))


def test_a_size_that_does_not_fit_is_refused_before_anything_is_built(narrow):
    fits = "H × W = 96 × 40 pixels do not fit: both must be multiples of {}, e.g. {}"
    with pytest.raises(ValueError, match=fits.format(64, "128 × 64")):
        bicnet_tks(narrow(), height=96, width=40)
    with pytest.raises(ValueError, match=fits.format(32, "96 × 64")):
        bicnet_tks(narrow(), tks=False, height=96, width=40)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((6, 64, 64), "T = 6 frames do not fit: one frame in four .* multiple of 4, e.g. T = 4"),
        ((4, 64, 32), "H × W = 64 × 32 pixels do not fit: both must be multiples of 64"),
        ((4, 128, 64), "H = 128 pixels do not fit: DAO was built for 64; .* with height=128"),
    ],
)
def test_clips_that_do_not_fit_are_refused(narrow, shape, message):
    frames, *size = shape
    with pytest.raises(ValueError, match=message):
        bicnet_tks(narrow(), **SMALL)(torch.zeros(1, frames, 3, *size))


def test_pooling_is_the_mean_of_squares(draw, error):
    x = draw(1, 2, 4, 6).double()
    wanted = torch.stack(
        [torch.stack([block_mean(x[0], i, j, 2) for j in range(3)], 1) for i in range(2)], 1
    )
    assert error(pooled(x, 2)[0], wanted) < 1e-12
