"""A strict renaming: what is missing, unknown or of another shape is refused with a list."""

import json
import pickle
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from zoo.checkpoints import convert as converting
from zoo.checkpoints.convert import convert, from_released, read, write

EXPECTED = {
    "frames.conv1.weight": torch.zeros(2, 3, 5, 5),
    "mix.weight": torch.zeros(2, 2, 3),
    "head.neck.weight": torch.zeros(2),
    "head.neck.num_batches_tracked": torch.tensor(0),
}
NAMES = {
    "stem.weight": "frames.conv1.weight",
    "mix.w": "mix.weight",
    "bn.weight": "head.neck.weight",
}
LAYOUT = SimpleNamespace(
    NETWORKS={"tiny": "resnet50_avg"},
    ORIGIN="a test",
    DROPPED={"fc.": "the classifier"},
    rename=NAMES.get,
)


def released():
    """A file of that layout: 3D kernels over space alone and over time alone, no counters."""
    return {
        "module.stem.weight": torch.randn(2, 3, 1, 5, 5),
        "module.mix.w": torch.randn(2, 2, 3, 1, 1),
        "module.bn.weight": torch.ones(2),
        "module.fc.weight": torch.ones(7, 2),
    }


def test_tensors_are_renamed_and_what_is_left_out_is_named():
    state = released()
    found = convert(state, EXPECTED, LAYOUT)
    assert list(found.state) == list(EXPECTED)
    assert torch.equal(found.state["frames.conv1.weight"], state["module.stem.weight"][:, :, 0])
    assert torch.equal(found.state["mix.weight"], state["module.mix.w"][..., 0, 0])
    assert found.state["head.neck.num_batches_tracked"] == 0
    assert found.dropped == ("module.fc.weight: the classifier",)


def test_keys_without_the_wrapper_are_taken():
    bare = {key.removeprefix("module."): value for key, value in released().items()}
    assert list(convert(bare, EXPECTED, LAYOUT).state) == list(EXPECTED)


def test_a_layout_may_adapt_what_it_has_renamed():
    def adapt(state):
        return {key: value * 2 for key, value in state.items()}

    layout = SimpleNamespace(**vars(LAYOUT), adapt=adapt)
    assert convert(released(), EXPECTED, layout).state["head.neck.weight"].tolist() == [2, 2]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.pop("module.mix.w"), "does not fit: missing: mix.weight$"),
        (lambda s: s.update({"extra.weight": torch.ones(1)}), "unknown: extra.weight"),
        (
            lambda s: s.update({"module.bn.weight": torch.ones(3)}),
            r"mis-shaped: head.neck.weight \[3\] instead of \[2\]",
        ),
        (
            lambda s: s.update({"module.mix.w": torch.ones(2, 2, 3, 3, 3)}),
            r"mis-shaped: mix.weight \[2, 2, 3, 3, 3\]",
        ),
        (
            lambda s: s.update({f"x{i}": torch.ones(1) for i in range(7)}),
            "unknown: x0, x1, x2, x3, x4 and 2 more",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_the_list(change, says):
    state = released()
    change(state)
    with pytest.raises(ValueError, match=says):
        convert(state, EXPECTED, LAYOUT)


class Poison:
    def __reduce__(self):
        return (print, ("executed!",))


@pytest.mark.parametrize(
    "content", ["pickle", "poison", "text", "empty", "list", "number", "short", "old"]
)
def test_what_is_no_file_of_tensors_is_refused_before_anything_runs(tmp_path, capsys, content):
    path = tmp_path / "x.pth"
    if content in ("poison", "short"):
        data = pickle.dumps(Poison())
        path.write_bytes(data if content == "poison" else data[:-3])
    elif content in ("text", "empty"):
        path.write_bytes(b"hello" if content == "text" else b"")
    else:
        things = {"pickle": {"weights": Poison()}, "list": [torch.ones(1)], "number": {"a": 1}}
        old = content == "old"
        torch.save(things.get(content, Poison()), path, _use_new_zipfile_serialization=not old)
    with pytest.raises(ValueError, match=r"x\.pth is refused") as error:
        read(path)
    assert "\n" not in str(error.value) and "executed!" not in capsys.readouterr().out


def test_a_state_dict_may_stand_beside_numbers_of_numpy(tmp_path):
    import numpy as np

    path = tmp_path / "x.pth"
    torch.save({"state_dict": {"a": torch.ones(2)}, "best": np.float64(0.5)}, path)
    assert read(path)["a"].tolist() == [1, 1]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"x\.pth does not exist"):
        read(tmp_path / "x.pth")


