"""The SINet family's keys: networks of the authors' layout against ours after conversion."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.zoo.checkpoints.released.authors_network import AuthorsNetwork
from zoo.checkpoints.convert import convert, write
from zoo.checkpoints.released import sinet as layout
from zoo.registry import create

BLOCKS, SHALLOW = (1, 4, 6, 1), "resnet50[layers=1+4+6+1]"
IDM, SBM, SA = "thw_reduction.0", "kernel.0", "down_channel"
BETWEEN = {"sinet": (IDM, SBM), "sbnet": (None, SBM), "idnet": (IDM, None), "sanet": (SA, None)}


def sequence(name, stage, blocks):
    """What stands in their stage, in order: "block" or the kind of a layer."""
    kind = dict(zip((2, 3), BETWEEN[name], strict=True)).get(stage)
    order = []
    for block in range(blocks):
        order += ["block"] + ([kind] if kind and block % 2 else [])
    return order


def authors(name, blocks=BLOCKS, positions=192):
    """Their network: every convolution of the trunk has a bias."""
    net = AuthorsNetwork(planes=True)
    net.add_stem()
    for stage, many in enumerate(blocks, start=1):
        width = (64, 128, 256, 512)[stage - 1]
        inside, first = (64 if stage == 1 else 2 * width), True
        for i, kind in enumerate(sequence(name, stage, many)):
            key = f"layer{stage}.{i}"
            if kind == "block":
                net.add_block(key, inside, width, first=first)
                inside, first = 4 * width, False
            else:
                add_between(net, key, kind, positions)
    for key, value in list(net.state.items()):
        if value.ndim == 5 and f"{key.removesuffix('weight')}bias" not in net.state:
            net.state[f"{key.removesuffix('weight')}bias"] = net.draw(len(value), scale=0.3)
    net.add_norm("bn", 2048)
    net.add("classifier", 7, 2048, bias=True)
    if BETWEEN[name][1]:
        net.add("projection", 16, 2048, 1, bias=True)
    calm(net.state)
    return net


def calm(state, factor=0.002):
    """Narrow stage 3, or SBM's softmax sees one cell alone and what is before it does not count."""
    norms, fields = ("bn3", "downsample.1"), ("weight", "bias")
    ends = tuple(f"{norm}.{field}" for norm in norms for field in fields)
    for key in state:
        if key.startswith("layer3.") and key.endswith(ends):
            state[key] = factor * state[key]
        elif key.endswith(("se.1.weight", "kernel.0.weight")):  # which see it as it was
            state[key] = state[key] / factor


def add_between(net, key, kind, positions):
    if kind == IDM:
        few = positions // 16
        for part, out, inside in (("reduction.0", few, positions), ("expansion.0", positions, few)):
            net.add(f"{key}.thw_{part}", out, inside, 1, 1, bias=True)
        net.add_norm(f"{key}.thw_reduction.1", few)
        net.add_conv(f"{key}.chl_reduction.0", 32, 512, 1)
        net.add_norm(f"{key}.chl_reduction.1", 32)
        net.add_conv(f"{key}.chl_expansion.0", 512, 32, 1)
    elif kind == SBM:
        net.add_conv(f"{key}.kernel.0", 9, 1024, 1)
        net.add_norm(f"{key}.kernel.1", 9)
        net.add_conv(f"{key}.se.1", 256, 1024, 1)
        net.add_conv(f"{key}.se.3", 1024, 256, 1)
    else:
        net.add_conv(f"{key}.down_channel", 128, 512, 1)
        net.add_conv(f"{key}.up_channel.0", 512, 128, 1)
        net.add_norm(f"{key}.up_channel.1", 512)


def integrate(net, key, x):
    """IDM on one clip, [T, C, H, W]."""
    a = net.norm(f"{key}.chl_reduction.1", net.conv(f"{key}.chl_reduction.0", x))
    a = a.permute(0, 2, 3, 1).flatten(0, 2)[None, :, :, None]  # [1, N, c, 1]
    b = net.norm(f"{key}.thw_reduction.1", net.conv(f"{key}.thw_reduction.0", a))
    d = (net.conv(f"{key}.thw_expansion.0", b) + a)[0, :, :, 0]  # [N, c]
    d = d.unflatten(0, (len(x), *x.shape[2:])).permute(0, 3, 1, 2)
    return (x + net.conv(f"{key}.chl_expansion.0", d)).relu()


def salient(net, key, x, split):
    """SBM on one clip, [4, C, H, W]."""
    mean = x.mean((0, 2, 3))
    se = net.conv(f"{key}.se.1", mean[None, :, None, None]).relu()
    se = net.conv(f"{key}.se.3", se).sigmoid()[0, :, 0, 0]
    ratio = x[:, :, 1:-1, 1:-1].mean((0, 2, 3)) / (mean + 1e-8)
    assert (ratio - 1).abs().min() > 1e-7  # or rounding decides
    g = torch.where(ratio > 1, se, 0.0)[:, None, None]
    early, late = x[: split + 1], x[split + 1 :]
    gated = (early * g).relu()
    w = net.norm(f"{key}.kernel.1", net.conv(f"{key}.kernel.0", gated)).relu()  # [e, 9, H, W]
    w = w / w.sum(1, keepdim=True).clamp_min(1e-12)
    w = w / w.sum((0, 2, 3), keepdim=True).clamp_min(1e-12)
    kernel = torch.einsum("tchw,tjhw->cj", gated, w).unflatten(1, (3, 3))
    padded = F.pad((late * g).relu(), (1, 1, 1, 1), mode="replicate")
    r = F.conv2d(padded, kernel[None]) / 9
    u = 1 / (r.flatten(1).softmax(1).clamp_min(1e-4) * r[0].numel())
    f = torch.where(u < 1, (5 * (u - 1)).exp(), 1.0).view_as(r)
    lost = ((1 - f) * late).mean((0, 2, 3)) / (1 - f).mean()
    late = late * f + 0.1 * early.mean((0, 2, 3))[:, None, None]
    return torch.cat([early + 0.1 * lost[:, None, None], late])


