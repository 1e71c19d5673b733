"""`zoo check`: what passes, and one method for every way to break the contract."""

import pytest
import torch
from torch import nn

from methods.head import Head
from methods.output import ClipOutput
from zoo import registry
from zoo.tools.check_method import run_checks

NECK = "The neck is a BatchNorm1d or nothing, and leads from metric to embedding"
HEAD = "A plain head with a BN neck, put in place of its own, trains"
SHAPES = "Output has the contract's shapes, in training and evaluation"
ATTENTION = "What attention(clips) gives, if there is any, are named arrays"
MACS = "Fvcore's count agrees with torch's own"


class Plain(nn.Module):
    """One convolution on each frame, the mean, a head; no attention."""

    distance = "cosine"

    def __init__(self, num_classes):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.head = Head(6, num_classes)

    @property
    def neck(self):
        return self.head.neck

    def feature(self, clips):
        return self.conv(clips.flatten(0, 1)).unflatten(0, clips.shape[:2]).mean((1, 3, 4))

    def forward(self, clips):
        return self.head(self.feature(clips))


class WithoutHead(nn.Module):
    """The same before there was a head for all."""

    distance = "euclidean"

    def __init__(self, num_classes, neck=None):
        super().__init__()
        self.conv, self.neck = nn.Conv2d(3, 6, 3), neck or nn.Identity()
        self.classifier = nn.Linear(6, num_classes) if num_classes else None

    def forward(self, clips):
        x = self.conv(clips.flatten(0, 1)).unflatten(0, clips.shape[:2]).mean((1, 3, 4))
        embedding = self.neck(x)
        logits = self.classifier(embedding) if self.classifier else None
        return ClipOutput(embedding, x, logits, {})


@pytest.fixture
def checks(monkeypatch):
    """Results by name of a method whose network this function makes."""

    def run(network):
        def mine(backbone: nn.Module | str = "resnet50", num_classes: int = 0):
            return network(num_classes)

        monkeypatch.setattr(registry, "METHODS", (mine,))
        return {result.name: result for result in run_checks("mine")}

    return run


def test_a_method_without_attention_passes_and_the_check_says_none(checks):
    results = checks(Plain)
    assert all(r.passed for r in results.values()), results
    assert results[ATTENTION].detail == "none"
    assert results[HEAD].detail == "[6] and a BN neck"
    assert results[NECK].detail == "BatchNorm1d"


def test_a_method_without_a_head_passes_and_the_check_says_so(checks):
    results = checks(WithoutHead)
    assert all(r.passed for r in results.values()), results
    assert "no head that could be replaced" in results[HEAD].detail


def test_a_method_without_a_backbone_passes(monkeypatch):
    def mine(num_classes: int = 0):
        return Plain(num_classes)

    monkeypatch.setattr(registry, "METHODS", (mine,))
    assert all(result.passed for result in run_checks("mine"))


@pytest.mark.parametrize(
    "backbone",
    [
        "convnext_atto[depths=1+1+1+1,dims=16+32+32+64]",
        "vit_tiny_patch16_224[depth=2,embed_dim=12,num_heads=2]",
    ],
)
def test_a_network_that_is_no_resnet_passes_under_our_methods(backbone):
    """Its fused attention is counted, and nothing hides behind scales that start next to zero."""
    results = run_checks("resnet50_avg", backbone)
    assert all(result.passed for result in results), results


@pytest.mark.parametrize(
    "neck", [nn.LayerNorm(6), nn.Sequential(nn.BatchNorm1d(6)), nn.Linear(6, 6)]
)
def test_a_neck_that_could_not_be_scored_fails_in_one_line(checks, neck):
    result = checks(lambda classes: WithoutHead(classes, neck))[NECK]
    assert not result.passed and "\n" not in result.detail
    assert f"neck is a {type(neck).__name__}, expected BatchNorm1d or Identity" in result.detail


def test_a_neck_that_does_not_lead_to_the_embedding_fails(checks):
    class Detour(Plain):
        def forward(self, clips):
            out = super().forward(clips)
            return out._replace(embedding=2 * out.embedding)

    result = checks(Detour)[NECK]
    assert not result.passed and "neck(metric) is not the embedding" in result.detail


def test_a_neck_that_is_kept_beside_the_head_fails(checks):
    class Kept(Plain):
        neck = None

        def __init__(self, num_classes):
            super().__init__(num_classes)
            self.neck = self.head.neck

    result = checks(Kept)[HEAD]
    assert not result.passed and "make it a property" in result.detail


def test_a_head_that_forward_goes_around_fails(checks):
    class Around(Plain):
        def __init__(self, num_classes):
            super().__init__(num_classes)
            self.hidden = [self.head]

        def forward(self, clips):
            return self.hidden[0](self.feature(clips))

    result = checks(Around)[HEAD]
    assert not result.passed and "forward does not use model.head" in result.detail


def test_another_distance_fails(checks):
    class Manhattan(Plain):
        distance = "manhattan"

    result = checks(Manhattan)[SHAPES]
    assert not result.passed and "'manhattan', expected cosine or euclidean" in result.detail


def test_logits_of_another_shape_fail_with_both(checks):
    class Frames(Plain):
        def forward(self, clips):
            out = super().forward(clips)
            logits = None if out.logits is None else out.logits.repeat(2, 1)
            return out._replace(logits=logits)

    result = checks(Frames)[SHAPES]
    assert not result.passed and "logits is [6, 5], expected [3, 5]" in result.detail


def test_attention_that_is_no_dict_or_not_finite_fails(checks):
    class Tensor(Plain):
        def attention(self, clips):
            return clips

    class Infinite(Plain):
        def attention(self, clips):
            return {"a": clips.mean(), "b": clips.mean() / 0}

    assert "gives Tensor, expected a dict" in checks(Tensor)[ATTENTION].detail
    result = checks(Infinite)[ATTENTION]
    assert not result.passed and result.detail.endswith("not finite: b")


def test_an_operator_that_cannot_be_counted_fails_with_its_name(checks):
    class Far(Plain):
        def feature(self, clips):
            x = super().feature(clips)
            return x + 0 * torch.cdist(x[:, None], x[:, None])[:, 0]

    result = checks(Far)[MACS]
    assert not result.passed and "cdist is neither counted nor listed" in result.detail


def test_the_command_prints_every_check_and_fails_with_one(call, monkeypatch):
    def mine(backbone: nn.Module | str = "resnet50", num_classes: int = 0):
        return WithoutHead(num_classes, nn.LayerNorm(6))

    monkeypatch.setattr(registry, "METHODS", (mine,))
    status, out, _ = call("check", "mine")
    failed = [line for line in out.splitlines() if "\tFAIL\t" in line]
    assert status == 1 and len(failed) >= 1 and failed[0].startswith(NECK)
