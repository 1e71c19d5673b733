"""The baselines step by step: TP, TA and RNN on each backbone, and the network of single images."""

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
from tests.methods.by_hand import attention_by_hand, lstm_by_hand, mean_by_hand

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
