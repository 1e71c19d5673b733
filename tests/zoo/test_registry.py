"""Methods by name."""

import subprocess
import sys

import pytest
import timm
import torch
from torch import nn

import zoo
from methods.head import Head
from methods.output import ClipOutput
from zoo import plugins, registry

CONVNEXT = "convnext_atto[depths=1+1+1+1,dims=4+8+8+16]"
VIT = "vit_tiny_patch16_224[depth=1,embed_dim=32,num_heads=2]"
NARROW = "resnet50[channels=4+8+8+8,layers=1+2+3+1]"


def test_a_methods_name_is_its_functions_and_no_two_share_one():
    assert len(registry.methods()) == len(registry.METHODS)
    assert all(name == function.__name__ for name, function in registry.methods().items())


def test_methods_are_listed_by_wildcard():
    assert {"nvan", "stenvan"} <= set(zoo.list_methods("*nvan*"))
    assert "sta" not in zoo.list_methods("*nvan*") and "sta" in zoo.list_methods()


def test_a_variant_reaches_the_network():
    assert zoo.create("sta[blocks=2]", backbone=NARROW).blocks == 2


def test_the_backbone_may_be_a_name_a_variant_or_a_timm_model():
    model = timm.create_model("resnet50", channels=(4, 8, 8, 8), layers=(1, 2, 3, 1))
    by_model = zoo.create("stenvan", backbone=model)
    by_name = zoo.create("stenvan", backbone=NARROW)
    assert sum(p.numel() for p in by_model.parameters()) == sum(
        p.numel() for p in by_name.parameters()
    )
    assert model.layer4[0].conv2.stride == (2, 2), "the given model must not be changed"


