"""The head that all methods end in, and that it can be put behind any of them."""

import pytest
import torch
from torch import nn

import zoo
from benchmark.losses import losses
from benchmark.recipes import UNIFIED
from methods.head import NECKS, Head
from methods.output import HeadOutput
from zoo import registry

TINY = "resnet50[channels=4+8+8+8,layers=1+2+3+1,stem=4]"
TINY_VIT = "vit_base_patch16_clip_quickgelu_224[embed_dim=24,depth=1,num_heads=2]"
SIZES = {"bicnet_tks": (64, 64)}  # of images, where 64 × 48 pixels do not fit


def tiny(name, num_classes=0):
    own = registry.own_backbone(registry.find(name)[0])
    backbone, size = TINY_VIT if own.startswith("vit_") else TINY, SIZES.get(name, (64, 48))
    torch.manual_seed(0)
    return registry.create(name, num_classes, backbone=backbone, size=size, frames=4)


# ---- what it is ----------------------------------------------------------------------------------


def test_bn_neck_keeps_its_bias_at_zero_and_the_classifier_has_none(draw):
    head = Head(6, 5).train()
    optimiser = torch.optim.SGD([p for p in head.parameters() if p.requires_grad], lr=1e3)
    head(draw(4, 6)).logits.square().sum().backward()
    optimiser.step()
    assert isinstance(head.neck, nn.BatchNorm1d) and not head.neck.bias.any()
    assert (head.neck.weight != 1).any()
    assert head.classifier.bias is None


def test_bn_bias_neck_trains_its_bias(draw):
    head = Head(6, 5, neck="bn-bias").train()
    head(draw(4, 6)).logits[:, 0].sum().backward()
    assert isinstance(head.neck, nn.BatchNorm1d) and head.neck.bias.grad.any()
    assert head.classifier.bias is None


def test_without_a_neck_metric_and_embedding_are_the_feature(draw):
    head, feature = Head(6, 5, neck="none"), draw(4, 6)
    out = head(feature)
    assert isinstance(head.neck, nn.Identity)
    assert torch.equal(out.embedding, feature) and torch.equal(out.metric, feature)
    wanted = feature @ head.classifier.weight.T + head.classifier.bias
    assert torch.allclose(out.logits, wanted, atol=1e-6)


def test_metric_is_before_the_neck_and_logits_are_after_it(wake, draw):
    head, feature = wake(Head(6, 5)), draw(4, 6)
    out = head(feature)
    statistics = (head.neck.running_var + head.neck.eps).sqrt()
    embedding = (feature - head.neck.running_mean) / statistics * head.neck.weight
    assert torch.equal(out.metric, feature)
    assert torch.allclose(out.embedding, embedding, atol=1e-6)
    assert torch.allclose(out.logits, embedding @ head.classifier.weight.T, atol=1e-6)


def test_the_classifier_behind_a_bn_neck_starts_small():
    for neck, std in (("bn", 0.001), ("bn-bias", 0.001), ("none", 256**-0.5 / 3**0.5)):
        assert Head(256, 300, neck=neck).classifier.weight.std().item() == pytest.approx(std, 0.02)
    given = Head(256, 300, neck="none", classifier_std=0.02).classifier
    assert given.weight.std().item() == pytest.approx(0.02, 0.02) and not given.bias.any()


def test_the_classifiers_bias_can_be_asked_for_or_left_out():
    assert Head(6, 5, neck="bn", bias=True).classifier.bias is not None
    assert Head(6, 5, neck="none", bias=False).classifier.bias is None


def test_dropout_hides_the_embedding_from_the_classifier_alone(draw):
    head, feature = Head(4000, 3, neck="none", dropout=0.5).train(), draw(2, 4000)
    seen = []
    head.classifier.register_forward_hook(lambda module, inputs, out: seen.append(inputs[0]))
    out = head(feature)
    assert 0.45 < (seen[0] == 0).float().mean() < 0.55
    assert torch.equal(out.embedding, feature)


def test_without_classes_there_are_no_logits_and_no_classifier(draw):
    head = Head(6, 0)
    assert head.classifier is None and head(draw(4, 6)).logits is None


def test_penalties_are_passed_on(draw):
    penalties = {"inter_frame": torch.tensor(2.0)}
    assert Head(6, 0)(draw(4, 6), penalties).penalties == penalties
    assert Head(6, 0)(draw(4, 6)).penalties == {}


def test_as_a_part_it_carries_the_weights_of_its_losses(draw):
    head, feature = Head(6, 5).eval(), draw(4, 6)
    part, out = head.part(feature, triplet=0.0), head(feature)
    assert isinstance(part, HeadOutput) and (part.cross_entropy, part.triplet) == (1.0, 0.0)
    assert torch.equal(part.logits, out.logits) and torch.equal(part.embedding, out.embedding)


def test_an_unknown_neck_is_one_line_that_names_the_necks():
    with pytest.raises(ValueError, match="'layer-norm', expected one of bn, bn-bias, none"):
        Head(6, 5, neck="layer-norm")


# ---- behind every method -------------------------------------------------------------------------


@pytest.mark.parametrize("name", zoo.list_methods())
def test_a_methods_neck_is_its_heads(name):
    model = tiny(name)
    assert model.neck is model.head.neck
    assert isinstance(model.neck, nn.BatchNorm1d | nn.Identity)


@pytest.mark.parametrize("neck", NECKS)
@pytest.mark.parametrize("name", zoo.list_methods())
def test_every_method_trains_with_another_head(name, neck, draw):
    model = tiny(name, 2)
    torch.manual_seed(0)
    model.head = Head(model.head.width, 2, neck=neck)
    clips = draw(4, 4, 3, *SIZES.get(name, (64, 48)))
    out = model.train()(clips)
    assert out.heads == ()
    sum(losses(out, torch.tensor([0, 0, 1, 1]), UNIFIED).values()).backward()
    assert model.head.classifier.weight.grad.any()
    lost = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not lost
    if neck != "none":
        assert not torch.allclose(out.metric, out.embedding)
    with torch.no_grad():
        out = model.eval()(clips[:2])
    assert torch.equal(model.neck(out.metric), out.embedding)
