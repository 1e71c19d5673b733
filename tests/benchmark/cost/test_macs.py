"""Multiply-adds of every family against closed forms, in fvcore's unit.

fvcore counts a convolution or linear layer as outputs × inputs of one output, BatchNorm in
evaluation as 2 an element, a product of matrices [m, k] × [k, n] as m·k·n, and leaves pooling,
activations, softmax and sums out. All forms below are in single multiply-adds.
"""

import pytest
import timm
import torch
import torch.nn.functional as F
from fvcore.nn import ActivationCountAnalysis
from fvcore.nn.jit_handles import generic_activation_jit
from torch import nn

from benchmark.cost.macs import count, count_gmacs
from methods.baselines import (
    resnet50_image,
    resnet50_rnn,
    resnet50_ta,
    resnet50_tp,
    seresnet50_tp,
)
from methods.nlam import nlam_nltp
from methods.nvan import nvan, nvan_s, nvan_t, resnet50_avg, stenvan
from methods.resnet3d import resnet3d50, resnet3d50_nl
from methods.sta import sta, sta_avg
from tests.benchmark.cost.toy import CLIPS, Toy

CHANNELS, LAYERS = (8, 16, 32, 64), (1, 3, 4, 2)  # of the bottlenecks' 3×3 convolutions
FRAMES, HEIGHT, WIDTH = 4, 64, 32


def cells(stage, last_stride):
    """Cells of a stage's map."""
    shrink = {1: 4, 2: 8, 3: 16, 4: 16 * last_stride}[stage]
    return HEIGHT // shrink * (WIDTH // shrink)


def stem():
    """conv1 at half the size, 3 × 7 × 7 inputs; its BatchNorm."""
    half = HEIGHT // 2 * (WIDTH // 2)
    return half * 64 * 3 * 49, half * 64 * 2


