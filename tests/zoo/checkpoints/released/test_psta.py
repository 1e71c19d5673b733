"""PSTA's keys: a network of the authors' layout against ours after conversion."""

import pytest
import torch
import torch.nn.functional as F

from tests.zoo.checkpoints.released.authors_network import AuthorsNetwork
from zoo.checkpoints.convert import convert
from zoo.checkpoints.released import psta as layout
from zoo.registry import create

STAGES = ((1, 1), (2, 2), (3, 2), (4, 1))  # and their strides
SHALLOW = "resnet50[layers=1+1+1+1]"


def authors(blocks=(1, 1, 1, 1), cells=8, levels=3):
    """Their network for maps of so many cells."""
    net = AuthorsNetwork()
    net.add_stem("base.conv1", "base.bn1")
    for (stage, _), many in zip(STAGES, blocks, strict=True):
        net.add_stage(f"base.layer{stage}", stage, many)

    def cbr(key, out, inside, size=1, *, start=0):
        net.add(f"{key}.{start}", out, inside, size, size)
        net.add_norm(f"{key}.{start + 1}", out)

    cbr("down_channel", 1024, 2048)
    for level in range(1, levels + 1):
        key = f"layer{level}"
        cbr(f"{key}.Embeding", 256, 1024)
        cbr(f"{key}.Embeding", 128, 256, start=3)
        for part in ("TRAG.gamma_temporal", "TRAG.beta_temporal"):
            cbr(f"{key}.{part}", 128, 1024)
        for part in ("SRAG.alphi_appearance", "SRAG.delta_appearance"):
            cbr(f"{key}.{part}", 128, 1024)
        cbr(f"{key}.TRAG.gg_temporal", 128, 2 * cells)
        cbr(f"{key}.SRAG.gg_spatial", 128, 2 * cells)
        cbr(f"{key}.TRAG.tte_para", 128, 256)
        cbr(f"{key}.TRAG.te_para", 1, 256)
        cbr(f"{key}.SRAG.spa_para", 128, 256)
        cbr(f"{key}.SRAG.spa_para", 1, 128, start=3)
        net.add(f"{key}.TRAG.theta_channel.0", 128, 1024, 1)
        net.add(f"{key}.TRAG.channel_para.0", 128, 256, bias=True)
        net.add(f"{key}.TRAG.channel_para.2", 1024, 128, bias=True)
        net.add(f"{key}.SRAG.app_channel.0", 128, 1024, bias=True)
        net.add(f"{key}.SRAG.app_channel.2", 1024, 128, bias=True)
        cbr(f"{key}.conv_block", 256, 1024)
        cbr(f"{key}.conv_block", 256, 256, 3, start=3)
        cbr(f"{key}.conv_block", 1024, 256, start=6)
    for i in range(3):
        net.add_norm(f"bottleneck.{i}", 1024)
        net.add(f"classifier.{i}", 7, 1024, bias=True)
    calm(net.state)
    return net


def calm(state):
    """Narrow some values, so that gates lie between 0 and 1 and what is before them counts."""
    factors = {"down_channel.1": 0.1, "conv_block.7": 0.2}
    factors |= {f"TRAG.{part}_temporal.1": 0.2 for part in ("gamma", "beta")}
    factors |= {f"SRAG.{part}_appearance.1": 0.2 for part in ("alphi", "delta")}
    for part, factor in factors.items():
        for key in [k for k in state if k.endswith((f"{part}.weight", f"{part}.bias"))]:
            state[key] = factor * state[key]


def cbr(net, key, x, start=0, padding=0):
    return net.norm(f"{key}.{start + 1}", net.conv(f"{key}.{start}", x, padding=padding)).relu()


def mlp(net, key, v):
    linear = lambda i, v: F.linear(v, net.state[f"{key}.{i}.weight"], net.state[f"{key}.{i}.bias"])  # noqa: E731
    return linear(2, linear(0, v).relu()).sigmoid()[:, :, None, None]


def relation(a, back, size):
    """R from A[p, k] and A'[k, p], one clip: [1, 2n, H, W]."""
    return torch.cat([a.T, back], 0).unflatten(1, size)[None]


def merge(net, key, pair):
    """STAM on the two frames of a pair, [1, C, H, W] each."""
    size = pair[0].shape[2:]
    e = [cbr(net, f"{key}.Embeding", cbr(net, f"{key}.Embeding", x), 3) for x in pair]
    v = [x.mean((2, 3)) for x in pair]
    part = lambda name, x: cbr(net, f"{key}.{name}", x)[0].flatten(1)  # noqa: E731
    gamma = [part("TRAG.gamma_temporal", x) for x in pair]
    beta = [part("TRAG.beta_temporal", x) for x in pair]
    a = [gamma[0].T @ beta[1], gamma[1].T @ beta[0]]
    theta = [F.conv1d(m[:, :, None], net.state[f"{key}.TRAG.theta_channel.0.weight"]) for m in v]
    theta = [t.relu()[:, :, 0] for t in theta]
    z = y = 0
    for i, j in ((0, 1), (1, 0)):
        rho = cbr(net, f"{key}.TRAG.gg_temporal", relation(a[i], a[j], size))
        epsilon = cbr(net, f"{key}.TRAG.tte_para", torch.cat([e[i], e[j]], 1))
        s = net.conv(f"{key}.TRAG.te_para.0", torch.cat([epsilon, rho], 1))
        s = net.norm(f"{key}.TRAG.te_para.1", s).sigmoid()
        c = mlp(net, f"{key}.TRAG.channel_para", torch.cat([theta[i], theta[j]], 1))
        z = z + c * s * pair[i]
        within = part("SRAG.alphi_appearance", pair[i]).T @ part("SRAG.delta_appearance", pair[i])
        rho = cbr(net, f"{key}.SRAG.gg_spatial", relation(within, within, size))
        s = cbr(net, f"{key}.SRAG.spa_para", torch.cat([e[i], rho], 1))
        s = net.norm(f"{key}.SRAG.spa_para.4", net.conv(f"{key}.SRAG.spa_para.3", s)).sigmoid()
        y = y + mlp(net, f"{key}.SRAG.app_channel", v[i]) * s * pair[i]
    y = z.relu() ** 2 + y.relu()
    y = cbr(net, f"{key}.conv_block", cbr(net, f"{key}.conv_block", y), 3, padding=1)
    return cbr(net, f"{key}.conv_block", y, 6)


