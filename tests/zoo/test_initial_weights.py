"""What `quick` starts from."""

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

import zoo
from benchmark.recipes import RECIPES
from zoo import initial_weights as start
from zoo import registry


def test_every_method_on_a_residual_network_starts_from_the_same_backbone_under_quick():
    for method in registry.methods().values():
        if registry.own_backbone(method).startswith("vit_"):
            continue
        assert str(RECIPES["quick"].backbone_of(registry.own_backbone(method))) == start.BACKBONE
    assert RECIPES["quick"].init == "synthetic"


def test_the_weights_of_the_file_reach_the_network():
    state = load_file(start.FILE)
    for method in ("resnet50_avg", "sta"):
        frames = zoo.create(method, backbone=start.BACKBONE, weights="synthetic").frames
        for key, value in frames.state_dict().items():
            assert torch.equal(value, state[key].to(value.dtype))


def test_a_3d_network_is_inflated_from_them():
    state = load_file(start.FILE)
    trunk = zoo.create("resnet3d50", backbone=start.BACKBONE, weights="synthetic").trunk
    flat = trunk.conv1.weight.sum(2)  # the frames' planes of a kernel sum to the 2D one
    torch.testing.assert_close(flat, state["conv1.weight"].float())


@pytest.mark.parametrize("backbone", ["resnet50", "resnet50[channels=4+8+8+8,layers=1+2+3+1]"])
def test_another_network_is_refused_in_one_line(backbone):
    with pytest.raises(ValueError, match=r"not for resnet50.*init=none"):
        zoo.create("sta", backbone=backbone, weights="synthetic")


def test_a_changed_file_is_refused(monkeypatch, tmp_path):
    state = load_file(start.FILE)
    state["conv1.weight"][0, 0, 0, 0] += 1
    monkeypatch.setattr(start, "FILE", tmp_path / "start.safetensors")
    save_file(state, start.FILE)
    with pytest.raises(ValueError, match="install the package again"):
        registry.build_backbone(start.BACKBONE, "synthetic")


def test_the_file_is_made_from_trained_weights(monkeypatch, tmp_path):
    model = zoo.create("resnet50_avg", num_classes=3, backbone=start.BACKBONE)
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    monkeypatch.setattr(start, "FILE", tmp_path / "start.safetensors")
    monkeypatch.setattr(start, "SHA256", start.save_start(tmp_path / "weights.safetensors"))
    state = load_file(start.FILE)
    assert state["conv1.weight"].dtype == torch.float16
    assert state["bn1.running_var"].dtype == torch.float32
    assert not any(key.startswith(("classifier", "neck", "frames")) for key in state)
    network = timm.create_model("resnet50", channels=(16, 32, 64, 128), layers=(1, 2, 3, 1))
    registry._set_stem(network, 16)
    start.load_start(network, registry.variants.parse(start.BACKBONE))
    torch.testing.assert_close(
        network.conv1.weight, model.frames.conv1.weight.half().float(), rtol=0, atol=0
    )
