"""TCLNet against the steps of TSB and TSE, cell by cell in float64."""

import copy
import math

import pytest
import torch
from torch import nn

from benchmark.cost.macs import count_gmacs
from methods.head import Head
from methods.pair_head import PairHead
from methods.tclnet import TSB, TSE, erased_rows, tclnet


def unit(v):
    return v / math.sqrt(sum(float(c) ** 2 for c in v))


def embed_by_hand(embed, v):
    """A 1×1 convolution and BatchNorm in evaluation, of one vector."""
    conv, norm = embed
    v = conv.weight.flatten(1) @ v + conv.bias
    return (v - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias


def tsb_by_hand(layer, x):
    """One clip [T, C, H, W]: the result and the attention {(frame, other, row, column): a}."""
    frames, channels, height, width = x.shape
    result, attention = x.clone(), {}
    for t in range(frames):
        query, powers = unit(x[t].flatten(1).mean(1)), {}
        for u in range(frames):
            for i in range(height):
                for j in range(width):
                    if u == t:
                        continue
                    window = x.new_zeros(channels)
                    for r, c in ((i - 1, j - 1), (i - 1, j), (i, j - 1), (i, j)):
                        if r >= 0 and c >= 0:
                            window = window + x[u, :, r, c]
                    powers[u, i, j] = math.exp(5 * float(query @ unit(window)))
        total = sum(powers.values())
        boost = sum(p / total * x[u, :, i, j] for (u, i, j), p in powers.items())
        result[t] += embed_by_hand(layer.embed, boost)[:, None, None]
        attention |= {(t, *place): p / total for place, p in powers.items()}
    return result, attention


def rows_by_hand(f, count):
    """r* and the rows around it, for one map [H, W]; ``count`` is odd."""
    means = [float(row.mean()) for row in f]
    half = count // 2
    scores = [sum(means[max(r - half, 0) : r + half + 1]) for r in range(len(means))]
    best = scores.index(max(scores))
    return best, [r for r in range(best - half, best + half + 1) if 0 <= r < len(means)]


def tse_by_hand(layer, shared, x0, x1, count):
    """One pair, [C, H, W] each: both learners' features and the erased rows."""
    channels, height, width = x0.shape
    x0 = x0 + embed_by_hand(layer.embed, x0.flatten(1).mean(1))[:, None, None]
    y0 = layer.branches[0](shared(x0[None]))[0]
    answer = layer.reduce.weight.flatten(1) @ y0.flatten(1).mean(1)
    f = torch.stack(
        [
            torch.stack([answer @ x1[:, i, j] / math.sqrt(channels) for j in range(width)])
            for i in range(height)
        ]
    )
    _, erased = rows_by_hand(f, count)
    left = [(i, j) for i in range(height) for j in range(width) if i not in erased]
    powers = {place: math.exp(float(f[place])) for place in left}
    pooled = sum(p / sum(powers.values()) * x1[:, i, j] for (i, j), p in powers.items())
    x1 = x1.clone()
    x1[:, erased] = 0
    x1 = x1 + embed_by_hand(layer.embed, pooled)[:, None, None]
    y1 = layer.branches[1](shared(x1[None]))[0]
    return torch.cat([y0.flatten(1).amax(1), y1.flatten(1).amax(1)]), erased


@pytest.mark.parametrize(("frames", "size"), [(2, (3, 2)), (3, (2, 3)), (4, (4, 2))])
def test_tsb_is_its_four_steps(wake, draw, error, frames, size):
    layer, x, maps = wake(TSB(5)).double(), draw(2 * frames, 5, *size).double(), {}
    with torch.no_grad():
        found = layer(x, frames, maps).unflatten(0, (2, -1))
        for clip in range(2):
            wanted, attention = tsb_by_hand(layer, x.unflatten(0, (2, -1))[clip])
            assert error(found[clip], wanted) < 1e-10
            for place, value in attention.items():
                assert maps["boosting"][(clip, *place)].item() == pytest.approx(value)
    own = maps["boosting_pairs"].diagonal(dim1=1, dim2=2)
    assert not own.any()  # no frame looks at itself
    assert torch.allclose(maps["boosting_pairs"].sum(2), torch.ones(2, frames).double())


def stage(narrow, layers):
    """The last stage of a narrow network: the blocks that are shared, and the last one."""
    blocks = narrow(layers=(1, 1, 1, layers), channels=(4, 4, 8, 6)).layer4
    return blocks[:-1], blocks[-1]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("size", "count"), [((4, 2), 1), ((6, 2), 3), ((16, 3), 3)])
