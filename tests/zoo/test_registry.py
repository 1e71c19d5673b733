"""Methods by name."""

import subprocess
import sys

import pytest
import timm
import torch

import zoo
from zoo import registry
from zoo.cli import app as cli

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
        ("sta", {"backbone": "resnet5"}, "unknown timm backbone"),
        ("sta", {"backbone": "resnet50[wings=2]"}, "timm cannot build"),
        ("sta", {"backbone": "resnet50d"}, "single-conv stem"),
        ("sta", {"weights": "openimages"}, "unknown weights"),
        ("sta", {"backbone": NARROW, "weights": "imagenet"}, "init=none"),
        ("nvan", {"backbone": "resnet50[layers=1+1+1+1]"}, "non-local layers need"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(name, options, says):
    with pytest.raises((ValueError, LookupError), match=says) as error:
        zoo.create(name, **options)
    assert "\n" not in str(error.value)


def test_imagenet_weights_that_cannot_be_had_are_one_clear_error(monkeypatch, tmp_path):
    def offline(name, pretrained=False, **_):
        raise RuntimeError("no network\nand more") if pretrained else AssertionError

    network = timm.create_model("resnet50", channels=(4, 8, 8, 8), layers=(1, 1, 1, 1))
    monkeypatch.setattr(registry.timm, "create_model", offline)
    with pytest.raises(OSError, match=r"resnet50.tv_in1k cannot be had \(no network\).*init=none"):
        registry._load_imagenet(network, registry.variants.parse("resnet50"))


PLUGIN = """
import torch
from torch import nn
from methods.output import ClipOutput

class Mine(nn.Module):
    distance = "cosine"
    def __init__(self, num_classes):
        super().__init__()
        self.linear = nn.Linear(3, 6)
        self.neck = nn.Identity()
        self.classifier = nn.Linear(6, num_classes) if num_classes else None
    def forward(self, clips):
        x = self.linear(clips.mean((1, 3, 4)))
        logits = None if self.classifier is None else self.classifier(x)
        return ClipOutput(x, x, logits, {})
    def attention(self, clips):
        return {}

def mine(backbone="resnet50", num_classes=0, *, depth: int = 1):
    '''A method of one's own.'''
    return Mine(num_classes)

METHODS = (mine,)
"""


@pytest.fixture
def plugin(tmp_path):
    (tmp_path / "my_methods.py").write_text(PLUGIN)
    return tmp_path


def zoo_command(*arguments, path):
    """Run zoo in a process of its own: plugins stay where they are loaded."""
    code = f"import sys; sys.path.insert(0, {str(path)!r}); sys.argv = {['zoo', *arguments]!r}; "
    code += "from zoo.cli.app import main; main()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_a_plugin_is_listed_and_checked_like_our_own(plugin):
    listed = zoo_command("list", "methods", "mine*", "--plugin", "my_methods", path=plugin)
    assert "mine\tdepth=1\tA method of one's own." in listed.stdout
    checked = zoo_command("check", "mine", "--plugin", "my_methods", path=plugin)
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count("\tpass\t") == 6


def test_a_plugin_that_fails_a_check_is_told_which(plugin):
    text = (plugin / "my_methods.py").read_text()
    (plugin / "my_methods.py").write_text(
        text.replace("clips.mean((1, 3, 4))", "clips.mean((0, 1, 3, 4)).expand(len(clips), 3)")
    )
    checked = zoo_command("check", "mine", "--plugin", "my_methods", path=plugin)
    assert checked.returncode == 1
    failed = [line for line in checked.stdout.splitlines() if "\tFAIL\t" in line]
    assert any("depend on the batch" in line for line in failed)


def test_a_missing_plugin_is_one_line(plugin):
    done = zoo_command("list", "--plugin", "no_such_module", path=plugin)
    assert done.returncode == 2 and done.stderr.startswith("zoo: plugin 'no_such_module'")
    assert len(done.stderr.splitlines()) == 1


def test_importing_zoo_loads_no_torch_until_a_name_is_used():
    code = (
        "import sys, zoo; before = 'torch' in sys.modules; zoo.list_methods(); "
        "print(before, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"]


def test_two_methods_of_one_name_are_refused():
    def sta():
        pass

    with pytest.raises(ValueError, match="two methods are called 'sta'"):
        registry._by_name(registry.METHODS, [sta])


def test_the_same_seed_builds_the_same_network():
    def weights():
        torch.manual_seed(1)
        return zoo.registry.create("nvan", backbone=NARROW).state_dict()

    first, second = weights(), weights()
    assert all(torch.equal(first[k], second[k]) for k in first)


@pytest.mark.parametrize("method", ["resnet50_avg", "stenvan", "resnet3d50_nl", "seresnet50_tp"])
def test_a_stem_can_be_as_narrow_as_the_stages(method):
    network = "seresnet50" if method.startswith("se") else "resnet50"
    backbone = f"{network}[channels=4+8+8+8,layers=1+2+3+1,stem=4]"
    model = registry.create(method, backbone=backbone, size=(64, 32)).eval()
    trunk = getattr(model, "frames", None) or model.trunk
    assert trunk.conv1.out_channels == trunk.bn1.num_features == 4
    assert registry.create("resnet50_avg", backbone=NARROW).frames.conv1.out_channels == 64
    assert model(torch.randn(1, 8, 3, 64, 32)).embedding.isfinite().all()


@pytest.mark.parametrize(
    "backbone", ["legacy_seresnet50[stem=16]", "resnet50[stem=big]", "resnet50[stem=0]"]
)
def test_a_stem_that_cannot_be_is_one_line(backbone):
    with pytest.raises(ValueError, match="stem"):
        registry.create("resnet50_avg", backbone=backbone)


def test_what_is_no_knob_of_the_data_is_not_listed(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["zoo", "list", "datasets", "synthetic", "--json"])
    with pytest.raises(SystemExit):
        cli.main()
    printed = capsys.readouterr().out
    assert "occlusion=" in printed and "root=" not in printed


def test_the_length_of_clips_reaches_methods_that_are_bound_to_it():
    small = {"backbone": "resnet50[channels=4+8+8+8,layers=1+1+1+1]", "size": (64, 32)}
    assert zoo.create("cosam", frames=3, **small).clip == (3, 64, 32)
    assert zoo.create("cosam[frames=2]", frames=3, **small).clip == (2, 64, 32)  # said by name
    zoo.create("resnet50_avg", frames=3, **small)  # which takes any