def embedding(net, clip, levels):
    """Their vector of one clip, with the last of their three BatchNorms."""
    x = net.stem(clip, "base.conv1", "base.bn1")
    for stage, stride in STAGES:
        x = net.stage(f"base.layer{stage}", x, 1, stride)
    frames = list(cbr(net, "down_channel", x).split(1))
    means = []
    for level in range(1, levels + 1):
        pairs = zip(frames[::2], frames[1::2], strict=True)
        frames = [merge(net, f"layer{level}", pair) for pair in pairs]
        means.append(torch.stack(frames).mean((0, 3, 4)))
    return net.norm("bottleneck.2", sum(means) / levels)[0]


def converted(net, frames, size):
    """Our network with their tensors, and what was left out."""
    model = create("psta", backbone=SHALLOW, size=size, frames=frames).double().eval()
    found = convert(net.state, model.state_dict(), layout)
    model.load_state_dict(found.state)
    return model, found


@pytest.mark.parametrize(("frames", "levels", "size"), [(8, 3, (64, 32)), (2, 1, (256, 128))])
def test_a_converted_network_gives_the_authors_embedding(frames, levels, size):
    net = authors(cells=size[0] * size[1] // 256, levels=levels)
    model, _ = converted(net, frames, size)
    clip = net.draw(frames, 3, *size)
    with torch.no_grad():
        ours, theirs = model(clip[None]).embedding[0], embedding(net, clip, levels)
        gates = torch.cat([m.flatten() for m in model.attention(clip[None]).values()])
    assert gates.min() > 0.1 and gates.max() < 0.9
    assert ours.shape == (1024,) and (ours - theirs).norm() / theirs.norm() < 1e-6


def test_two_layers_of_one_shape_are_not_confused(monkeypatch):
    """With 128 cells, ρ and ε have weights of one shape: only values can tell them apart."""
    net = authors(cells=128, levels=1)
    parts = dict(layout._PARTS)
    gg, tte = "TRAG.gg_temporal", "TRAG.tte_para"
    assert net.state[f"layer1.{gg}.0.weight"].shape == net.state[f"layer1.{tte}.0.weight"].shape
    monkeypatch.setattr(layout, "_PARTS", parts | {gg: parts[tte], tte: parts[gg]})
    model, _ = converted(net, 2, (256, 128))  # swapped, it loads without a word
    clip = net.draw(2, 3, 256, 128)
    with torch.no_grad():
        ours, theirs = model(clip[None]).embedding[0], embedding(net, clip, 1)
    assert (ours - theirs).norm() / theirs.norm() > 1e-2


def test_every_tensor_of_the_whole_file_has_its_place_or_its_reason():
    state = {f"module.{k}": v for k, v in authors((3, 4, 6, 3), cells=128).state.items()}
    expected = create(layout.NETWORKS["psta"]).state_dict()
    found = convert(state, expected, layout)
    assert list(found.state) == list(expected)
    left_out = {line.rpartition(": ")[2]: line.count("module.") for line in found.dropped}
    assert left_out == {
        "the classifiers of the training persons; retrieval needs none": 6,
        "BatchNorm of the first level's head, for training only": 5,
        "BatchNorm of the second level's head, for training only": 5,
    }
    for theirs, ours in (
        ("layer1.TRAG.gg_temporal.0", "levels.0.between.relation.0"),
        ("layer3.TRAG.tte_para.0", "levels.2.between.joint.0"),
        ("base.layer3.5.conv2", "frames.layer3.5.conv2"),
        ("bottleneck.2", "head.neck"),
    ):
        assert torch.equal(found.state[f"{ours}.weight"], state[f"module.{theirs}.weight"])


def test_a_perceptron_of_pointwise_convolutions_fits_as_well():
    state = authors().state
    key = "layer2.SRAG.app_channel.2.weight"
    state[key] = state[key][:, :, None]  # [1024, 128, 1]
    expected = create("psta", backbone=SHALLOW, size=(64, 32)).state_dict()
    assert set(convert(state, expected, layout).state) == set(expected)


def test_a_strange_key_is_refused():
    net = authors()
    net.add("layer1.TRAG.omega.0", 3, 3)
    expected = create("psta", backbone=SHALLOW, size=(64, 32)).state_dict()
    with pytest.raises(ValueError, match=r"unknown: layer1\.TRAG\.omega\.0\.weight"):
        convert(net.state, expected, layout)