def test_tse_is_its_five_steps(narrow, wake, draw, error, layers, size, count):
    shared, last = stage(narrow, layers)
    channels = 32 if layers == 1 else 24
    if layers == 2:  # stages share a block that keeps the width
        shared, channels = nn.Sequential(copy.deepcopy(last)), 24
    layer = wake(TSE(last, channels, 24, count)).double()
    shared = wake(shared, seed=1).double()
    x, maps = draw(6, channels, *size).double(), {}
    with torch.no_grad():
        layer.branches[1].bn3.bias += 0.5  # the learners differ
        found = layer(x, 6, shared, maps)
        for pair in range(3):
            wanted, erased = tse_by_hand(layer, shared, x[2 * pair], x[2 * pair + 1], count)
            kept = [r not in erased for r in range(size[0])]
            assert maps["kept_rows"][0, 2 * pair].all()  # the first frame loses nothing
            assert maps["kept_rows"][0, 2 * pair + 1].bool().tolist() == kept
            assert error(found[pair], wanted) < 1e-10


@pytest.mark.parametrize(
    ("means", "count", "erased"),
    [
        ([0, 0, 5, 0, 0, 0], 3, [0, 1, 2]),  # rows 1 to 3 have equal windows: the first of them
        ([0, 0, 0, 0, 1, 5], 3, [3, 4, 5]),
        ([9, -9, 0, 0, 0, 0], 3, [0, 1]),  # the window at the edge is a sum of two rows
        ([-1, -1, -1, -1, -1, -1], 3, [0, 1]),  # beyond the edge are zeros, above what is negative
        ([0, 3, 3, 0], 2, [1, 2]),
        ([0, 0, 7, 0], 1, [2]),
    ],
)
def test_rows_of_the_highest_window_are_erased(means, count, erased):
    f = torch.tensor(means).double()[None, :, None].expand(1, -1, 2)
    assert erased_rows(f, count)[0].nonzero().flatten().tolist() == erased


@pytest.mark.parametrize(("rows", "erased"), [(16, 3), (8, 2), (4, 1), (32, 6)])
def test_erased_rows_follow_the_map(narrow, rows, erased):
    assert tclnet(narrow()).tse.rows_of(rows) == erased
    assert tclnet(narrow(), erase_rows=3).tse.rows_of(rows) == 3


def test_the_correlation_learns_through_the_softmax_alone(narrow, wake, draw):
    shared, last = stage(narrow, 1)
    layer = wake(TSE(last, 32, 24, 1))
    x = draw(2, 32, 4, 2).requires_grad_()
    layer(x, 2, shared)[:, 24:].sum().backward()  # the second learner's half
    assert layer.reduce.weight.grad.abs().max() > 0
    assert not x.grad[0].any()  # the first frame has no part in it but for y₀, which is detached


# ---- the whole network ---------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [(1, 2, 3, 1), (1, 1, 1, 3)])
def test_the_network_is_its_stages_and_modules(narrow, wake, draw, error, layers):
    model = wake(tclnet(narrow(layers=layers))).double()
    clips = draw(2, 4, 3, 64, 32).double()
    frames, wanted = model.frames, []
    with torch.no_grad():
        for clip in clips:
            x, _ = tsb_by_hand(model.tsb, frames.layer2(frames.layer1(frames.stem(clip))))
            x = frames.layer3(x)
            pairs = [tse_by_hand(model.tse, frames.layer4, *x[p : p + 2], 1)[0] for p in (0, 2)]
            wanted.append(sum(pairs) / 2)
        out = model(clips)
    assert error(out.metric, torch.stack(wanted)) < 1e-6  # outputs are float32
    assert error(out.embedding, model.neck(torch.stack(wanted))) < 1e-6
    assert len(frames.layer4) == layers[3] - 1


def test_new_modules_add_nothing_but_rows_are_erased(narrow, draw, error):
    model, x = tclnet(narrow()).eval(), draw(4, 32, 8, 4)
    with torch.no_grad():
        assert torch.equal(model.tsb(x, 4), x)
        maps, y = {}, draw(4, 32, 4, 2)
        features = model.tse(y, 4, nn.Identity(), maps)
        assert (maps["kept_rows"] == 0).sum() == 2  # one row of each second frame
        plain = model.tse.branches[0](y[[0, 2]]).amax((2, 3))
    assert error(features[:, :64], plain.double()) < 1e-6


def test_both_learners_start_from_the_last_block_with_new_statistics(narrow, wake):
    backbone = wake(narrow(layers=(1, 1, 1, 2)))
    branches = tclnet(backbone).tse.branches
    for branch in branches:
        assert torch.equal(branch.conv2.weight, backbone.layer4[1].conv2.weight)
        assert torch.equal(branch.bn2.weight, backbone.layer4[1].bn2.weight)
        assert not branch.bn2.running_mean.any() and (branch.bn2.running_var == 1).all()
    assert branches[0].conv2.weight is not branches[1].conv2.weight


