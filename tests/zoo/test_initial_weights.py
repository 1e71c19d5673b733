"""What `quick` starts from."""

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

import zoo
from benchmark import variants
from benchmark.recipes import RECIPES
from zoo import initial_weights, registry
from zoo.backbones import _set_stem, build_backbone


def test_every_method_on_a_residual_network_starts_from_the_same_backbone_under_quick():
    for method in registry.methods().values():
        own = registry.own_backbone(method)
        if not own.startswith("vit_"):
            assert str(RECIPES["quick"].backbone_of(own)) == initial_weights.BACKBONE
    assert RECIPES["quick"].init == "synthetic"


def test_the_weights_of_the_file_reach_the_network():
    state = load_file(initial_weights.FILE)
    for method in ("resnet50_avg", "sta"):
        frames = zoo.create(method, backbone=initial_weights.BACKBONE, weights="synthetic").frames
        for key, value in frames.state_dict().items():
            assert torch.equal(value, state[key].to(value.dtype))


def test_a_3d_network_is_inflated_from_them():
    state = load_file(initial_weights.FILE)
    trunk = zoo.create("resnet3d50", backbone=initial_weights.BACKBONE, weights="synthetic").trunk
    flat = trunk.conv1.weight.sum(2)  # the frames' planes of a kernel sum to the 2D one
    torch.testing.assert_close(flat, state["conv1.weight"].float())


@pytest.mark.parametrize("backbone", ["resnet50", "resnet50[channels=4+8+8+8,layers=1+2+3+1]"])
def test_another_network_is_refused_in_one_line(backbone):
    with pytest.raises(ValueError, match=r"not for resnet50.*init=none"):
        zoo.create("sta", backbone=backbone, weights="synthetic")


def test_a_changed_file_is_refused(monkeypatch, tmp_path):
    state = load_file(initial_weights.FILE)
    state["conv1.weight"][0, 0, 0, 0] += 1
    monkeypatch.setattr(initial_weights, "FILE", tmp_path / "start.safetensors")
    save_file(state, initial_weights.FILE)
    with pytest.raises(ValueError, match="install the package again"):
        build_backbone(initial_weights.BACKBONE, "synthetic")


def test_the_file_is_made_from_trained_weights(monkeypatch, tmp_path):
    model = zoo.create("resnet50_avg", num_classes=3, backbone=initial_weights.BACKBONE)
    state = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(state, tmp_path / "weights.safetensors")
    monkeypatch.setattr(initial_weights, "FILE", tmp_path / "start.safetensors")
    monkeypatch.setattr(
        initial_weights,
        "SHA256",
        initial_weights.save_initial_weights(tmp_path / "weights.safetensors"),
    )
    state = load_file(initial_weights.FILE)
    assert state["conv1.weight"].dtype == torch.float16
    assert state["bn1.running_var"].dtype == torch.float32
    assert not any(key.startswith(("head", "frames")) for key in state)
    network = timm.create_model("resnet50", channels=(16, 32, 64, 128), layers=(1, 2, 3, 1))
    _set_stem(network, 16)
    initial_weights.load_initial_weights(network, variants.parse(initial_weights.BACKBONE))
    torch.testing.assert_close(
        network.conv1.weight, model.frames.conv1.weight.half().float(), rtol=0, atol=0
    )


def test_networks_that_are_no_resnets_have_no_packaged_start():
    assert initial_weights.starts_at_random("convnext_atto")
    assert initial_weights.starts_at_random("vit_base_patch16_224[depth=2]")
    assert not initial_weights.starts_at_random(initial_weights.BACKBONE)
    assert not initial_weights.starts_at_random("own")
