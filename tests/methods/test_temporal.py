"""TP, TA, RNN and the baselines that stand on them, step by step; the network of single images."""

import copy

import pytest
import torch
from torch import nn

from methods.baselines import (
    resnet50_image,
    resnet50_rnn,
    resnet50_ta,
    resnet50_tp,
    seresnet50_rnn,
    seresnet50_ta,
    seresnet50_tp,
)
from methods.temporal import FrameAttention, FrameLSTM, FrameMean


def attention_by_hand(layer, x):
    """One clip [T, D, H, W] in float64: the weights of its frames, and the weighted sum."""
    hidden = []
    for frame in x:
        total = (layer.spatial.weight * frame).sum((1, 2, 3)) + layer.spatial.bias
        hidden.append(total.clamp_min(0))
    scores = []
    for t in range(len(x)):
        total = layer.temporal.bias[0]
        for tap, s in enumerate((t - 1, t, t + 1)):
            if 0 <= s < len(x):  # zeros before the first and after the last frame
                total = total + layer.temporal.weight[0, :, tap] @ hidden[s]
        scores.append(total.clamp_min(0))
    powers = [s.exp() for s in scores]
    weights = torch.stack([p / sum(powers) for p in powers])
    return weights, sum(w * frame.mean((1, 2)) for w, frame in zip(weights, x, strict=True))


def lstm_by_hand(layer, x):
    """One clip [T, D, H, W] in float64: gates step by step, the mean of the outputs."""
    lstm, width = layer.lstm, layer.width
    h = c = torch.zeros(width, dtype=torch.float64)
    outputs = []
    for frame in x:
        gates = (
            lstm.weight_ih_l0 @ frame.mean((1, 2))
            + lstm.bias_ih_l0
            + lstm.weight_hh_l0 @ h
            + lstm.bias_hh_l0
        )
        enter, forget, new, leave = gates.unflatten(0, (4, width))
        c = forget.sigmoid() * c + enter.sigmoid() * new.tanh()
        h = leave.sigmoid() * c.tanh()
        outputs.append(h)
    return sum(outputs) / len(outputs)


def mean_by_hand(layer, x):
    return sum(frame.mean((1, 2)) for frame in x) / len(x)


@pytest.mark.parametrize("frames", [1, 2, 5, 8])
@pytest.mark.parametrize("spread", [1, 10])
def test_temporal_attention_is_its_steps(draw, error, frames, spread):
    torch.manual_seed(0)
    layer, x, watch = FrameAttention(6, (4, 2), hidden=16), draw(2, frames, 6, 4, 2), {}
    with torch.no_grad():
        layer.temporal.weight *= 10 * spread
        layer.temporal.bias += 1
        found = layer(x, watch)
        pairs = [attention_by_hand(copy.deepcopy(layer).double(), clip) for clip in x.double()]
    assert error(found, torch.stack([feature for _, feature in pairs])) < 1e-5
    assert error(watch["frame_weights"], torch.stack([weights for weights, _ in pairs])) < 1e-5
    if frames > 1 and spread > 1:
        assert watch["frame_weights"].std(1).max() > 0.1  # not the mean in disguise


@pytest.mark.parametrize("frames", [1, 3, 8])
@pytest.mark.parametrize("spread", [1, 10])
def test_lstm_is_its_gates(draw, error, frames, spread):
    torch.manual_seed(0)
    layer, x = FrameLSTM(6, hidden=7), spread * draw(2, frames, 6, 4, 2)
    with torch.no_grad():
        wanted = torch.stack([lstm_by_hand(copy.deepcopy(layer).double(), c) for c in x.double()])
        assert error(layer(x), wanted) < 1e-5


def test_sizes_are_the_papers(narrow):
    attention, lstm = resnet50_ta(narrow()).aggregate, resnet50_rnn(narrow()).aggregate
    assert attention.spatial.weight.shape == (256, 64, 8, 4)  # the whole map of 256 × 128
    assert attention.temporal.weight.shape == (1, 256, 3)
    assert (lstm.lstm.hidden_size, lstm.lstm.num_layers, lstm.lstm.bidirectional) == (512, 1, False)


BASELINES = {
    "tp": (resnet50_tp, "resnet50", {}, mean_by_hand, 1),
    "ta": (
        resnet50_ta,
        "resnet50",
        {"height": 64, "width": 32},
        lambda layer, x: attention_by_hand(layer, x)[1],
        2,
    ),
    "rnn": (resnet50_rnn, "resnet50", {}, lstm_by_hand, 1),
    "se tp": (seresnet50_tp, "seresnet50", {}, mean_by_hand, 1),
    "se ta": (
        seresnet50_ta,
        "seresnet50",
        {"height": 64, "width": 32},
        lambda layer, x: attention_by_hand(layer, x)[1],
        2,
    ),
    "se rnn": (seresnet50_rnn, "seresnet50", {}, lstm_by_hand, 1),
}


