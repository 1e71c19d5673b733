"""COSAM against its seven steps, cell by cell."""

import copy
import math

import pytest
import torch

from benchmark.cost.macs import count_gmacs
from methods.cosam import COSAM, EPS, cosam, cost_volume
from methods.temporal import FrameAttention, FrameLSTM, FrameMean


def norm_by_hand(norm, v):
    """BatchNorm in evaluation, of one cell's vector."""
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (v - norm.running_mean) * scale + norm.bias


def conv_by_hand(conv, v):
    """A 1×1 convolution of one cell's vector."""
    return conv.weight.flatten(1) @ v + conv.bias


def volume_by_hand(reduced):
    """Steps 2 and 3 for one clip [T, C_r, H, W]: {(frame, row, column): entries}."""
    frames, channels, height, width = reduced.shape
    cells = [(n, i, j) for n in range(frames) for i in range(height) for j in range(width)]
    standard = {}
    for n, i, j in cells:
        v = reduced[n, :, i, j]
        mean = sum(v) / channels
        deviation = math.sqrt(sum((float(c) - float(mean)) ** 2 for c in v) / (channels - 1))
        standard[n, i, j] = (v - mean) / (deviation + EPS)
    return {
        here: torch.stack(
            [standard[here] @ standard[there] / channels for there in cells if there[0] != here[0]]
        )
        for here in cells
    }


def cosam_by_hand(layer, x):
    """One clip [T, C, H, W] in float64: the result, the masks and the channels' weights."""
    frames, _, height, width = x.shape
    conv, norm = layer.reduce[:2]
    first, between, _, last = layer.summary
    reduced = torch.stack(
        [
            norm_by_hand(norm, conv_by_hand(conv, x[n, :, i, j])).clamp_min(0)
            for n in range(frames)
            for i in range(height)
            for j in range(width)
        ]
    )  # step 1, [T*H*W, C_r]
    volume = volume_by_hand(reduced.reshape(frames, height, width, -1).permute(0, 3, 1, 2))
    mask = x.new_zeros(frames, height, width)
    for place, entries in volume.items():
        hidden = norm_by_hand(between, conv_by_hand(first, entries)).clamp_min(0)
        mask[place] = 1 / (1 + math.exp(-conv_by_hand(last, hidden).item()))  # step 4
    y = torch.stack([x[n] * mask[n] for n in range(frames)])  # step 5
    inner, _, outer = layer.mlp
    weights = 0
    for frame in y:
        u = frame.flatten(1).mean(1)
        v = outer.weight @ torch.tanh(inner.weight @ u + inner.bias) + outer.bias
        weights = weights + 1 / (1 + torch.exp(-v)) / frames  # step 6
    return y * (1 + weights)[:, None, None], mask, weights


def double(module):
    """A copy that the arithmetic by hand takes its weights from."""
    return copy.deepcopy(module).double()


@pytest.mark.parametrize(("frames", "size"), [(2, (3, 2)), (3, (2, 2)), (4, (1, 3))])
def test_the_module_is_steps_1_to_7(wake, draw, error, frames, size):
    layer, x, maps = wake(COSAM(6, frames, size)), draw(2 * frames, 6, *size), {}
    with torch.no_grad():
        layer.summary[0].weight *= 5  # masks that differ
        found = layer(x, frames, maps=maps, name="here")
        by_hand = [cosam_by_hand(double(layer), c) for c in x.double().unflatten(0, (2, -1))]
    wanted, masks, weights = (torch.stack(part) for part in zip(*by_hand, strict=True))
    assert error(found, wanted.flatten(0, 1)) < 1e-5
    assert error(maps["here_mask"], masks) < 1e-5
    assert error(maps["here_channel"], weights) < 1e-5
    assert masks.std() > 0.01 and weights.std() > 0.01


def test_the_volume_has_the_other_frames_in_order_and_their_cells_row_by_row(draw, error):
    reduced = draw(3, 5, 2, 3)
    volume, by_hand = cost_volume(reduced, 3), volume_by_hand(reduced.double())
    for (n, i, j), entries in by_hand.items():
        assert error(volume[n, :, i, j], entries) < 1e-5


def test_a_cell_without_contrast_has_a_finite_gradient():
    reduced = torch.zeros(2, 4, 1, 1, requires_grad=True)
    volume = cost_volume(reduced, 2)
    volume.sum().backward()
    assert not volume.any() and reduced.grad.isfinite().all()


