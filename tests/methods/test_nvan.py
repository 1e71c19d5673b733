"""NVAN and its reductions: where the layers and poolings stand, against the steps written out."""

import copy

import pytest
import torch

from methods import nvan as module
from methods.nvan import (
    NVAN,
    nvan,
    nvan_1layer,
    nvan_3layer,
    nvan_s,
    nvan_t,
    resnet50_avg,
    resnet50_max,
    stenvan,
)

# conv3_3, conv3_4, conv4_4, conv4_5, conv4_6 in a ResNet-50, stage and block from 0
PLACES = {
    1: {(3, 5)},
    3: {(2, 3), (3, 4), (3, 5)},
    5: {(2, 2), (2, 3), (3, 3), (3, 4), (3, 5)},
}


def attended(layer, x, window, stripes):
    """One clip [T, C, H, W] in float64, window after window: stripes, softmax, W_z, BN, repeat."""
    frames, _, height, _ = x.shape
    cells = x
    if stripes:
        tall = height // stripes
        cells = torch.stack(
            [x[:, :, s * tall : (s + 1) * tall].mean((2, 3)) for s in range(stripes)], 2
        )[..., None]  # [T, C, S, 1]
    added = []
    for start in range(0, frames, window or frames):
        part = cells[start : start + (window or frames)]
        flat = part.transpose(0, 1).flatten(1)  # [C, positions]
        theta, phi, g = (
            conv.weight.flatten(1) @ flat + conv.bias[:, None]
            for conv in (layer.theta, layer.phi, layer.g)
        )
        powers = (theta.T @ phi - (theta.T @ phi).amax(1, keepdim=True)).exp()
        y = g @ (powers / powers.sum(1, keepdim=True)).T  # [C/2, positions], eq. 1
        z = layer.out.weight.flatten(1) @ y + layer.out.bias[:, None]
        norm = layer.norm
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        z = (z - norm.running_mean[:, None]) * scale[:, None] + norm.bias[:, None]
        added.append(z.unflatten(1, (len(part), *part.shape[2:])).transpose(0, 1))
    added = torch.cat(added)
    if stripes:
        tall = height // stripes
        added = torch.stack([added[:, :, r // tall, 0] for r in range(height)], 2)[..., None]
    return x + added


def by_hand(model, clips, places, *, stripes=None, pool_after=(), window=None, pooling="mean"):
    """Embedding and metric of a clip after the other, in float64; ``stripes`` by stage."""
    model = copy.deepcopy(model).double()
    net, features = model.frames, []
    for clip in clips.double():
        x = net.stem(clip)
        for stage in (1, 2, 3, 4):
            for i, block in enumerate(net.stage(stage)):
                x = torch.cat([block(frame[None]) for frame in x])
                if (stage, i) in places:
                    layer = model.non_local[f"stage{stage}_block{i}"]
                    x = attended(layer, x, window, stripes and stripes[stage])
                    last_here = (stage, i + 1) not in places
                    if stage in pool_after and last_here:
                        x = torch.stack(
                            [torch.maximum(x[t], x[t + 1]) for t in range(0, len(x), 2)]
                        )
        values = x.transpose(0, 1).flatten(1)  # [D, everything]
        features.append(values.mean(1) if pooling == "mean" else values.max(1).values)
    metric, neck = torch.stack(features), model.neck
    scale = neck.weight / (neck.running_var + neck.eps).sqrt()
    return (metric - neck.running_mean) * scale, metric


# method: arguments, T, height, how it is written out
CASES = {
    "avg": (resnet50_avg, {}, 3, 64, {"places": set()}),
    "max": (resnet50_max, {}, 3, 64, {"places": set(), "pooling": "max"}),
    "1 layer": (nvan_1layer, {}, 3, 64, {"places": PLACES[1]}),
    "3 layers": (nvan_3layer, {}, 2, 64, {"places": PLACES[3]}),
    "5 layers": (nvan, {}, 3, 64, {"places": PLACES[5]}),
    "5 layers, T = 1": (nvan, {}, 1, 80, {"places": PLACES[5]}),
    "+S": (nvan_s, {}, 3, 64, {"places": PLACES[5], "stripes": {2: 4, 3: 4}}),
    "+S, 128 rows": (nvan_s, {}, 2, 128, {"places": PLACES[5], "stripes": {2: 8, 3: 8}}),
    "+S of 2": (nvan_s, {"stripes": 2}, 2, 64, {"places": PLACES[5], "stripes": {2: 2, 3: 2}}),
    "+S of a pair": (
        nvan_s,
        {"stripes": (8, 2)},
        2,
        64,
        {"places": PLACES[5], "stripes": {2: 8, 3: 2}},
    ),
    "+T": (nvan_t, {}, 4, 64, {"places": PLACES[5], "pool_after": (2, 3)}),
    "+T, stage 4 alone": (
        nvan_t,
        {"pool_after": (3,)},
        6,
        64,
        {"places": PLACES[5], "pool_after": (3,)},
    ),
    "STE": (
        stenvan,
        {},
        8,
        64,
        {"places": PLACES[5], "pool_after": (2, 3), "stripes": {2: 4, 3: 4}, "window": 2},
    ),
    "STE over the clip": (
        stenvan,
        {"attention_window": None},
        4,
        64,
        {"places": PLACES[5], "pool_after": (2, 3), "stripes": {2: 4, 3: 4}},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_network_is_the_paper_written_out(case, narrow, wake, draw, error):
    build, arguments, frames, height, steps = CASES[case]
    model = wake(build(narrow(layers=(1, 4, 6, 1)), **arguments))
    clips = draw(2, frames, 3, height, 32)
    with torch.no_grad():
        for layer in model.non_local.values():
            layer.theta.weight *= 0.3  # logits of some tens, not of hundreds
        found = model(clips)
        embedding, metric = by_hand(model, clips, **steps)
        unawares = by_hand(model, clips, set()) if steps["places"] else None
    assert error(found.embedding, embedding) < 1e-5
    assert error(found.metric, metric) < 1e-5
    if unawares is not None:  # the layers matter: without them it is another feature
        assert error(found.embedding, unawares[0]) > 1e-2


@pytest.mark.parametrize(("layers", "build"), [(1, nvan_1layer), (3, nvan_3layer), (5, nvan)])
def test_layers_follow_the_blocks_that_the_paper_names(narrow, layers, build):
    model = build(narrow(layers=(3, 4, 6, 3)))
    assert set(model.non_local) == {f"stage{stage}_block{i}" for stage, i in PLACES[layers]}


def test_in_other_depths_layers_follow_the_last_blocks(narrow):
    model = nvan(narrow(layers=(1, 3, 5, 1)))
    assert list(model.non_local) == [
        "stage2_block1",
        "stage2_block2",
        "stage3_block2",
        "stage3_block3",
        "stage3_block4",
    ]
    with pytest.raises(ValueError, match=r"stage 3 of the backbone has 2 blocks.* need 3"):
        nvan(narrow(layers=(1, 2, 2, 1)))


@pytest.mark.parametrize(
    ("build", "arguments", "frames"),
    [(nvan, {}, 8), (nvan_t, {"pool_after": (3,)}, 4), (nvan_t, {}, 2), (stenvan, {}, 2)],
)
def test_temporal_pooling_halves_the_frames(narrow, draw, build, arguments, frames):
    model = build(narrow(layers=(1, 2, 3, 1)), **arguments).eval()
    assert len(model.features(draw(2, 8, 3, 64, 32))) == 2 * frames


def test_frames_are_halved_between_the_stages(narrow, draw):
    model = stenvan(narrow(layers=(1, 2, 3, 1))).eval()
    shapes = {name: list(a.shape) for name, a in model.attention(draw(2, 8, 3, 64, 32)).items()}
    assert shapes == {
        "stage2_block0": [2, 3, 8, 4, 1],
        "stage2_block1": [2, 3, 8, 4, 1],
        "stage3_block0": [2, 3, 4, 4, 1],
        "stage3_block1": [2, 3, 4, 4, 1],
        "stage3_block2": [2, 3, 4, 4, 1],
    }


def test_window_of_2_mixes_no_pairs_before_the_pool(narrow, wake, draw):
    model = wake(stenvan(narrow(layers=(1, 2, 3, 1))))
    clip = draw(1, 8, 3, 64, 32)
    other = clip.clone()
    other[:, 4:] = draw(1, 4, 3, 64, 32)  # pairs 3 and 4 are others; pooled, they are frames 3, 4
    with torch.no_grad():
        same, mixed = model.features(clip), model.features(other)
        assert torch.equal(same[0], mixed[0])
        assert not torch.allclose(same[1], mixed[1])
        whole = wake(stenvan(narrow(layers=(1, 2, 3, 1)), attention_window=None))
        assert not torch.allclose(whole.features(clip)[0], whole.features(other)[0])


def test_stripes_are_averaged_before_attention_not_after(draw, wake):
    """On a map that is constant within stripes, attention over cells and over stripes agree."""
    layer = wake(module.NonLocal(6))
    striped = draw(3, 6, 2, 1).repeat_interleave(2, 2).expand(-1, -1, -1, 3)  # [3, 6, 4, 3]
    x = draw(3, 6, 4, 3)
    with torch.no_grad():
        assert torch.allclose(layer(striped, 3, stripes=2), layer(striped, 3), atol=1e-5)
        added = layer(x, 3, stripes=2) - x
        of_means = layer(module_means(x), 3) - module_means(x)
        assert torch.allclose(added, of_means, atol=1e-5)
        assert not torch.allclose(added, module_means(layer(x, 3) - x), atol=1e-3)


def module_means(x):
    """[N, C, 4, W] with each half of the rows replaced by its mean."""
    halves = torch.stack([x[:, :, :2].mean((2, 3)), x[:, :, 2:].mean((2, 3))], 2)
    return halves.repeat_interleave(2, 2)[..., None].expand_as(x)


def test_stem_activation_false_reaches_the_network(narrow, wake, draw):
    clips = draw(2, 4, 3, 64, 32)
    for build in (
        resnet50_avg,
        resnet50_max,
        nvan,
        nvan_1layer,
        nvan_3layer,
        nvan_s,
        nvan_t,
        stenvan,
    ):
        with torch.no_grad():
            plain = wake(build(narrow(), stem_activation=True)).frames
            without = wake(build(narrow(), stem_activation=False)).frames
            assert (plain.stem(clips[0]) >= 0).all(), build.__name__
            assert (without.stem(clips[0]) < 0).any(), build.__name__


def test_neck_has_a_bias_that_stays_0(narrow, draw):
    model = nvan(narrow(), 5)
    assert not model.neck.bias.requires_grad
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=0.1, weight_decay=0.1)
    model.train()(draw(3, 2, 3, 64, 32)).logits.square().sum().backward()
    optimiser.step()
    assert not model.neck.bias.any() and (model.neck.weight != 1).any()


def test_classifier_has_no_bias_and_starts_small(narrow):
    classifier = nvan(narrow(), 500).head.classifier
    assert classifier.bias is None
    assert 0.0009 < classifier.weight.std().item() < 0.0011


def test_logits_come_after_the_neck_and_metric_before_it(narrow, wake, draw):
    model = wake(nvan(narrow(), 5))
    with torch.no_grad():
        out = model(draw(2, 2, 3, 64, 32))
        assert torch.allclose(out.logits, out.embedding @ model.head.classifier.weight.T, atol=1e-6)
        assert torch.allclose(model.neck(out.metric), out.embedding, atol=1e-6)
    assert not torch.allclose(out.metric, out.embedding, atol=0.1)


@pytest.mark.parametrize(
    ("build", "arguments", "shape", "message"),
    [
        (stenvan, {}, (1, 6, 3, 64, 32), "T = 6 .* a multiple of 4, e.g. T = 4"),
        (stenvan, {}, (1, 2, 3, 64, 32), "T = 2 .* a multiple of 4, e.g. T = 4"),
        (nvan_t, {"pool_after": (3,)}, (1, 5, 3, 64, 32), "T = 5 .* multiple of 2, e.g. T = 4"),
        (stenvan, {"attention_window": 4}, (1, 4, 3, 64, 32), "T = 4 .* groups of 4 .* T = 8"),
        (stenvan, {"attention_window": 3}, (1, 4, 3, 64, 32), "T = 4 .* groups of 3 .* T = 12"),
        (
            nvan_s,
            {"stripes": 3},
            (1, 2, 3, 64, 32),
            r"S = 3 .* 8 rows of stage 2 \(H = 64\): S may be one of \[1, 2, 4, 8\]",
        ),
        (nvan_s, {"stripes": (4, 8)}, (1, 2, 3, 64, 32), "S = 8 .* 4 rows of stage 3"),
        (nvan, {}, (1, 0, 3, 64, 32), "T = 0"),
        (nvan, {}, (1, 4, 1, 64, 32), r"\[1, 4, 1, 64, 32\], expected \[B, T, 3, H, W\]"),
        (nvan, {}, (4, 3, 64, 32), r"expected \[B, T, 3, H, W\]"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_numbers(narrow, build, arguments, shape, message):
    model = build(narrow(), **arguments).eval()
    model.frames.conv1.forward = None  # nothing is computed before the refusal
    with pytest.raises(ValueError, match=message):
        model(torch.zeros(shape))


@pytest.mark.parametrize("frames", [8, 12])
def test_lengths_that_a_message_recommends_are_taken(narrow, frames):
    model = stenvan(narrow(), attention_window=4 if frames == 8 else 3).eval()
    assert model(torch.zeros(1, frames, 3, 64, 32)).embedding.shape == (1, 64)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stripes": 0}, "stripes is 0"),
        ({"stripes": (4, 2, 1)}, r"stripes is \(4, 2, 1\)"),
        ({"attention_window": 0}, "attention_window is 0"),
    ],
)
def test_arguments_out_of_range_are_refused(narrow, arguments, message):
    with pytest.raises(ValueError, match=message):
        stenvan(narrow(), **arguments)
    with pytest.raises(ValueError, match=r"pool_after is \(2,\)"):
        nvan_t(narrow(), pool_after=(2,))


def test_frames_normalised_one_by_one_and_averaged_give_the_same_embedding(narrow, wake, draw):
    """The released baseline code does so; in evaluation it is the same for the mean."""
    model = wake(NVAN(narrow(), 0, layers=0))
    clips = draw(2, 3, 3, 64, 32)
    with torch.no_grad():
        single = torch.stack([model(clips[:, t : t + 1]).embedding for t in range(3)]).mean(0)
        assert torch.allclose(model(clips).embedding, single, atol=1e-5)
