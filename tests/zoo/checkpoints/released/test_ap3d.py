"""Files of the AP3D repository: a state dict of their layout against ours after conversion."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import zoo
from zoo.checkpoints.convert import convert, read
from zoo.checkpoints.released import RELEASED, ap3d

DEPTHS, WIDTHS = (3, 4, 6, 3), (64, 128, 256, 512)
ENTRIES = {"ap3d": 350, "ap3d_nl": 415}


def order(stage, non_local):
    """The blocks of a stage as they are numbered there, with NL for an inserted layer."""
    places = []
    for block in range(DEPTHS[stage - 1]):
        places.append(block)
        if non_local and stage in (2, 3) and block % 2:
            places.append("NL")
    return places


def released(kind, identities=7):
    """A state dict with the keys and shapes of the authors' files, everything drawn."""
    generator, state = torch.Generator().manual_seed(0), {}

    def draw(*shape):
        return torch.randn(shape, generator=generator)

    def conv(key, *shape, bias=False, size=1.0):
        fan = shape[1] * shape[2] * shape[3] * shape[4]
        state[f"{key}.weight"] = draw(*shape) * size / fan**0.5
        if bias:
            state[f"{key}.bias"] = draw(shape[0]) * 0.1

    def norm(key, width):
        state[f"{key}.weight"] = 0.3 + 0.6 * torch.rand(width, generator=generator)
        state[f"{key}.bias"] = draw(width) * 0.3
        state[f"{key}.running_mean"] = draw(width) * 0.3
        state[f"{key}.running_var"] = 1 + torch.rand(width, generator=generator)
        state[f"{key}.num_batches_tracked"] = torch.tensor(100)

    def block(key, inside, width, temporal, first):
        conv(f"{key}.conv1", width, inside, 1, 1, 1)
        norm(f"{key}.bn1", width)
        if temporal:
            apm = f"{key}.conv2.APM"
            for name in ("semantic_mapping", "x_mapping", "n_mapping"):
                conv(f"{apm}.{name}", width // 16, width, 1, 1, 1)
            conv(f"{apm}.contrastive_att_net.0", 1, width // 16, 1, 1, 1, size=50)
            conv(f"{key}.conv2.spatial_conv3d", width, width, 1, 3, 3)
            conv(f"{key}.conv2.temporal_conv3d", width, width, 3, 1, 1, size=2)
        else:
            conv(f"{key}.conv2", width, width, 1, 3, 3)
        norm(f"{key}.bn2", width)
        conv(f"{key}.conv3", 4 * width, width, 1, 1, 1)
        norm(f"{key}.bn3", 4 * width)
        if first:
            conv(f"{key}.downsample.0", 4 * width, inside, 1, 1, 1)
            norm(f"{key}.downsample.1", 4 * width)

    conv("conv1", 64, 3, 1, 7, 7)
    norm("bn1", 64)
    inside = 64
    for stage, width in enumerate(WIDTHS, start=1):
        for i, place in enumerate(order(stage, kind == "ap3d_nl")):
            key = f"layer{stage}.{i}"
            if place == "NL":
                for part in ("g.0", "theta", "phi.0"):
                    conv(f"{key}.{part}", 2 * width, 4 * width, 1, 1, 1, bias=True)
                conv(f"{key}.W.0", 4 * width, 2 * width, 1, 1, 1, bias=True)
                norm(f"{key}.W.1", 4 * width)
            else:
                block(key, inside, width, stage in (2, 3) and place % 2 == 0, place == 0)
                inside = 4 * width
    norm("bn", 2048)
    state["classifier.weight"], state["classifier.bias"] = draw(identities, 2048), draw(identities)
    return state


class Theirs:
    """Their network in evaluation, from the file's tensors alone, in float64."""

    def __init__(self, state, kind):
        self.state = {key: value.double() for key, value in state.items()}
        self.non_local_layers = kind == "ap3d_nl"

    def conv(self, x, key, stride=1, padding=(0, 0, 0)):
        weight, bias = self.state[f"{key}.weight"], self.state.get(f"{key}.bias")
        return F.conv3d(x, weight, bias, (1, stride, stride), padding)

    def norm(self, x, key):
        part = {name: self.state[f"{key}.{name}"] for name in ("running_mean", "running_var")}
        return F.batch_norm(
            x, **part, weight=self.state[f"{key}.weight"], bias=self.state[f"{key}.bias"]
        )

    def seen(self, own, other, key):
        """A neighbour as a frame sees it, [B, C, 1, h, w] both."""
        e, f = (
            F.normalize(self.conv(x, f"{key}.semantic_mapping").flatten(2), dim=1)
            for x in (own, other)
        )
        looks = (4 * e.mT @ f).softmax(2)  # [B, h*w, h*w]
        found = (other.flatten(2) @ looks.mT).view_as(other)
        product = self.conv(own, f"{key}.x_mapping") * self.conv(found, f"{key}.n_mapping")
        return self.conv(product, f"{key}.contrastive_att_net.0").sigmoid() * found

    def ap3d(self, x, key, stride):
        y = self.conv(x, f"{key}.spatial_conv3d", stride, (0, 1, 1))
        out = []
        for t in range(y.shape[2]):
            frame = y[:, :, [t]]
            sides = [
                self.seen(frame, y[:, :, [s]], f"{key}.APM") if 0 <= s < y.shape[2] else 0 * frame
                for s in (t - 1, t + 1)
            ]
            three = torch.cat([sides[0], frame, sides[1]], 2)
            out.append(frame + self.conv(three, f"{key}.temporal_conv3d"))
        return torch.cat(out, 2)

    def non_local(self, x, key):
        q = self.conv(x, f"{key}.theta").flatten(2)
        k, v = (
            F.max_pool3d(self.conv(x, f"{key}.{part}"), (1, 2, 2)).flatten(2)
            for part in ("phi.0", "g.0")
        )
        y = (v @ (q.mT @ k).softmax(2).mT).unflatten(2, x.shape[2:])
        return x + self.norm(self.conv(y, f"{key}.W.0"), f"{key}.W.1")

    def block(self, x, key, stride, temporal):
        y = self.norm(self.conv(x, f"{key}.conv1"), f"{key}.bn1").relu()
        if temporal:
            y = self.ap3d(y, f"{key}.conv2", stride)
        else:
            y = self.conv(y, f"{key}.conv2", stride, (0, 1, 1))
        y = self.norm(y, f"{key}.bn2").relu()
        y = self.norm(self.conv(y, f"{key}.conv3"), f"{key}.bn3")
        if f"{key}.downsample.0.weight" in self.state:
            x = self.norm(self.conv(x, f"{key}.downsample.0", stride), f"{key}.downsample.1")
        return (x + y).relu()

    def __call__(self, clips):
        x = self.conv(clips.transpose(1, 2), "conv1", 2, (0, 3, 3))
        x = F.max_pool3d(self.norm(x, "bn1").relu(), (1, 3, 3), (1, 2, 2), (0, 1, 1))
        for stage in (1, 2, 3, 4):
            for i, place in enumerate(order(stage, self.non_local_layers)):
                key = f"layer{stage}.{i}"
                if place == "NL":
                    x = self.non_local(x, key)
                else:
                    stride = 2 if place == 0 and stage in (2, 3) else 1
                    x = self.block(x, key, stride, stage in (2, 3) and place % 2 == 0)
        return self.norm(x.amax((3, 4)).mean(2), "bn")


@pytest.mark.parametrize("kind", ENTRIES)
def test_converted_network_gives_their_embeddings(kind, tmp_path):
    state = released(kind)
    assert len(state) == ENTRIES[kind]
    saved = {"state_dict": state, "rank1": np.float64(0.9), "epoch": 240}
    torch.save(saved, tmp_path / "theirs.pth.tar", _use_new_zipfile_serialization=False)
    model = zoo.convert.from_released(kind, tmp_path / "theirs.pth.tar").double()
    generator = torch.Generator().manual_seed(1)
    clips = torch.randn(1, 3, 3, 64, 32, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        ours, expected = model(clips).embedding, Theirs(state, kind)(clips)
    assert ((ours - expected).norm() / expected.norm()).item() < 1e-6  # ours leaves in float32
    assert expected.std() > 0.1


@pytest.fixture(scope="module")
def files():
    """Of both networks a file of theirs and the keys of ours."""
    return {kind: (released(kind), zoo.create(kind).state_dict()) for kind in ENTRIES}


@pytest.mark.parametrize("kind", ENTRIES)
def test_nothing_but_the_classifier_is_dropped(kind, files):
    state, ours = files[kind]
    found = convert(state, ours, ap3d)
    assert list(found.state) == list(ours)
    assert len(found.dropped) == 1
    assert found.dropped[0].startswith("classifier.weight, classifier.bias: the classifier of")


def test_inserted_layers_shift_the_blocks_behind_them(files):
    state, ours = files["ap3d_nl"]
    found = convert(state, ours, ap3d).state
    for theirs, place in (
        ("layer2.3", "layer2.2"),
        ("layer3.4", "layer3.3"),
        ("layer3.7", "layer3.5"),
    ):
        kernel = state[f"{theirs}.conv1.weight"][:, :, 0]
        assert torch.equal(found[f"frames.{place}.conv1.weight"], kernel)
    for theirs, place in (("layer2.5", "stage2_block3"), ("layer3.8", "stage3_block5")):
        weight = state[f"{theirs}.theta.weight"][:, :, 0]
        assert torch.equal(found[f"non_local.{place}.theta.weight"], weight)


def test_temporal_kernel_is_cut_into_previous_own_and_next(files):
    state, ours = files["ap3d"]
    found = convert(state, ours, ap3d).state
    kernel = state["layer3.2.conv2.temporal_conv3d.weight"]  # [C, C, 3, 1, 1]
    taps = [found[f"temporal.stage3_block2.{tap}.weight"] for tap in ("before", "own", "after")]
    assert torch.equal(torch.stack(taps, 2), kernel)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s.pop("layer2.3.conv2.APM.x_mapping.weight"), "missing: .*block2.*gate_own"),
        (lambda s: s.pop("layer3.5.phi.0.bias"), "missing: non_local.stage3_block3.phi.bias"),
        (lambda s: s.update({"extra.weight": torch.ones(1)}), "unknown: extra.weight"),
        (lambda s: s.update({"layer3.5.odd": torch.ones(1)}), "unknown: layer3.5.odd"),
        (lambda s: s.update({"bn.weight": torch.ones(3)}), r"mis-shaped: head.neck.weight \[3\]"),
    ],
)
def test_file_that_does_not_fit_is_refused_with_the_list(change, says, files):
    state, ours = dict(files["ap3d_nl"][0]), files["ap3d_nl"][1]
    change(state)
    with pytest.raises(ValueError, match=says):
        convert(state, ours, ap3d)


def test_the_two_networks_are_told_apart(files):
    assert RELEASED["ap3d"] is RELEASED["ap3d_nl"] is ap3d
    with pytest.raises(ValueError, match=r"unknown: non_local\.stage2_block1"):
        convert(files["ap3d_nl"][0], files["ap3d"][1], ap3d)
    with pytest.raises(ValueError, match=r"missing: non_local\.stage2_block1"):
        convert(files["ap3d"][0], files["ap3d_nl"][1], ap3d)


def test_float32_score_beside_the_tensors_is_read_over(tmp_path):
    torch.save({"state_dict": {"bn.bias": torch.ones(2)}, "rank1": np.float32(0.9)}, tmp_path / "x")
    assert list(read(tmp_path / "x")) == ["bn.bias"]