def test_the_volume_is_float32_under_autocast(draw):
    reduced = draw(4, 8, 2, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(cost_volume(reduced, 2), cost_volume(reduced.float(), 2))
        assert cost_volume(reduced.bfloat16(), 2).dtype == torch.float32


@pytest.mark.parametrize(("channels", "inner"), [(64, 64), (256, 64), (512, 256)])
def test_the_reduced_width_follows_the_channels(channels, inner):
    layer = COSAM(channels, 2, (1, 1))
    assert layer.reduce[0].out_channels == layer.mlp[0].out_features == inner


# ---- the whole network ---------------------------------------------------------------------------

SMALL = {"frames": 3, "height": 64, "width": 32}


@pytest.mark.parametrize("after", [(4, 5), (2, 5), (3,)])
def test_the_network_is_its_stages_with_modules_between_them(narrow, wake, draw, error, after):
    model, clips = wake(cosam(narrow(), after=after, **SMALL)), draw(2, 3, 3, 64, 32)
    reference, features = double(model), []
    with torch.no_grad():
        for clip in clips.double():
            x = reference.frames.stem(clip)
            for stage in (1, 2, 3, 4):
                x = reference.frames.stage(stage)(x)
                if stage + 1 in after:  # the paper counts the stem as block 1
                    x = cosam_by_hand(reference.after[f"stage{stage}"], x)[0]
            features.append(x.mean((0, 2, 3)))
        out = model(clips)
    assert error(out.embedding, torch.stack(features)) < 1e-5
    assert torch.equal(out.embedding, out.metric) and model.distance == "euclidean"


@pytest.mark.parametrize(
    ("aggregate", "kind", "stride"),
    [("tp", FrameMean, 1), ("ta", FrameAttention, 2), ("rnn", FrameLSTM, 1)],
)
def test_aggregate_chooses_the_way_from_frames_to_a_clip(narrow, draw, aggregate, kind, stride):
    model = cosam(narrow(), 5, aggregate=aggregate, **SMALL).eval()
    assert isinstance(model.aggregate, kind) and model.frames.last_stride == stride
    assert model(draw(2, 3, 3, 64, 32)).logits.shape == (2, 5)


def test_a_swap_of_frames_moves_the_masks_beyond_the_swap(narrow, wake, draw):
    """The cost volume lists the other frames in their order: COSAM sees more than a set."""
    model, clips = wake(cosam(narrow(), **SMALL)), draw(1, 3, 3, 64, 32)
    with torch.no_grad():
        for module in model.after.values():
            module.summary[0].weight *= 5
        whole, swapped = (model.attention(clips[:, order]) for order in ([0, 1, 2], [1, 0, 2]))
    moved = swapped["stage3_mask"][:, [1, 0, 2]] - whole["stage3_mask"]
    assert moved[:, 2].abs().max() > 1e-3  # frame 2 stays, what it is compared with does not


def test_two_frames_may_be_swapped(narrow, wake, draw):
    """With two frames each has one other, so the clip's feature does not know their order."""
    model, clips = wake(cosam(narrow(), **{**SMALL, "frames": 2})), draw(1, 2, 3, 64, 32)
    with torch.no_grad():
        assert torch.allclose(model(clips).metric, model(clips.flip(1)).metric, atol=1e-5)


GOLDEN = [2.76563, 0.28355, 2.77389, 4.29598, 1.70816, 0.85404]


def test_the_embedding_is_what_it_was(narrow, wake):
    model = wake(cosam(narrow(), **SMALL))
    clip = torch.randn(1, 3, 3, 64, 32, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        found = model(clip).embedding[0, :6]
    assert torch.allclose(found, torch.tensor(GOLDEN), rtol=1e-3, atol=1e-4), found.tolist()


@pytest.mark.parametrize(
    ("backbone", "params_m", "gmacs"),
    [("resnet50", 25.92, 16.75), ("legacy_seresnet50", 28.45, 16.36)],
)
def test_parameters_and_multiply_adds_at_full_size(backbone, params_m, gmacs):
    model = cosam(backbone)
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(params_m, abs=0.005)
    assert count_gmacs(model, torch.zeros(1, 4, 3, 256, 128)) == pytest.approx(gmacs, rel=0.005)


def test_attention_names_what_it_shows(narrow, draw):
    maps = cosam(narrow(), **SMALL).eval().attention(draw(2, 3, 3, 64, 32))
    assert {name: list(m.shape) for name, m in maps.items()} == {
        "stage3_mask": [2, 3, 4, 2],
        "stage3_channel": [2, 32],
        "stage4_mask": [2, 3, 4, 2],
        "stage4_channel": [2, 64],
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"after": (1, 5)}, r"after is \(1, 5\), expected different blocks out of 2, 3, 4, 5"),
        ({"after": ()}, r"after is \(\)"),
        ({"aggregate": "nltp"}, "aggregate is 'nltp', expected one of tp, ta, rnn"),
        ({"frames": 1}, "frames is 1, expected 2 or more"),
    ],
)
def test_arguments_out_of_range_are_refused(narrow, arguments, message):
    with pytest.raises(ValueError, match=message):
        cosam(narrow(), **arguments)


@pytest.mark.parametrize("shape", [(4, 64, 32), (3, 128, 32), (3, 64, 64)])
def test_other_clips_than_it_was_built_for_are_refused(narrow, shape):
    frames, height, width = shape
    fits = f"frames={frames}, height={height}, width={width}"
    with pytest.raises(ValueError, match=f"built for 3 × 64 × 32; .* with {fits}"):
        cosam(narrow(), **SMALL)(torch.zeros(1, frames, 3, height, width))
