"""What every registered method promises, put to the checks that ``zoo check`` runs."""

import re

import pytest
import torch

import zoo
from benchmark.losses import losses
from benchmark.recipes import UNIFIED
from zoo import registry
from zoo.tools.check_method import run_checks
from zoo.tools.probe import prepare, redraw_small

NARROW = "[channels=8+16+16+32,layers=1+2+3+1]"
NARROW_VIT = "[embed_dim=64,depth=2,num_heads=4]"


def size_of(name):
    """Height and width of the smallest images that a method takes."""
    return (64, 64) if name == "bicnet_tks" else (64, 48)


def built(name, num_classes=0):
    """A narrow twin, for clips of four frames of that size."""
    function, _ = registry.find(name)
    backbone = registry.own_backbone(function).removeprefix("legacy_")
    backbone += NARROW_VIT if backbone.startswith("vit_") else NARROW
    torch.manual_seed(0)
    return registry.create(name, num_classes, backbone=backbone, size=size_of(name), frames=4)


@pytest.mark.parametrize("name", zoo.list_methods())
def test_every_method_passes_every_check(name):
    results = run_checks(name)
    assert len(results) >= 8
    failed = [f"{r.name}: {r.detail}" for r in results if not r.passed]
    assert not failed, "\n".join(failed)


# in training; in float32 what is left of their gradient is rounding
WITHOUT_EFFECT = re.compile(
    r"non_local\..*\.(phi|g|out)\.bias"  # φ: one constant on all logits; g, W_z: BatchNorm follows
    r"|non_local\..*\.norm\.bias"  # of a stage's last layer: BatchNorm follows on both branches
    r"|after\..*\.b\.bias"  # NLAM's φ
    r"|after\..*\.(reduce|summary)\.0\.bias"  # COSAM: BatchNorm follows
    r"|ts[be]\.embed\.[01]\.bias"  # TCLNet: BatchNorm follows the first, and all that sees the last
    r"|head\.neck\.bias"  # two classes of one size pull it both ways
    r"|dao\.(score|mix)\.\d(\.0)?\.bias"  # BiCnet: BatchNorm follows
    r"|(dao\.norms\.\d|tks\.norm)\.bias"  # BiCnet: all that sees them is followed by BatchNorm
    r"|aggregate\.temporal\.bias"  # one constant on all scores that the ReLU lets pass
    r"|head\.neck\.bias"  # pulled as far by the one class as by the other
    r"|tower\.norm\.bias"  # one constant on every feature of clip_vit_avg
    r"|diffusion\.block\.mlp\.fc2\.bias"  # TF-CLIP's f₃: a BatchNorm or a distance follows
    r"|.*\.prompts\.out\.[01]\.bias"  # one constant on all persons' logits
)
OF_THE_MAXIMUM = re.compile(r"frames\.layer4\.0\.(bn3|downsample\.1)\.bias")  # the neck follows


@pytest.mark.parametrize("name", zoo.list_methods())
def test_every_parameter_has_a_gradient_well_above_rounding(name, wake, draw):
    model, classes = wake(built(name, 2)).train(), torch.tensor([0, 0, 1, 1])
    torch.manual_seed(0)
    redraw_small(model)
    prepare(model, draw(2, 4, 3, *size_of(name)))
    out = model(draw(4, 4, 3, *size_of(name)))
    parts = losses(out, classes, UNIFIED)
    if out.frames is not None:  # which a loss between frames takes
        parts["frames"] = out.frames.abs().sum()
    sum(parts.values()).backward()
    sizes = {
        n: p.grad.square().mean().sqrt().item()
        for n, p in model.named_parameters()
        if p.requires_grad
    }
    largest = max(sizes.values())
    weak = [n for n, size in sizes.items() if not size > 2e-6 * largest]
    weak = [n for n in weak if not WITHOUT_EFFECT.fullmatch(n)]
    if name == "resnet50_max":
        weak = [n for n in weak if not OF_THE_MAXIMUM.fullmatch(n)]
    assert not weak


@pytest.mark.parametrize("name", zoo.list_methods())
def test_a_clip_alone_is_a_clip_among_three(name, wake, draw):
    model, clips = wake(built(name)), draw(3, 4, 3, *size_of(name))
    with torch.no_grad():
        together, alone = model(clips).embedding, model(clips[1:2]).embedding
    assert ((together[1:2] - alone).norm() / alone.norm()).item() < 1e-5
    assert not torch.allclose(together[0], together[1], rtol=1e-2)


@pytest.mark.parametrize("name", zoo.list_methods())
def test_every_frame_counts(name, wake, draw):
    model, clip = wake(built(name)), draw(1, 4, 3, *size_of(name))
    with torch.no_grad():
        whole = model(clip).embedding
        for t in range(4):
            other = clip.clone()
            other[:, t] = draw(3, *size_of(name))
            assert (model(other).embedding - whole).norm() > 1e-4 * whole.norm(), t


@pytest.mark.parametrize("name", zoo.list_methods())
def test_outputs_are_float32_under_autocast(name, draw):
    model, clips = built(name, 7).eval(), draw(2, 4, 3, *size_of(name))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        out = model(clips)
    assert out.embedding.dtype == out.metric.dtype == torch.float32
    assert out.embedding.isfinite().all() and out.logits.isfinite().all()


@pytest.mark.parametrize("name", zoo.list_methods())
def test_what_is_no_clip_batch_is_refused(name):
    model = built(name).eval()
    assert model.head.classifier is None
    for wrong in (torch.zeros(2, 4, 64, 32), torch.zeros(2, 3, 4, 64, 32)):
        with pytest.raises(ValueError, match=r"expected \[B, T, 3, H, W\]"):
            model(wrong)
    with pytest.raises(ValueError, match="T = 0"):
        model(torch.zeros(2, 0, 3, 64, 32))
    with pytest.raises(ValueError, match=r"torch\.uint8"):
        model(torch.zeros(2, 4, 3, 64, 32, dtype=torch.uint8))


@pytest.mark.parametrize("name", zoo.list_methods())
def test_attention_is_there_to_be_drawn(name, draw):
    model, clips = built(name).eval(), draw(2, 4, 3, *size_of(name))
    maps = model.attention(clips)
    plain = {"avg", "max", "tp", "rnn", "image"} & set(name.split("_")) and "nlam" not in name
    plain = plain or name in {"resnet3d50", "c2d", "i3d", "p3d", "idnet"}
    expected = not plain or name.startswith("sta")
    assert bool(maps) == bool(expected)
    assert all(len(m) == 2 and not m.requires_grad for m in maps.values())


def test_every_method_of_the_papers_is_there():
    assert set(zoo.list_methods()) >= {
        *("resnet50_avg", "resnet50_max", "nvan", "nvan_1layer", "nvan_3layer"),
        *("nvan_s", "nvan_t", "stenvan"),
        *("sta_baseline", "sta_avg", "sta_attention", "sta_fusion", "sta"),
        *("resnet50_tp", "resnet50_ta", "resnet50_rnn"),
        *("seresnet50_tp", "seresnet50_ta", "seresnet50_rnn", "nlam_tp", "nlam_nltp"),
        *("resnet50_image", "resnet3d50", "resnet3d50_nl"),
    }