def test_pairs_may_change_places_and_frames_of_a_pair_may_not(narrow, wake, draw, error):
    model, clips = wake(tclnet(narrow())).double(), draw(1, 4, 3, 64, 32).double()
    with torch.no_grad():
        whole = model(clips).metric
        assert error(model(clips[:, [2, 3, 0, 1]]).metric, whole.double()) < 1e-6
        assert error(model(clips[:, [1, 0, 2, 3]]).metric, whole.double()) > 1e-3
        seconds = model(clips[:, [0, 3, 2, 1]]).metric  # the first learner sees a set of others
    assert error(seconds[:, :64], whole[:, :64].double()) < 1e-6
    assert error(seconds[:, 64:], whole[:, 64:].double()) > 1e-3


GOLDEN_ROWS = [[1, 3], [3, 3]]  # frame, row
GOLDEN = [22.12225, 13.39127, -0.34106, 21.51045, 18.55707, -0.51666]


def test_the_embedding_is_what_it_was(narrow, wake):
    """The erased rows first: a near tie between two windows would explain all the rest."""
    model = wake(tclnet(narrow())).double()
    clip = torch.randn(1, 4, 3, 64, 32, generator=torch.Generator().manual_seed(5)).double()
    with torch.no_grad():
        rows = (model.attention(clip)["kept_rows"] == 0).nonzero()[:, 1:]
        found = model(clip).embedding[0, [0, 1, 2, 64, 65, 66]]
    assert rows.tolist() == GOLDEN_ROWS
    assert torch.allclose(found, torch.tensor(GOLDEN), rtol=1e-3, atol=1e-4), found.tolist()


def test_parameters_and_multiply_adds_at_full_size():
    model = tclnet(num_classes=625)
    assert sum(p.numel() for p in model.parameters()) == 33_952_546
    assert count_gmacs(model, torch.zeros(1, 4, 3, 256, 128)) == pytest.approx(16.23, rel=0.005)


def test_a_plain_head_may_take_the_place_of_the_two(narrow, draw):
    model, clips = tclnet(narrow(), 5), draw(3, 2, 3, 64, 32)
    assert isinstance(model.head, PairHead) and model.parts == 2
    model.head = Head(model.head.width, 7, neck="bn")
    out = model(clips)
    assert model.parts == 1 and out.heads == () and out.logits.shape == (3, 7)
    assert out.embedding.shape == (3, 128) and not model.neck.bias.requires_grad


@pytest.mark.parametrize(("tsb", "tse"), [(True, False), (False, True), (False, False)])
def test_parts_of_it_can_be_taken_away(narrow, draw, tsb, tse):
    model, clips = tclnet(narrow(), 5, tsb=tsb, tse=tse).eval(), draw(2, 4, 3, 64, 32)
    out = model(clips)
    assert out.embedding.shape == (2, 128 if tse else 64) and model.parts == 1 + tse
    assert len(model.attention(clips)) == 2 * tsb + 2 * tse
    if not tse:
        assert model(clips[:, :3]).embedding.shape == (2, 64)  # an odd T needs no pairs


def test_attention_names_what_it_shows(narrow, draw):
    maps = tclnet(narrow()).eval().attention(draw(2, 4, 3, 64, 32))
    assert {name: list(m.shape) for name, m in maps.items()} == {
        "boosting": [2, 4, 4, 8, 4],
        "boosting_pairs": [2, 4, 4],
        "correlation": [2, 2, 4, 2],
        "kept_rows": [2, 4, 4],
    }


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        ({}, (3, 64, 32), "T = 3 frames do not fit: erasing in pairs .* multiple of 2, e.g. T = 2"),
        ({"tse": False}, (1, 64, 32), r"T = 1 frame does not fit: TSB needs .* e.g. T = 2"),
        ({}, (2, 32, 32), "erasing 0 of the 2 rows of stage 3 .* 4 rows, so H = 64 pixels"),
        ({"erase_rows": 4}, (2, 64, 32), "erasing 4 of the 4 rows"),
    ],
)
def test_clips_that_do_not_fit_are_refused(narrow, options, shape, message):
    frames, *size = shape
    with pytest.raises(ValueError, match=message):
        tclnet(narrow(), **options)(torch.zeros(1, frames, 3, *size))


def test_no_rows_to_erase_are_refused(narrow):
    with pytest.raises(ValueError, match="erase_rows is 0, expected 1 or more"):
        tclnet(narrow(), erase_rows=0)
