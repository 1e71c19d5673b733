"""my_method: every check that our methods pass, and its weights written out slowly."""

import math
from pathlib import Path

import pytest
import torch

import zoo
from zoo.plugins import add_plugin
from zoo.tools.check_method import run_checks

add_plugin(str(Path(__file__).with_name("my_method.py")))
NARROW = "resnet18[channels=4+8+8+16,layers=1+1+1+1,stem=4]"


@pytest.fixture
def model():
    torch.manual_seed(0)
    return zoo.create("my_method", num_classes=3, backbone=NARROW).eval()


def slow_weights(key, features, sharpness):
    """The weights of one clip, [T, D], a number at a time."""
    keys = [key @ feature for feature in features]
    keys = [k / math.sqrt(sum(float(x) ** 2 for x in k)) for k in keys]
    clip = sum(keys) / len(keys)
    clip = clip / math.sqrt(sum(float(x) ** 2 for x in clip))
    raised = [math.exp(sharpness * sum(float(x) for x in k * clip)) for k in keys]
    return torch.tensor([r / sum(raised) for r in raised], dtype=torch.float64)


def test_it_passes_every_check():
    failed = [result for result in run_checks("my_method", NARROW) if not result.passed]
    assert failed == []


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_weights_are_those_of_the_slow_twin(model, frames):
    features = torch.randn(2, frames, 16, generator=torch.Generator().manual_seed(1))
    found = model.weights(features).double()
    for weights, clip in zip(found, features.double(), strict=True):
        wanted = slow_weights(model.key.weight.detach().double(), clip, model.sharpness)
        assert torch.allclose(weights, wanted, atol=1e-5)


def test_a_frame_unlike_the_others_counts_least(model):
    usual, odd = torch.randn(2, 16, generator=torch.Generator().manual_seed(2))
    weights = model.weights(torch.stack([usual, usual, odd, usual])[None])[0].detach()
    assert weights.argmin() == 2 and weights.sum() == pytest.approx(1)


def test_the_order_of_frames_decides_nothing(model):
    clips = torch.randn(2, 4, 3, 64, 32, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        assert torch.allclose(model(clips).embedding, model(clips.flip(1)).embedding, atol=1e-5)


def test_an_argument_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="hidden is 0, expected 1 or more"):
        zoo.create("my_method[hidden=0]", backbone=NARROW)
