"""TP, TA and RNN step by step, and the images that they take."""

import copy

import pytest
import torch

from methods.baselines import resnet50_rnn, resnet50_ta, resnet50_tp, seresnet50_ta
from methods.temporal import FrameAttention, FrameLSTM, FrameMean
from tests.methods.by_hand import attention_by_hand, lstm_by_hand


@pytest.mark.parametrize("frames", [1, 2, 5, 8])
@pytest.mark.parametrize("spread", [1, 10])
def test_temporal_attention_is_its_steps(draw, error, frames, spread):
    torch.manual_seed(0)
    layer, x, maps = FrameAttention(6, (4, 2), hidden=16), draw(2, frames, 6, 4, 2), {}
    with torch.no_grad():
        layer.temporal.weight *= 10 * spread
        layer.temporal.bias += 1
        found = layer(x, maps)
        pairs = [attention_by_hand(copy.deepcopy(layer).double(), clip) for clip in x.double()]
    assert error(found, torch.stack([feature for _, feature in pairs])) < 1e-5
    assert error(maps["frame_weights"], torch.stack([weights for weights, _ in pairs])) < 1e-5
    if frames > 1 and spread > 1:
        assert maps["frame_weights"].std(1).max() > 0.1  # not the mean in disguise


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
