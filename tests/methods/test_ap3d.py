"""AP3D's ladder: where its modules stand, against the networks written out in 3D."""

import pytest
import torch
import torch.nn.functional as F

from benchmark.cost.macs import count_gmacs
from methods.ap3d import ap3d, ap3d_nl, ap_i3d, c2d, c2d_nl, i3d, p3d

LADDER = {
    "C2D": (c2d, {}),
    "I3D": (i3d, {}),
    "AP-I3D": (ap_i3d, {}),
    "P3D-A": (p3d, {"kind": "A"}),
    "P3D-B": (p3d, {"kind": "B"}),
    "P3D-C": (p3d, {}),
    "AP-P3D-A": (ap3d, {"kind": "A"}),
    "AP-P3D-B": (ap3d, {"kind": "B"}),
    "AP-P3D-C": (ap3d, {}),
    "no gate, s = 1": (ap3d, {"gate": False, "temperature": 1.0}),
    "NL": (c2d_nl, {}),
    "NL + AP-P3D-C": (ap3d_nl, {}),
}
CHANNELS = (8, 32, 32, 16)  # cells are compared in 2 channels


def drawn(model, seed=0):
    """The same network in float64, evaluating, every number of it drawn: nothing is zero.

    Activations stay of the size of 1, so that no gate and no softmax is all or nothing.
    """
    generator = torch.Generator().manual_seed(seed)
    state = model.double().state_dict()
    for key in sorted(state):
        value = state[key]
        if key.endswith("running_var") or (value.ndim == 1 and key.endswith("weight")):
            value.copy_(torch.rand(value.shape, generator=generator, dtype=torch.float64) + 0.5)
            value.mul_(0.6 if key.endswith("weight") else 2)
        elif value.is_floating_point():
            fan = value[0].numel() if value.ndim > 1 else 10
            value.copy_(torch.randn(value.shape, generator=generator, dtype=torch.float64))
            value.mul_(50 / fan**0.5 if "gate_out" in key else fan**-0.5)
    return model.eval()