@pytest.mark.parametrize("case", BASELINES)
@pytest.mark.parametrize("frames", [1, 4])
def test_baseline_is_its_steps(narrow, wake, draw, error, case, frames):
    build, backbone, arguments, steps, last_stride = BASELINES[case]
    torch.manual_seed(0)
    model = wake(build(narrow(name=backbone), 5, **arguments))
    clips, twin = draw(2, frames, 3, 64, 32), copy.deepcopy(model).double()
    assert model.frames.last_stride == last_stride
    with torch.no_grad():
        found = model(clips)
        wanted = torch.stack([steps(twin.aggregate, twin.frames(c)) for c in clips.double()])
        logits = wanted @ twin.head.classifier.weight.T + twin.head.classifier.bias
    assert error(found.embedding, wanted) < 1e-5
    assert error(found.logits, logits) < 1e-5
    assert torch.equal(found.embedding, found.metric)  # no BN neck


def test_temporal_attention_of_padded_tracks_has_a_gradient(narrow, draw):
    model = resnet50_ta(narrow(), 3, height=64, width=32).train()
    clips = draw(3, 1, 3, 64, 32).expand(-1, 4, -1, -1, -1)
    model(clips).logits.square().sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("build", [resnet50_ta, seresnet50_ta])
def test_temporal_attention_refuses_images_it_was_not_built_for(narrow, build):
    model = build(narrow()).eval()
    message = r"H × W = 128 × 64 .* 4 × 2 cells.* 8 × 4 cells of 256 × 128.*height=128, width=64"
    model.frames.conv1.forward = None  # nothing is computed before the refusal
    with pytest.raises(ValueError, match=message):
        model(torch.zeros(1, 2, 3, 128, 64))
    with pytest.raises(ValueError, match="H × W = 256 × 64"):
        model.attention(torch.zeros(1, 2, 3, 256, 64))


def test_temporal_attention_takes_images_with_the_same_map(narrow, draw):
    model = resnet50_ta(narrow(), height=64, width=32).eval()
    assert model(draw(1, 2, 3, 62, 31)).embedding.shape == (1, 64)


def test_temporal_attention_fits_the_map_of_a_legacy_senet():
    """Its max-pool rounds down where torchvision's rounds up: 33 rows, not 34, halved to 9."""
    model = seresnet50_ta(height=260, width=130).to("meta").eval()
    assert model.aggregate.spatial.kernel_size == (9, 4)
    assert model(torch.zeros(1, 2, 3, 260, 130, device="meta")).embedding.shape == (1, 2048)


def test_plain_aggregations_have_no_attention_to_show(narrow, draw):
    clips = draw(1, 2, 3, 64, 32)
    assert resnet50_tp(narrow()).eval().attention(clips) == {}
    assert resnet50_rnn(narrow()).eval().attention(clips) == {}
    assert isinstance(resnet50_tp(narrow()).aggregate, FrameMean)


# ---- single images -------------------------------------------------------------------------------


def test_image_network_is_its_steps(narrow, wake, draw, error):
    model = wake(resnet50_image(narrow(), 5))
    clips, twin = draw(2, 3, 3, 64, 32), copy.deepcopy(model).double()
    linear, norm, _ = twin.bottleneck
    wanted = []
    with torch.no_grad():
        for clip in clips.double():
            features = []
            for frame in clip:
                pooled = twin.frames(frame[None])[0].mean((1, 2))
                x = linear.weight @ pooled
                x = (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
                x = x * norm.weight + norm.bias
                features.append(torch.where(x > 0, x, 0.1 * x))
            wanted.append(sum(features) / len(features))
        wanted, found = torch.stack(wanted), model(clips)
    assert error(found.embedding, wanted) < 1e-5
    logits = wanted @ twin.head.classifier.weight.T + twin.head.classifier.bias
    assert error(found.logits, logits) < 1e-5  # no dropout in evaluation
    assert model.frames.last_stride == 2 and found.embedding.shape == (2, 512)


def test_image_network_drops_features_before_the_classifier_only(narrow, draw):
    torch.manual_seed(0)
    model = resnet50_image(narrow(), 5).train()
    seen = []
    model.head.classifier.register_forward_hook(lambda m, inputs, o: seen.append(inputs[0]))
    out = model(draw(4, 1, 3, 64, 32))
    dropped = seen[0] == 0
    assert 0.4 < dropped.float().mean() < 0.6
    assert torch.allclose(seen[0][~dropped], 2 * out.metric[~dropped])
    assert torch.equal(out.metric, out.embedding) and not (out.metric == 0).any()
    assert isinstance(model.neck, nn.Identity)