def stage(number, last_stride, *, se=False, cubic=False):
    """One frame's (convolutions, BatchNorms) in a stage of bottlenecks w → w → 4w.

    First block: conv1 at the size before the stride, downsample beside it. ``cubic`` adds the
    temporal half of a pair, 3·w·w at the size before the stride.
    """
    w, here = CHANNELS[number - 1], cells(number, last_stride)
    before = here if number == 1 else cells(number - 1, last_stride)
    enter = 64 if number == 1 else 4 * CHANNELS[number - 2]
    convolutions = norms = 0
    for block in range(LAYERS[number - 1]):
        size, into = (before, enter) if block == 0 else (here, 4 * w)
        convolutions += size * into * w + here * w * w * 9 + here * w * 4 * w
        norms += 2 * (size * w + here * w + here * 4 * w)
        if block == 0:
            convolutions += here * enter * 4 * w  # downsample
            norms += 2 * here * 4 * w
        if cubic:
            convolutions += 3 * size * w * w
        if se:  # two 1×1 convolutions on one cell, 4w → r → 4w, r = 4w / 16 to a multiple of 8
            squeezed = max(8, (4 * w // 16 + 4) // 8 * 8)
            convolutions += 2 * 4 * w * squeezed
    return convolutions + norms


def backbone(last_stride, *, frames=(FRAMES,) * 4, se=False):
    """``frames``: how many enter each stage."""
    total = FRAMES * sum(stem())
    return total + sum(n * stage(s, last_stride, se=se) for s, n in enumerate(frames, 1))


def non_local(channels, positions, keys):
    """θ, φ, g, W_z: 4·P·C·C/2; θᵀφ and its product with g: 2·P·L·C/2; BatchNorm: 2·P·C."""
    return 2 * positions * channels**2 + positions * keys * channels + 2 * positions * channels


def five(frames, *, stripes=None, window=None):
    """Two non-local layers of stage 2 and three of stage 3; ``frames``: how many each stage has."""
    total = 0
    for number, layers in ((2, 2), (3, 3)):
        a_frame = stripes or cells(number, 1)
        t = frames[number - 1]
        seen = a_frame * (window or t)
        total += layers * non_local(4 * CHANNELS[number - 1], a_frame * t, seen)
    return total


D, LAST = 4 * CHANNELS[3], cells(4, 1)  # channels and cells of the last stage
NECK = 2 * D  # BatchNorm1d of one clip
HALF = (FRAMES, FRAMES, FRAMES // 2, FRAMES // 4)


def nlam(channels, number):
    """a, b, d, W₀ and attention as in a non-local layer; a shared MLP on two vectors a frame."""
    hidden = 64 if channels <= 256 else 256
    positions = FRAMES * cells(number, 1)
    spatial = 2 * positions * channels**2 + positions**2 * channels
    return spatial + 2 * FRAMES * 2 * channels * hidden


def nltp():
    """θ, φ, g, W: 4·N·H·W·C·C/2; h and h·g: 2·N²·C/2·H·W."""
    return 2 * FRAMES * LAST * D**2 + FRAMES**2 * D * LAST


def head():
    """Bottleneck: linear D → 512, BatchNorm1d."""
    return D * 512 + 2 * 512


def cubic(*, attending):
    """3D: stem of 3 × 7 × 7, pairs in all blocks, last stride 2; blocks 1, 3 of stages 2 and 3."""
    convolutions, norms = stem()
    total = FRAMES * (3 * convolutions + norms)
    total += FRAMES * sum(stage(s, 2, cubic=True) for s in (1, 2, 3, 4)) + head()
    if attending:
        for number, places in ((2, 1), (3, 2)):  # 3 and 4 blocks have 1 and 2 odd ones
            positions = FRAMES * cells(number, 2)
            total += places * non_local(4 * CHANNELS[number - 1], positions, positions)
    return total


TA_CELLS = cells(4, 2)
FORMS = {
    "mean": (resnet50_avg, {}, lambda: backbone(1) + NECK),
    "nvan": (nvan, {}, lambda: backbone(1) + five((FRAMES,) * 4) + NECK),
    "+S": (nvan_s, {}, lambda: backbone(1) + five((FRAMES,) * 4, stripes=4) + NECK),
    "+T": (nvan_t, {}, lambda: backbone(1, frames=HALF) + five(HALF) + NECK),
    "+T, stage 4 alone": (
        nvan_t,
        {"pool_after": (3,)},
        lambda: (
            backbone(1, frames=(FRAMES, FRAMES, FRAMES, FRAMES // 2)) + five((FRAMES,) * 4) + NECK
        ),
    ),
    "STE": (
        stenvan,
        {},
        lambda: backbone(1, frames=HALF) + five(HALF, stripes=4, window=2) + NECK,
    ),
    "STE over the clip": (
        stenvan,
        {"attention_window": None},
        lambda: backbone(1, frames=HALF) + five(HALF, stripes=4) + NECK,
    ),
    # the weighted sum of Alg. 1: one multiply-add a frame, channel and cell; first linear layer
    "sta": (sta, {}, lambda: backbone(1) + FRAMES * D * LAST + 2 * D * 1024),
    "sta mean": (sta_avg, {}, lambda: backbone(1) + D * 1024),
    "nlam + nltp": (
        nlam_nltp,
        {},
        lambda: backbone(1) + nlam(4 * CHANNELS[2], 3) + nlam(D, 4) + nltp(),
    ),
    "nlam 2, 3 + tp": (
        nlam_nltp,
        {"after": (2, 3), "temporal": "tp"},
        lambda: backbone(1) + nlam(4 * CHANNELS[0], 1) + nlam(4 * CHANNELS[1], 2),
    ),
    "tp": (resnet50_tp, {}, lambda: backbone(1)),
    # a kernel as large as the map: D·h·w·256; three taps of 256; the weighted sum of T vectors
    "ta": (
        resnet50_ta,
        {"height": HEIGHT, "width": WIDTH},
        lambda: backbone(2) + FRAMES * (D * TA_CELLS * 256 + 3 * 256 + D),
    ),
    # four gates of 512 on input and state in each step
    "rnn": (resnet50_rnn, {}, lambda: backbone(1) + FRAMES * 4 * 512 * (D + 512)),
    "image": (resnet50_image, {}, lambda: backbone(2) + FRAMES * head()),
    "3d": (resnet3d50, {}, lambda: cubic(attending=False)),
    "3d + non-local": (resnet3d50_nl, {}, lambda: cubic(attending=True)),
}


@pytest.mark.parametrize("case", FORMS)
def test_count_is_the_closed_form(case):
    build, arguments, form = FORMS[case]
    source = timm.create_model("resnet50", channels=CHANNELS, layers=LAYERS)
    gmacs = count_gmacs(build(source, **arguments), torch.zeros(1, FRAMES, 3, HEIGHT, WIDTH))
    assert gmacs * 1e9 == pytest.approx(form(), rel=1e-6)  # fvcore rounds einsum to four digits


def test_count_of_a_squeeze_and_excitation_network_is_the_closed_form():
    source = timm.create_model("seresnet50", channels=CHANNELS, layers=LAYERS)
    gmacs = count_gmacs(seresnet50_tp(source), torch.zeros(1, FRAMES, 3, HEIGHT, WIDTH))
    assert gmacs * 1e9 == pytest.approx(backbone(1, se=True), rel=1e-9)


def test_count_of_two_clips_is_twice_that_of_one():
    for build in (stenvan, sta, nlam_nltp, resnet50_rnn, resnet3d50_nl):
        source = timm.create_model("resnet50", channels=(4, 8, 8, 8), layers=(1, 2, 3, 1))
        model = build(source)
        one, two = (count_gmacs(model, torch.zeros(b, 4, 3, 64, 32)) for b in (1, 2))
        assert two == pytest.approx(2 * one, rel=1e-9), build.__name__


@pytest.mark.parametrize(
    ("build", "gmacs"),
    [
        (resnet50_avg, 32.559),
        (nvan, 63.712),
        (nvan_s, 33.566),
        (nvan_t, 42.742),
        (stenvan, 17.777),
        (sta, 32.565),
        (resnet3d50, 27.737),
    ],
)
def test_full_size_networks_cost_this_much(build, gmacs):
    """T = 8, 256 × 128, ResNet-50."""
    counted = count_gmacs(build(), torch.zeros(1, 8, 3, 256, 128))
    assert counted == pytest.approx(gmacs, abs=0.01)


# ---- single operators ----------------------------------------------------------------------------


def test_fused_attention_counts_two_products():
    def attention(x):
        q = x.flatten(2).unsqueeze(1)  # [2, 1, 4, 144]
        return F.scaled_dot_product_attention(q, q, q)

    counted = count(Toy(attention), CLIPS)
    assert counted.gmacs * 1e9 == 2 * (2 * 4 * 4 * 144)
    assert "scaled_dot_product_attention" not in counted.left_out


class Recurrent(nn.Module):
    """The outputs of a recurrent layer on [B, T, 144]."""

    def __init__(self, kind, **options):
        super().__init__()
        self.layer = kind(144, 7, batch_first=True, **options)

    def forward(self, x):
        return self.layer(x.flatten(2))[0]


@pytest.mark.parametrize(
    ("kind", "options", "a_step"),
    [
        (nn.LSTM, {}, 4 * 7 * (144 + 7)),
        (nn.LSTM, {"bidirectional": True}, 2 * 4 * 7 * (144 + 7)),
        (nn.LSTM, {"num_layers": 2}, 4 * 7 * (144 + 7) + 4 * 7 * (7 + 7)),
        (nn.GRU, {}, 3 * 7 * (144 + 7)),
        (nn.RNN, {"bias": False}, 7 * (144 + 7)),
    ],
)
def test_a_recurrent_layer_counts_its_gates(kind, options, a_step):
    assert count_gmacs(Toy(Recurrent(kind, **options)), CLIPS) * 1e9 == 2 * 4 * a_step


def test_an_attention_module_counts_its_projections_and_products():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.MultiheadAttention(144, 4, batch_first=True)

        def forward(self, x):
            x = x.flatten(2)  # [2, 4, 144]
            return self.layer(x, x, x, need_weights=False)[0]

    was = torch.backends.mha.get_fastpath_enabled()
    gmacs = count_gmacs(Toy(Attention()), CLIPS)
    assert gmacs * 1e9 == 2 * 4 * 4 * 144**2 + 2 * (2 * 4 * 4 * 144)
    assert torch.backends.mha.get_fastpath_enabled() == was


def test_a_convolution_counts_its_closed_form():
    class Conv(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 5, 3, padding=1)

        def forward(self, x):
            return self.conv(x.flatten(0, 1)).unflatten(0, (2, 4))

    toy = Toy(Conv())
    assert count_gmacs(toy, CLIPS) * 1e9 == 8 * 5 * 48 * 27
    assert count(toy, CLIPS).activations_m * 1e6 == 8 * 5 * 48


def test_an_operator_that_cannot_be_counted_leaves_gmacs_blank_and_is_named():
    toy = Toy(lambda x: torch.cdist(x.flatten(2), x.flatten(2)).relu())
    counted = count(toy, CLIPS)
    assert counted.gmacs is None and counted.parts == {}
    assert counted.uncounted == ("cdist",)
    assert "cdist" not in counted.left_out and counted.activations_m == 0
    with pytest.raises(ValueError, match="cdist is neither counted nor listed in"):
        count_gmacs(toy, CLIPS)


def test_what_is_left_out_is_named_with_how_often_it_ran():
    counted = count(Toy(lambda x: (x * x).relu() + x), CLIPS)
    assert counted.left_out["mul"] == 1 and counted.left_out["add"] == 1
    assert counted.uncounted == () and counted.gmacs == 0


@pytest.mark.parametrize(
    "move",
    [
        lambda x: x.clone(),
        lambda x: x.transpose(1, 2).contiguous(),
        lambda x: x.detach(),
        lambda x: x.view_as(x),
        lambda x: x.as_strided((2, 4), (4, 1)),
        lambda x: x.flip(1),
        lambda x: x.movedim(1, 2),
        lambda x: x.unfold(1, 2, 1),
        lambda x: x.expand_as(x),
    ],
)
def test_what_only_moves_numbers_has_no_multiply_adds(move):
    counted = count(Toy(move), CLIPS)
    assert counted.gmacs == 0 and counted.uncounted == ()


@pytest.mark.parametrize("method", [stenvan, nlam_nltp, resnet50_rnn])
def test_activations_are_those_of_a_pass_that_counts_nothing_else(method):
    class Embedding(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, clips):
            return self.model(clips).embedding

    backbone = timm.create_model("resnet50", channels=(4, 8, 8, 8), layers=(1, 2, 3, 1))
    model, clips = method(backbone).eval(), torch.zeros(1, 4, 3, 64, 32)
    with torch.no_grad():
        twin = ActivationCountAnalysis(Embedding(model), clips)
        twin.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        twin.set_op_handle(
            "aten::scaled_dot_product_attention", generic_activation_jit("attention")
        )
        assert count(model, clips).activations_m == twin.total() / 1e6 > 0
