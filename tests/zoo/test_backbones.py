"""timm networks by name: which text builds one, and which is refused."""

import pickle
from inspect import signature

import pytest
import timm
import torch

from methods.clip_vit import VIT
from zoo import backbones, registry
from zoo.backbones import build_backbone

NARROW = "resnet50[channels=4+8+8+8,layers=1+2+3+1]"
TINY_CONVNEXT = "convnext_atto[depths=1+1+1+1,dims=4+8+8+16]"
TINY_VIT = "vit_tiny_patch16_224[img_size=32+32,embed_dim=12,depth=1,num_heads=2]"


@pytest.fixture
def poison(tmp_path, monkeypatch):
    """A checkpoint that writes a file when it is unpickled; the current folder, which holds it."""

    class Poison:
        def __reduce__(self):
            return (open, (str(tmp_path / "executed"), "w"))

    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.pth").write_bytes(pickle.dumps({"state_dict": Poison()}))
    (tmp_path / "config.json").write_text('{"architecture": "resnet18"}')
    return tmp_path


@pytest.mark.parametrize(
    "argument",
    [
        "checkpoint_path=x.pth",
        "pretrained=true",
        "pretrained_cfg=x",
        "pretrained_cfg_overlay=x",
        "cache_dir=.",
        "features_only=true",
        "pruned=true",
        "block_args=x",
        "device=cuda",
        "wings=2",
    ],
)
def test_an_argument_that_does_not_set_the_shape_is_refused_before_timm_sees_it(
    poison, monkeypatch, argument
):
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: pytest.fail("timm was called"))
    key = argument.partition("=")[0]
    for text in (f"resnet18[{argument}]", f"resnet18[layers=1+1+1+1,{argument}]"):
        for build in (build_backbone, lambda text: registry.create("resnet50_avg", backbone=text)):
            with pytest.raises(LookupError, match=rf"{key!r}.*there are .*channels.*img_size"):
                build(text)
    assert not (poison / "executed").exists()


@pytest.mark.parametrize(
    "text",
    [
        "local-dir:.",
        "hf-hub:timm/resnet18.a1_in1k",
        "hf_hub:timm/resnet18",
        "./x.pth",
        "resnet18./x.pth",
        "resnet18.",
        "resnet18/..",
        ".",
        "",
    ],
)
def test_a_name_that_is_no_network_of_timm_is_refused(poison, monkeypatch, text):
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: pytest.fail("timm was called"))
    with pytest.raises((LookupError, ValueError), match=r"is not a name|unknown timm backbone"):
        build_backbone(text)


def test_a_tag_downloads_nothing(monkeypatch):
    from timm.models import _builder

    monkeypatch.setattr(_builder, "load_pretrained", lambda *_, **__: pytest.fail("downloads"))
    network = build_backbone("resnet18.a1_in1k[channels=4+8+8+8,layers=1+1+1+1]")
    assert network.layer1[0].conv1.out_channels == 4


def test_a_wrong_value_is_one_line():
    for text, says in (
        ("resnet50[cardinality=0]", "timm cannot build"),
        ("resnet50[layers=a]", "layers is 'a', expected a [+] list"),
        ("resnet50[drop_rate=none]", "drop_rate is 'none', expected float"),
        ("resnet50[stem=big]", "stem is 'big', expected int"),
        ("resnet50[stem=0]", "timm cannot build .*stem=0 needs"),
        ("legacy_seresnet50[stem=16]", "timm cannot build .*stem=16 needs"),
        ("legacy_seresnet50[channels=4+8+8+8]", "timm cannot build"),
    ):
        with pytest.raises(ValueError, match=says) as error:
            build_backbone(text)
        assert "\n" not in str(error.value)


def test_a_stem_can_be_as_narrow_as_the_stages():
    network = build_backbone("resnet50[channels=4+8+8+8,layers=1+2+3+1,stem=4]")
    assert network.conv1.out_channels == network.bn1.num_features == 4
    assert build_backbone(NARROW).conv1.out_channels == 64
    with torch.no_grad():
        assert network.eval()(torch.randn(1, 3, 64, 32)).isfinite().all()