class InThreeDimensions:
    """The network from its state dict alone, on [B, C, T, H, W], everything a 3D convolution."""

    def __init__(self, model, kind, *, aligned=False, temperature=4.0, gate=True):
        self.state, self.kind, self.aligned = model.state_dict(), kind, aligned
        self.temperature, self.gate = temperature, gate

    def conv(self, x, key, stride=1, padding=0):
        kernel = self.state[f"{key}.weight"].unsqueeze(2)  # [o, c, 1, k, k]
        return F.conv3d(
            x, kernel, self.state.get(f"{key}.bias"), (1, stride, stride), (0, padding, padding)
        )

    def norm(self, x, key):
        s = self.state
        mean, var = s[f"{key}.running_mean"], s[f"{key}.running_var"]
        return F.batch_norm(x, mean, var, s[f"{key}.weight"], s[f"{key}.bias"])

    def shifted(self, x, by, key):
        """Frame t + ``by`` at t, aligned or not, and zeros where there is none."""
        there = torch.zeros_like(x)
        for t in range(x.shape[2]):
            if 0 <= t + by < x.shape[2]:
                own, other = x[:, :, t : t + 1], x[:, :, t + by : t + by + 1]
                there[:, :, t : t + 1] = self.align(own, other, key) if self.aligned else other
        return there

    def align(self, own, other, key):
        key = f"{key}.alignment"
        e, f = (self.conv(x, f"{key}.similarity").flatten(2) for x in (own, other))
        cosines = torch.einsum("bci,bcj->bij", e, f)
        cosines = cosines / e.norm(dim=1)[:, :, None] / f.norm(dim=1)[:, None]
        found = torch.einsum(
            "bij,bcj->bci", (self.temperature * cosines).softmax(2), other.flatten(2)
        ).view_as(other)
        if not self.gate:
            return found
        product = self.conv(own, f"{key}.gate_own") * self.conv(found, f"{key}.gate_found")
        return self.conv(product, f"{key}.gate_out").sigmoid() * found

    def temporal(self, x, block, key, stride):
        """What stands for a block's 3×3 convolution."""
        y = self.conv(x, f"{block}.conv2", stride, 1)
        if self.kind in ("I3D", "B"):
            padding = int(self.kind == "I3D")
            out = y
            out = out + self.conv(self.shifted(x, -1, key), f"{key}.before", stride, padding)
            out = out + self.conv(self.shifted(x, 1, key), f"{key}.after", stride, padding)
            return out if self.kind == "I3D" else out + self.conv(x, f"{key}.own", stride)
        taps = [self.state[f"{key}.{name}.weight"] for name in ("before", "own", "after")]
        past, future = self.shifted(y, -1, key), self.shifted(y, 1, key)
        three = torch.stack([past, y, future], 3).flatten(2, 3)  # [B, C, 3·T, h, w]
        out = F.conv3d(three, torch.stack(taps, 2)[..., 0, 0, None, None], stride=(3, 1, 1))
        return y + out if self.kind == "C" else out

    def non_local(self, x, key):
        keys = F.max_pool3d(self.conv(x, f"{key}.phi"), (1, 2, 2)).flatten(2)
        values = F.max_pool3d(self.conv(x, f"{key}.g"), (1, 2, 2)).flatten(2)
        looks = torch.einsum("bci,bcj->bij", self.conv(x, f"{key}.theta").flatten(2), keys)
        y = torch.einsum("bij,bcj->bci", looks.softmax(2), values)
        y = y.unflatten(2, x.shape[2:])
        return x + self.norm(self.conv(y, f"{key}.out"), f"{key}.norm")

    def block(self, x, stage, i):
        key, name = f"frames.layer{stage}.{i}", f"stage{stage}_block{i}"
        stride = 2 if i == 0 and stage in (2, 3) else 1
        y = self.norm(self.conv(x, f"{key}.conv1"), f"{key}.bn1").relu()
        if stage in (2, 3) and i % 2 == 0 and self.kind:
            y = self.temporal(y, key, f"temporal.{name}", stride)
        else:
            y = self.conv(y, f"{key}.conv2", stride, 1)
        y = self.norm(y, f"{key}.bn2").relu()
        y = self.norm(self.conv(y, f"{key}.conv3"), f"{key}.bn3")
        if i == 0:
            x = self.norm(self.conv(x, f"{key}.downsample.0", stride), f"{key}.downsample.1")
        x = (x + y).relu()
        return (
            self.non_local(x, f"non_local.{name}")
            if f"non_local.{name}.g.bias" in self.state
            else x
        )

    def __call__(self, clips, layers):
        """[B, T, 3, H, W] -> embedding, metric and logits."""
        x = self.norm(self.conv(clips.transpose(1, 2), "frames.conv1", 2, 3), "frames.bn1").relu()
        x = F.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))
        for stage, depth in enumerate(layers, start=1):
            for i in range(depth):
                x = self.block(x, stage, i)
        metric = x.flatten(3).max(3).values.mean(2)  # of each frame the largest cell, [B, D]
        embedding = self.norm(metric, "head.neck")
        weight, bias = self.state["head.classifier.weight"], self.state["head.classifier.bias"]
        return embedding, metric, embedding @ weight.T + bias


def kind_of(name):
    """What `InThreeDimensions` is told of a member."""
    build, arguments = LADDER[name]
    kind = {c2d: "", c2d_nl: "", i3d: "I3D", ap_i3d: "I3D"}.get(build, arguments.get("kind", "C"))
    others = {key: value for key, value in arguments.items() if key != "kind"}
    return {"kind": kind, "aligned": build in (ap_i3d, ap3d, ap3d_nl), **others}


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("name", LADDER)
def test_network_is_the_one_written_out_in_3d(name, narrow, draw, error, frames):
    build, arguments = LADDER[name]
    layers = (1, 3, 4, 1)
    model = drawn(build(narrow(layers, CHANNELS), 5, **arguments))
    clips = draw(2, frames, 3, 64, 48).double()
    with torch.no_grad():
        found = model(clips)
        embedding, metric, logits = InThreeDimensions(model, **kind_of(name))(clips, layers)
    for value, wanted in ((found.metric, metric), (found.embedding, embedding)):
        assert error(value, wanted) < 1e-6  # they leave the network in float32
    assert error(found.logits, logits) < 1e-12
    assert found.penalties == {}


@pytest.mark.parametrize("name", LADDER)
def test_ladder_starts_at_c2d(name, narrow, draw):
    build, arguments = LADDER[name]
    clips, backbone = draw(2, 3, 3, 64, 32), narrow(channels=CHANNELS)
    with torch.no_grad():
        wanted = c2d(backbone).eval()(clips).metric
        assert torch.allclose(build(backbone, **arguments).eval()(clips).metric, wanted, atol=1e-5)


