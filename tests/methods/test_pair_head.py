"""The head of two halves."""

import pytest
import torch

from methods.pair_head import PairHead


def test_each_half_has_losses_of_its_own(wake, draw):
    head, feature = wake(PairHead(6, 4)), draw(3, 6)
    out = head(feature, {"penalty": torch.ones(())})
    embedding = head.neck(feature)
    assert torch.equal(out.embedding, embedding) and torch.equal(out.metric, feature)
    assert list(out.penalties) == ["penalty"] and len(out.heads) == 2
    for i, half in enumerate(out.heads):
        own = slice(3 * i, 3 * i + 3)
        assert torch.equal(half.metric, feature[:, own])
        assert torch.equal(half.embedding, embedding[:, own])
        assert torch.allclose(half.logits, head.classifier[i](embedding[:, own]))
        assert (half.cross_entropy, half.triplet) == (1, 1)
    mean = (out.heads[0].logits + out.heads[1].logits) / 2
    assert torch.allclose(out.logits, mean)


def test_without_identities_there_are_no_logits(draw):
    out = PairHead(6, 0).eval()(draw(2, 6))
    assert out.logits is None and [half.logits for half in out.heads] == [None, None]


def test_the_classifiers_start_small():
    head = PairHead(2000, 50)
    for layer in head.classifier:
        assert layer.weight.std().item() == pytest.approx(0.001, rel=0.05)
        assert not layer.bias.any()
    assert head.neck.bias.requires_grad