@pytest.mark.parametrize("text", [TINY_VIT, TINY_CONVNEXT])
def test_a_network_that_is_no_resnet_is_built_by_name(text):
    with torch.no_grad():
        assert build_backbone(text).eval()(torch.randn(1, 3, 32, 32)).isfinite().all()


@pytest.fixture
def offline(monkeypatch):
    """timm's constructor, which notes what weights are asked for and has none."""
    asked, build = [], timm.create_model

    def create_model(name, pretrained=False, **arguments):
        if not pretrained:
            return build(name, pretrained=False, **arguments)
        asked.append((name, arguments))
        raise RuntimeError("no network\nand more")

    monkeypatch.setattr(timm, "create_model", create_model)
    return asked


def test_imagenet_weights_that_cannot_be_had_are_one_clear_error(offline):
    with pytest.raises(OSError, match=r"resnet50.tv_in1k cannot be had .*no network.*init=none"):
        build_backbone("resnet50", "imagenet")
    assert offline == [("resnet50.tv_in1k", {})]


def test_imagenet_weights_are_for_the_network_s_own_shape_only(offline):
    with pytest.raises(ValueError, match=r"no ImageNet weights for resnet50\[.*init=none"):
        build_backbone(NARROW, "imagenet")
    assert offline == []
    with pytest.raises(OSError, match="cannot be had"):
        build_backbone("resnet18[drop_rate=0.1]", "imagenet")
    assert offline == [("resnet18", {"drop_rate": 0.1})]


def test_imagenet_weights_reach_the_network(monkeypatch):
    source, build = timm.create_model("resnet18"), timm.create_model
    monkeypatch.setattr(
        timm,
        "create_model",
        lambda name, pretrained=False, **given: source if pretrained else build(name, **given),
    )
    network = build_backbone("resnet18", "imagenet")
    assert network is not source and torch.equal(network.conv1.weight, source.conv1.weight)


def test_clip_weights_reach_the_network(monkeypatch):
    build, asked = timm.create_model, []

    def fetch(name, pretrained=False, **given):
        torch.manual_seed(int(pretrained))
        asked.append((name, pretrained))
        return build(name.partition(".")[0], embed_dim=12, depth=1, num_heads=2)

    monkeypatch.setattr(timm, "create_model", fetch)
    network = build_backbone(VIT, "clip")
    assert asked == [(VIT, False), (f"{VIT}.openai", True)]
    assert torch.equal(network.pos_embed, fetch(VIT, pretrained=True).pos_embed)


def test_clip_weights_that_cannot_be_had_are_one_clear_error(offline):
    with pytest.raises(OSError, match=rf"{VIT}\.openai cannot be had .*no network.*init=none"):
        build_backbone(VIT, "clip")
    assert offline == [(f"{VIT}.openai", {})]


@pytest.mark.parametrize("backbone", [NARROW, TINY_VIT, f"{VIT}[embed_dim=12,num_heads=2,depth=1]"])
def test_clip_weights_are_for_clip_s_own_networks_only(offline, backbone):
    with pytest.raises(ValueError, match=r"no CLIP weights for .*init=none"):
        build_backbone(backbone, "clip")
    assert offline == []


def test_unknown_weights_are_refused():
    with pytest.raises(ValueError, match="unknown weights 'openimages': expected imagenet"):
        build_backbone(NARROW, "openimages")


def test_every_argument_is_one_that_some_network_takes():
    kinds = (
        timm.models.resnet.ResNet,
        timm.models.vision_transformer.VisionTransformer,
        timm.models.convnext.ConvNeXt,
    )
    taken = {name for kind in kinds for name in signature(kind).parameters}
    assert set(backbones.ARGUMENTS) - taken == {"stem"}


def test_imagenet_means_openai_s_weights_for_a_tower_of_clip(offline):
    with pytest.raises(OSError, match=rf"the CLIP weights {VIT}\.openai cannot be .*init=none"):
        build_backbone(VIT, "imagenet")
    assert offline == [(f"{VIT}.openai", {})]