@pytest.mark.parametrize("network", ["seresnet50", "resnext50_32x4d"])
def test_other_bottlenecks_keep_what_they_have(network, narrow, draw):
    """At the start the network is the backbone, its squeeze-and-excitation and groups included."""
    channels = CHANNELS if network == "seresnet50" else (64, 64, 64, 64)
    backbone, clips = narrow(channels=channels, name=network), draw(2, 2, 3, 64, 32)
    model = ap3d(backbone).eval()
    with torch.no_grad():
        wanted = model.frames(clips.flatten(0, 1)).amax((2, 3)).unflatten(0, (2, 2)).mean(1)
        assert torch.allclose(model(clips).metric, wanted, atol=1e-5)


def test_modules_stand_in_every_other_block_and_layers_follow_the_others(narrow):
    model = ap3d_nl(narrow((3, 4, 6, 3)))
    assert list(model.temporal) == [
        *("stage2_block0", "stage2_block2"),
        *("stage3_block0", "stage3_block2", "stage3_block4"),
    ]
    assert list(model.non_local) == [
        *("stage2_block1", "stage2_block3"),
        *("stage3_block1", "stage3_block3", "stage3_block5"),
    ]
    quick = ap3d_nl(narrow((1, 2, 3, 1)))
    assert list(quick.temporal) == ["stage2_block0", "stage3_block0", "stage3_block2"]
    assert list(quick.non_local) == ["stage2_block1", "stage3_block1"]


# parameters with 625 classes and, where they are known, GMACs at T = 4, 256 × 128
SIZES = {
    "C2D": (24_792_753, 16.21),
    "I3D": (28_921_521, 19.23),
    "AP-I3D": (28_964_593, None),
    "P3D-A": (25_480_881, 16.72),
    "P3D-B": (25_480_881, 16.72),
    "P3D-C": (25_480_881, 16.72),
    "AP-P3D-A": (25_523_953, None),
    "AP-P3D-B": (25_523_953, None),
    "AP-P3D-C": (25_523_953, 17.45),
    "NL": (32_151_217, 22.86),
    "NL + AP-P3D-C": (32_882_417, 24.09),
}


@pytest.mark.parametrize("name", SIZES)
def test_networks_are_as_large_and_as_costly_as_the_papers(name):
    build, arguments = LADDER[name]
    parameters, gmacs = SIZES[name]
    model = build("resnet50", 625, **arguments)
    assert sum(p.numel() for p in model.parameters()) == parameters
    if gmacs is not None:
        assert count_gmacs(model, torch.zeros(1, 4, 3, 256, 128)) == pytest.approx(gmacs, rel=5e-3)


# dimensions 3, 9, 30 and 50 of 64
GOLDEN = {
    "C2D": (0.4800532, 0.2936566, 0.0932825, -0.1971815),
    "I3D": (0.4740946, 0.2885506, 0.0932825, -0.1971815),
    "AP-I3D": (0.4792782, 0.2971322, 0.0932825, -0.1971815),
    "P3D-C": (0.4980333, 0.2879387, 0.0932825, -0.1971815),
    "AP-P3D-A": (0.4723097, 0.2872459, 0.0932825, -0.1971815),
    "AP-P3D-B": (0.4959022, 0.2923125, 0.0932825, -0.1971815),
    "AP-P3D-C": (0.4775593, 0.2905949, 0.0932825, -0.1971815),
    "NL": (0.5988181, 0.2280929, 0.0932825, -0.1971815),
    "NL + AP-P3D-C": (0.6103474, 0.2337909, 0.0932825, -0.1971815),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_embedding_of_fixed_weights_stays_what_it_is(name, narrow):
    build, arguments = LADDER[name]
    model = drawn(build(narrow((1, 3, 4, 1), CHANNELS), **arguments))
    generator = torch.Generator().manual_seed(1)
    clips = torch.randn(1, 3, 3, 64, 32, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        embedding = model(clips).embedding[0, [3, 9, 30, 50]]
    assert torch.allclose(embedding, torch.tensor(GOLDEN[name]), rtol=0, atol=2e-6)


# ---- what the order of frames means --------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("C2D", False),
        ("NL", False),
        ("I3D", True),
        ("P3D-A", True),
        ("P3D-B", True),
        ("AP-P3D-C", True),
        ("NL + AP-P3D-C", True),
    ],
)
def test_order_of_frames_matters_to_temporal_convolutions_alone(name, changed, narrow, draw):
    build, arguments = LADDER[name]
    model, clips = drawn(build(narrow(channels=CHANNELS), **arguments)), draw(2, 4, 3, 64, 32)
    clips = clips.double()
    with torch.no_grad():
        found, other = model(clips).metric, model(clips[:, [2, 0, 3, 1]]).metric
    assert torch.allclose(found, other, rtol=1e-4) != changed