def test_without_classes_there_is_no_classifier():
    assert zoo.create("stenvan", backbone=NARROW).head.classifier is None
    assert zoo.create("stenvan", num_classes=7, backbone=NARROW).head.classifier.out_features == 7


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("stanvan", {}, "did you mean stenvan"),
        ("sta[block=8]", {}, "did you mean blocks"),
        ("sta[blocks=1.5]", {}, "expected int"),
        ("sta[num_classes=3]", {}, "unknown setting"),
        ("sta[backbone=resnet18]", {}, "unknown setting"),
        ("sta", {"backbone": "resnet5"}, "unknown timm backbone"),
        ("sta", {"backbone": "resnet50[wings=2]"}, "unknown setting of backbone resnet50, 'wings'"),
        ("sta", {"backbone": "resnet50d"}, "single-conv stem"),
        ("sta", {"backbone": nn.Identity(), "weights": "imagenet"}, "backbone given by name"),
        ("sta", {"backbone": NARROW, "weights": "imagenet"}, "init=none"),
        ("sta", {"backbone": NARROW, "neck": "bnn"}, "neck is 'bnn', expected own or one of bn"),
        ("nvan", {"backbone": "resnet50[layers=1+1+1+1]"}, "non-local layers need"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(name, options, says):
    with pytest.raises((ValueError, LookupError), match=says) as error:
        zoo.create(name, **options)
    assert "\n" not in str(error.value)


LAST_MAP_ALONE = [
    "psta",
    *("resnet50_avg", "resnet50_image", "resnet50_max", "resnet50_rnn", "resnet50_ta"),
    *("resnet50_tp", "seresnet50_rnn", "seresnet50_ta", "seresnet50_tp"),
    *("sta", "sta_attention", "sta_avg", "sta_baseline", "sta_fusion"),
]


@pytest.mark.parametrize("method", LAST_MAP_ALONE)
@pytest.mark.parametrize("backbone", [CONVNEXT, VIT])
def test_a_method_that_needs_the_last_map_alone_takes_other_networks(method, backbone):
    model = zoo.create(method, backbone=backbone, size=(64, 32), frames=4).eval()
    with torch.no_grad():
        assert model(torch.randn(2, 4, 3, 64, 32)).embedding.isfinite().all()


def test_a_method_that_needs_stages_refuses_other_networks_by_name():
    with pytest.raises(ValueError, match=r"^nvan needs the stages of a ResNet, not a ConvNeXt"):
        zoo.create("nvan", backbone=CONVNEXT)
    with pytest.raises(ValueError, match="methods that take one: ") as error:
        zoo.create("nlam_nltp", backbone=CONVNEXT)
    assert str(error.value).partition("one: ")[2].split(", ") == LAST_MAP_ALONE


def test_who_takes_a_network_is_found_by_building(monkeypatch):
    def picky(backbone: nn.Module | str = "resnet50", num_classes: int = 0):
        raise RuntimeError("never")

    def easy(backbone: nn.Module | str = "resnet50", num_classes: int = 0):
        return nn.Identity()

    def own(num_classes: int = 0):
        return nn.Identity()

    monkeypatch.setattr(registry, "METHODS", (picky, easy, own))
    assert registry.takers(zoo.create("easy", backbone=CONVNEXT)) == ["easy"]


def test_the_size_of_images_reaches_a_vision_transformer_under_any_method():
    model = zoo.create("resnet50_avg", backbone=VIT, size=(128, 64))
    assert model.frames.tower.patch_embed.grid_size == (8, 4)
    with pytest.raises(ValueError, match=r"100×50 pixels cannot be cut into patches of 16×16"):
        zoo.create("resnet50_avg", backbone=VIT, size=(100, 50))


def test_importing_zoo_loads_no_torch_until_a_name_is_used():
    code = (
        "import sys, zoo; before = 'torch' in sys.modules; zoo.list_methods(); print(before, "
        "'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"]


def test_two_methods_of_one_name_are_refused(monkeypatch):
    def sta(num_classes=0):
        pass

    monkeypatch.setattr(registry, "plugin_functions", lambda *_: [sta])
    with pytest.raises(ValueError, match="two methods are called 'sta'"):
        registry.methods()


def weights_of(method, **options):
    torch.manual_seed(1)
    return zoo.create(method, 3, backbone=NARROW, **options).state_dict()


def test_the_same_seed_builds_the_same_network():
    first, second = weights_of("nvan"), weights_of("nvan")
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_the_clip_length_reaches_methods_that_depend_on_it_and_no_others():
    levels = {t: registry.create("psta", backbone=NARROW, frames=t).levels for t in (2, 4, 8)}
    assert {frames: len(chosen) for frames, chosen in levels.items()} == {2: 1, 4: 2, 8: 3}
    chosen = registry.create("psta[frames=2]", backbone=NARROW, frames=8)
    assert len(chosen.levels) == 1  # what the variant says goes first
    assert registry.create("nvan", backbone=NARROW, frames=4).distance == "cosine"


@pytest.mark.parametrize("method", ["resnet50_avg", "stenvan", "resnet3d50_nl", "seresnet50_tp"])
def test_a_stem_can_be_as_narrow_as_the_stages(method):
    network = "seresnet50" if method.startswith("se") else "resnet50"
    backbone = f"{network}[channels=4+8+8+8,layers=1+2+3+1,stem=4]"
    model = registry.create(method, backbone=backbone, size=(64, 32)).eval()
    trunk = getattr(model, "frames", None) or model.trunk
    assert trunk.conv1.out_channels == trunk.bn1.num_features == 4
    assert model(torch.randn(1, 8, 3, 64, 32)).embedding.isfinite().all()


# ---- one memory layout ---------------------------------------------------------------------------


def layouts(model):
    """Of every 2D kernel larger than 1x1, whether its channels are innermost."""
    kernels = [m.weight for m in model.modules() if isinstance(m, nn.Conv2d)]
    kernels = [kernel for kernel in kernels if min(kernel.shape[1:]) > 1]
    return {kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels}


def test_every_door_builds_the_memory_layout_that_a_bench_times(shelf):
    assert layouts(zoo.create("resnet50_avg", backbone=NARROW)) == {True}
    assert layouts(zoo.load(shelf.name)) == {True}
    assert layouts(timm.create_model("resnet18")) == {False}, "timm's own is the other one"


# ---- heads ---------------------------------------------------------------------------------------


class Feature(nn.Module):
    """Mean colour of a clip, through a head."""

    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, clips):
        return self.head(clips.mean((1, 3, 4)))