def statistics(net, key, x):
    """SANet's block on one clip, [T, C, H, W]."""
    z = net.conv(f"{key}.down_channel", x)
    flat = z.transpose(0, 1).flatten(1)  # [d, N]
    mean, std = flat.mean(1), flat.std(1, correction=0)
    moments = [((flat - mean[:, None]) ** k).mean(1) / std**k for k in (4, 5, 6)]
    mv = F.normalize(torch.stack([mean, std, *moments]), dim=1)  # [5, d]
    f = torch.einsum("tdhw,kd->tkhw", z, mv).softmax(1)
    y = torch.einsum("tkhw,kd->tdhw", f, mv)
    return (x + net.norm(f"{key}.up_channel.1", net.conv(f"{key}.up_channel.0", y))).relu()


def embedding(net, name, clip):
    """Their vector of one clip, frames normalised one by one."""
    x = net.norm("bn1", net.conv("conv1", clip, stride=2, padding=3)).relu()
    x, splits = F.max_pool2d(x, 3, 2), iter(range(3))
    for stage, many in enumerate(BLOCKS, start=1):
        for i, kind in enumerate(sequence(name, stage, many)):
            key = f"layer{stage}.{i}"
            if kind == "block":
                x = net.block(key, x, 2 if i == 0 and stage in (2, 3) else 1)
            elif kind == IDM:
                x = integrate(net, key, x)
            elif kind == SBM:
                x = salient(net, key, x, next(splits))
            else:
                x = statistics(net, key, x)
    return net.norm("bn", x.amax((2, 3))).mean(0)


@pytest.mark.parametrize("name", layout.NETWORKS)
def test_a_converted_network_gives_the_authors_embedding(name):
    net = authors(name)
    model = create(name, backbone=SHALLOW, size=(64, 48), frames=4).double().eval()
    found = convert(net.state, model.state_dict(), layout)
    model.load_state_dict(found.state)
    clip = net.draw(4, 3, 64, 48)
    with torch.no_grad():
        ours, theirs = model(clip[None]).embedding[0], embedding(net, name, clip)
        assert (ours - theirs).norm() / theirs.norm() < 1e-6
        for maps, kept in model.attention(clip[None]).items():
            if maps.endswith("_kept"):
                assert ((kept > 0.02) & (kept < 0.98)).sum() >= 2  # neither all nor nothing
        model.frames.maxpool.padding = 1  # as every other ResNet has it
        padded = model(clip[None]).embedding[0]
        assert (padded - theirs).norm() / theirs.norm() > 1e-3


@pytest.mark.parametrize(("name", "dropped"), [("sinet", 4), ("sbnet", 4), ("idnet", 2)])
def test_classifier_and_projection_are_left_out_with_a_reason(name, dropped):
    net = authors(name)
    expected = create(name, backbone=SHALLOW, size=(64, 48), frames=4).state_dict()
    found = convert(net.state, expected, layout)
    keys = [key for line in found.dropped for key in line.partition(": ")[0].split(", ")]
    assert (
        len(keys) == dropped == sum(k.startswith(("classifier", "projection")) for k in net.state)
    )
    assert all(line.partition(": ")[2] for line in found.dropped)


def test_a_bias_before_batchnorm_becomes_a_shift_of_its_mean():
    net = authors("sbnet")
    expected = create("sbnet", backbone=SHALLOW).state_dict()
    state = convert(net.state, expected, layout).state
    for conv, norm, ours in (
        ("conv1", "bn1", "frames.bn1"),
        ("layer3.6.conv2", "layer3.6.bn2", "frames.layer3.4.bn2"),  # after two SBMs
        ("layer2.0.downsample.0", "layer2.0.downsample.1", "frames.layer2.0.downsample.1"),
        ("layer3.5.kernel.0", "layer3.5.kernel.1", "between.stage3_block3.kernel.1"),
    ):
        wanted = net.state[f"{norm}.running_mean"] - net.state[f"{conv}.bias"]
        assert torch.equal(state[f"{ours}.running_mean"], wanted)


def test_the_whole_file_of_sinet_becomes_a_network_for_four_frames(tmp_path):
    net = authors("sinet", (3, 4, 6, 3), positions=2048)
    small = {key: value.half() for key, value in net.state.items()}
    file = {"state_dict": small, "rank1": np.float64(0.909), "epoch": 150}
    torch.save(file, tmp_path / "theirs.pth.tar")
    _, about, dropped = write("sinet", tmp_path / "theirs.pth.tar", tmp_path / "sinet.safetensors")
    assert json.loads(about.read_text())["clip"] == {"frames": 4, "height": 256, "width": 128}
    assert len(dropped) == 2


def test_a_network_taken_for_another_is_refused():
    state = authors("sbnet").state
    for name in ("sinet", "idnet", "sanet"):
        expected = create(name, backbone=SHALLOW, size=(64, 48), frames=4).state_dict()
        with pytest.raises(ValueError, match=r"missing: between\.stage2_block1"):
            convert(state, expected, layout)