@pytest.mark.parametrize("build", [p3d, ap3d])
def test_clip_backwards_is_the_network_with_its_outer_taps_exchanged(build, narrow, draw):
    model, clips = drawn(build(narrow(channels=CHANNELS))), draw(2, 4, 3, 64, 32).double()
    with torch.no_grad():
        backwards = model(clips.flip(1)).metric
        assert not torch.allclose(model(clips).metric, backwards, rtol=1e-3)
        for conv in model.temporal.values():
            conv.before, conv.after = conv.after, conv.before
        assert torch.allclose(model(clips).metric, backwards, rtol=1e-5)


def test_a_frame_reaches_as_far_as_there_are_temporal_convolutions(narrow, draw):
    """Three of them in a row: frame 0 is seen in frames 0 to 3 and not beyond."""
    model, clips = drawn(ap3d(narrow((1, 2, 3, 1), CHANNELS))), draw(1, 6, 3, 64, 32).double()
    other = clips.clone()
    other[:, 0] = draw(3, 64, 32).double()
    with torch.no_grad():
        found, changed = model.features(clips), model.features(other)
    same = [torch.equal(a, b) for a, b in zip(found, changed, strict=True)]
    assert same == [False, False, False, False, True, True]


# ---- head and pictures ---------------------------------------------------------------------------


def test_head_is_a_trained_bn_and_a_classifier_with_bias(narrow):
    head = ap3d(narrow(channels=(8, 8, 8, 500)), 300).head
    assert head.neck.bias.requires_grad and not head.neck.bias.any()
    assert head.neck.weight.mean().item() == pytest.approx(1, abs=0.002)
    assert head.neck.weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert head.classifier.weight.std().item() == pytest.approx(0.001, rel=0.05)
    assert head.classifier.bias.shape == (300,) and not head.classifier.bias.any()


def test_non_local_layers_start_wide_and_change_nothing(narrow):
    layer = c2d_nl(narrow(channels=(8, 128, 128, 8))).non_local["stage3_block1"]
    for conv in (layer.theta, layer.phi, layer.g, layer.out):
        assert conv.weight.std().item() == pytest.approx((2 / len(conv.weight)) ** 0.5, rel=0.05)
    assert not layer.norm.weight.any() and not layer.norm.bias.any()


def test_pictures_show_neighbours_of_the_middle_frame_and_the_clip(narrow, draw):
    model = drawn(ap3d_nl(narrow((1, 2, 3, 1), CHANNELS)))
    maps = model.attention(draw(2, 4, 3, 64, 32).double())
    assert {name: list(array.shape) for name, array in maps.items()} == {
        "stage2_block0_alignment": [2, 3, 4, 8, 4],
        "stage2_block1": [2, 3, 4, 8, 4],
        "stage3_block0_alignment": [2, 3, 4, 4, 2],
        "stage3_block1": [2, 3, 4, 4, 2],
        "stage3_block2_alignment": [2, 3, 4, 4, 2],
    }
    for name, array in maps.items():
        shares = array.sum((3, 4))  # [B, 3, T]
        if name.endswith("_alignment"):
            assert not shares[:, :, [0, 2]].any()
            gates = shares[:, :, [1, 3]]
            assert ((gates > 0.01) & (gates < 0.99)).all()
        else:
            assert torch.allclose(shares.sum(2), torch.ones(2, 3).double())
    assert c2d(narrow()).attention(draw(1, 2, 3, 64, 32)) == {}


@pytest.mark.parametrize(
    ("build", "arguments", "backbone", "message"),
    [
        (p3d, {"kind": "D"}, {}, "kind is 'D', expected A, B or C"),
        (ap3d, {"kind": "I3D"}, {}, "kind is 'I3D', expected A, B or C"),
        (ap3d, {"temperature": -1}, {}, "temperature is -1"),
        (ap3d, {}, {"name": "resnet18"}, "its blocks are BasicBlock; take e.g. resnet50"),
        (c2d_nl, {}, {"layers": (1, 1, 1, 1)}, "1 block in each; take one with 2 or more"),
    ],
)
def test_what_does_not_fit_is_refused_when_built(narrow, build, arguments, backbone, message):
    with pytest.raises(ValueError, match=message):
        build(narrow(**backbone), **arguments)


def test_images_too_small_for_pooled_keys_are_refused(narrow):
    with pytest.raises(ValueError, match=r"64×16 pixels do not fit: .* 2 rows and columns"):
        c2d_nl(narrow()).eval()(torch.zeros(1, 2, 3, 64, 16))
    assert c2d(narrow()).eval()(torch.zeros(1, 2, 3, 64, 16)).embedding.shape == (1, 64)