class TwoHeads(nn.Module):
    """A head of one's own, with a width."""

    width = 3

    def forward(self, feature, penalties=None):
        return ClipOutput(feature, feature, None, {})


@pytest.fixture
def add(monkeypatch):
    """Make a method known for one test."""
    known = {"METHODS": {}, "DATASETS": {}}
    monkeypatch.setattr(plugins, "_ADDED", known)
    return lambda function: plugins.register("method", function)


def no_neck(num_classes: int = 0):
    return Feature(Head(3, num_classes, neck="none"))


def two_heads(num_classes: int = 0):
    return Feature(TwoHeads())


@pytest.mark.parametrize("method", [no_neck, two_heads])
@pytest.mark.parametrize("neck", ["bn", "bn-bias"])
def test_a_neck_puts_a_plain_head_behind_the_method_s_feature(add, method, neck):
    add(method)
    model = zoo.create(method.__name__, 5, neck=neck)
    assert type(model.head) is Head and model.head.neck.bias.requires_grad == (neck == "bn-bias")
    out = model.train()(torch.randn(4, 2, 3, 8, 4))
    assert out.logits.shape == (4, 5) and not torch.equal(out.metric, out.embedding)


def test_the_own_head_stays_unless_a_neck_is_named(add):
    add(two_heads)
    assert isinstance(zoo.create("two_heads", 5).head, TwoHeads)


def test_a_head_that_is_the_plain_one_already_is_kept_to_the_bit(add):
    add(no_neck)
    torch.manual_seed(0)
    own, after = zoo.create("no_neck", 5), torch.rand(1)
    torch.manual_seed(0)
    same, then = zoo.create("no_neck", 5, neck="none"), torch.rand(1)
    assert torch.equal(own.head.classifier.weight, same.head.classifier.weight)
    assert torch.equal(after, then), "no random number was drawn for another head"


@pytest.mark.parametrize(
    ("options", "plain"),
    [
        ({}, True),
        ({"bias": True}, False),
        ({"dropout": 0.5}, False),
        ({"classifier_std": 1}, False),
    ],
)
def test_only_a_head_without_settings_of_its_own_is_the_plain_one(options, plain):
    head = Head(3, 5, **options)
    assert head.is_plain("bn") is plain
    assert not head.is_plain("none") and not head.is_plain("bn-bias")


def headless(num_classes: int = 0):
    return nn.Linear(3, 3)


def test_a_method_without_a_head_says_how_to_go_on(add):
    add(headless)
    assert isinstance(zoo.create("headless"), nn.Linear)
    with pytest.raises(ValueError, match=r"headless has no head .*neck=bn.*--set neck=own"):
        zoo.create("headless", neck="bn")


# ---- methods that bring their own network --------------------------------------------------------


def test_a_method_that_brings_its_network_is_built_without_a_backbone(add):
    add(no_neck)
    function, _ = registry.find("no_neck")
    assert registry.own_backbone(function) == "own"
    for backbone in (None, "own"):
        assert zoo.create("no_neck", 5, backbone=backbone).head.classifier.out_features == 5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"backbone": "resnet50"}, "no_neck brings its own network: it takes no backbone"),
        ({"weights": "imagenet"}, "weights='imagenet' is for timm backbones; use --set init=none"),
    ],
)
def test_a_backbone_or_its_weights_are_refused_where_there_is_none(add, options, says):
    add(no_neck)
    with pytest.raises(ValueError, match=says):
        zoo.create("no_neck", **options)


def test_own_stands_for_the_method_s_own_backbone():
    function, _ = registry.find("seresnet50_tp")
    assert registry.own_backbone(function) == "legacy_seresnet50"


def test_the_length_of_clips_reaches_methods_that_are_bound_to_it():
    small = {"backbone": "resnet50[channels=4+8+8+8,layers=1+1+1+1]", "size": (64, 32)}
    assert zoo.create("cosam", frames=3, **small).clip == (3, 64, 32)
    assert zoo.create("cosam[frames=2]", frames=3, **small).clip == (2, 64, 32)  # said by name
    zoo.create("resnet50_avg", frames=3, **small)  # which takes any