def test_an_unknown_released_name_says_what_there_is(tmp_path):
    with pytest.raises(LookupError, match=f"there are {', '.join(sorted(converting.RELEASED))}"):
        from_released("sta", tmp_path / "x.pth")


@pytest.fixture
def tiny(monkeypatch):
    """The layout as one that ``zoo convert`` knows, with a network of these very shapes."""

    class Network(torch.nn.Module):
        def state_dict(self):
            return EXPECTED

        def load_state_dict(self, state):
            self.loaded = state

    monkeypatch.setattr(converting, "RELEASED", {"tiny": LAYOUT})
    monkeypatch.setattr(converting.registry, "create", lambda *_, **__: Network())


def test_a_released_file_becomes_a_network_in_evaluation_mode(tiny, tmp_path):
    torch.save(released(), tmp_path / "x.pth")
    model = from_released("tiny", tmp_path / "x.pth")
    assert not model.training and list(model.loaded) == list(EXPECTED)


def test_safetensors_and_what_is_known_of_them_are_written_side_by_side(tiny, tmp_path):
    torch.save(released(), tmp_path / "x.pth")
    weights, about, dropped = write("tiny", tmp_path / "x.pth", tmp_path / "out" / "x.safetensors")
    assert set(load_file(weights)) == set(EXPECTED)
    fields = json.loads(about.read_text())
    assert fields["method"] == "resnet50_avg" and fields["origin"] == "a test"
    assert fields["bytes"] == weights.stat().st_size and fields["source_file"] == "x.pth"
    assert fields["dropped"] == list(dropped) == ["module.fc.weight: the classifier"]


RELEASED_CLIPS = {
    "stenvan": ("resnet50", 8),
    "ap3d": ("resnet50", 4),
    "cosam": ("resnet50", 4),
    "cosam_se_rnn": ("legacy_seresnet50", 4),
    "tclnet": ("resnet50", 4),
    "bicnet_tks": ("resnet50", 8),
    "psta": ("resnet50", 8),
    "sinet": ("resnet50", 4),
    "tf_clip_mars": ("vit_base_patch16_clip_quickgelu_224", 8),
}


@pytest.mark.parametrize("name", RELEASED_CLIPS)
def test_backbone_and_clip_are_those_of_the_released_network(name, monkeypatch, tmp_path):
    """The network is built with what is written."""
    built = {}

    def create(method, **arguments):
        built.update(arguments, method=method)
        return torch.nn.Linear(1, 1)

    layout = converting.RELEASED[name]
    state = torch.nn.Linear(1, 1).state_dict()
    monkeypatch.setattr(converting.registry, "create", create)
    monkeypatch.setattr(layout, "rename", lambda key: key)
    monkeypatch.setattr(layout, "adapt", dict, raising=False)
    torch.save(state, tmp_path / "x.pth")
    _, about, _ = write(name, tmp_path / "x.pth", tmp_path / "x.safetensors")
    fields = json.loads(about.read_text())
    backbone, frames = RELEASED_CLIPS[name]
    assert fields["backbone"] == backbone
    assert fields["clip"] == {"frames": frames, "height": 256, "width": 128}
    own = converting.registry.own_backbone(converting.registry.find(fields["method"])[0])
    assert (built["backbone"] or own) == backbone
    assert (built["frames"], built["size"]) == (frames, (256, 128))


def test_a_layout_names_backbones_of_its_own_networks_only():
    for name, layout in converting.RELEASED.items():
        assert set(getattr(layout, "BACKBONES", {})) <= set(layout.NETWORKS), name
