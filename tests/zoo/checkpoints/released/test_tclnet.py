"""TCLNet's keys: a network of the authors' layout against ours after conversion."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.zoo.checkpoints.released.authors_network import AuthorsNetwork
from zoo.checkpoints.convert import convert, read
from zoo.checkpoints.released import tclnet as layout
from zoo.registry import create


def authors(layers):
    """Their network with these blocks in stages 1 to 3; the last always has three."""
    net = AuthorsNetwork(planes=True)
    net.add_stem()
    for stage, blocks in enumerate(layers, start=1):
        net.add_stage(f"layer{stage}", stage, blocks)
    net.planes = False  # from here on their kernels are plain
    net.add(f"layer2.{layers[1]}.W.0", 512, 512, 1, 1, bias=True)
    net.add_norm(f"layer2.{layers[1]}.W.1", 512)
    net.add_stage("TSE_Module.layer4", 4, 2)
    for i in (0, 1):
        net.add_block(f"TSE_Module.branch.{i}", 2048, 512, first=False)
        net.add_norm(f"bn.{i}", 2048)
        net.add(f"classifier.{i}", 7, 2048, bias=True)
    net.add("TSE_Module.conv_reduce", 1024, 2048, 1, 1)
    net.add("TSE_Module.conv_erase.0", 1024, 1024, 1, 1, bias=True)
    net.add_norm("TSE_Module.conv_erase.1", 1024)
    return net


def boost(net, key, x):
    """TSB on one clip, [T, C, H, W]."""
    query = F.normalize(x.mean((2, 3)), dim=1)
    window = F.avg_pool2d(F.pad(x, (1, 0, 1, 0)), 2, 1)
    scores = 5 * torch.einsum("tc,uchw->tuhw", query, F.normalize(window, dim=1))
    for t in range(len(x)):
        scores[t, t] = -1e8
    a = scores.flatten(1).softmax(1).reshape(scores.shape)
    v = torch.einsum("tuhw,uchw->tc", a, x)[:, :, None, None]
    return x + net.norm(f"{key}.1", net.conv(f"{key}.0", v))


def learn(net, i, x):
    x = net.stage("TSE_Module.layer4", x[None], 2, 1)
    return net.block(f"TSE_Module.branch.{i}", x)[0]


def erase(net, pair, rows):
    """TSE on one pair of maps, [C, H, W] each, with ``rows`` odd."""
    key = "TSE_Module.conv_erase"
    added = lambda v: net.norm(f"{key}.1", net.conv(f"{key}.0", v[None, :, None, None]))[0]  # noqa: E731
    x0, x1 = pair
    y0 = learn(net, 0, x0 + added(x0.mean((1, 2))))
    answer = net.conv("TSE_Module.conv_reduce", y0.mean((1, 2))[None, :, None, None])[0]
    f = (answer * x1).sum(0) / 32
    sums = F.pad(f.mean(1), (rows // 2, rows // 2)).unfold(0, rows, 1).sum(1)
    best = sums.argmax().item()
    keep = torch.ones(f.shape[0], dtype=torch.bool)
    keep[max(best - rows // 2, 0) : best + rows // 2 + 1] = False
    a = f[keep].flatten().softmax(0)
    pooled = x1[:, keep].flatten(1) @ a
    y1 = learn(net, 1, x1 * keep[None, :, None] + added(pooled))
    return y0.amax((1, 2)), y1.amax((1, 2)), best


def embedding(net, clip, layers, rows):
    """Their vector of one clip and the middle rows of what was erased."""
    x, found = net.stem(clip), []
    for stage, blocks in enumerate(layers, start=1):
        x = net.stage(f"layer{stage}", x, blocks, stride=1 if stage == 1 else 2)
        if stage == 2:
            x = boost(net, f"layer2.{blocks}.W", x)
    for pair in x.split(2):
        found.append(erase(net, pair, rows))
    first, second, best = zip(*found, strict=True)
    halves = [
        net.norm(f"bn.{i}", (sum(half) / len(half))[None]) for i, half in enumerate((first, second))
    ]
    return torch.cat(halves, 1)[0], best


def test_a_converted_network_gives_the_authors_embedding():
    layers = (1, 4, 1)  # TSB is number 4 of their layer2
    net = authors(layers)
    model = create("tclnet[erase_rows=3]", backbone="resnet50[layers=1+4+1+3]").double()
    found = convert(net.state, model.state_dict(), layout)
    model.load_state_dict(found.state)
    clip = net.draw(4, 3, 128, 64)
    with torch.no_grad():
        ours = model.eval()(clip[None]).embedding[0]
        kept = model.attention(clip[None])["kept_rows"][0, 1::2]  # of the second frames
        theirs, best = embedding(net, clip, layers, rows=3)
    middle = [
        [r for r in range(8) if abs(r - b) <= 1] for b in best
    ]  # what they erase, compared first
    assert [(row == 0).nonzero().flatten().tolist() for row in kept] == middle
    assert (ours - theirs).norm() / theirs.norm() < 1e-5
    assert [line.count("classifier.") for line in found.dropped] == [4]


def test_the_released_file_fits_key_by_key(tmp_path):
    file = {"state_dict": authors((3, 4, 6)).state, "rank1": np.float32(0.9), "epoch": 149}
    torch.save(file, tmp_path / "theirs.pth.tar")
    expected = create(layout.NETWORKS["tclnet"]).state_dict()
    assert list(convert(read(tmp_path / "theirs.pth.tar"), expected, layout).state) == list(
        expected
    )


def test_half_a_neck_is_missed():
    state = authors((1, 4, 1)).state
    del state["bn.1.running_var"]
    expected = create("tclnet", backbone="resnet50[layers=1+4+1+3]").state_dict()
    with pytest.raises(ValueError, match=r"missing: head\.neck\.running_var"):
        convert(state, expected, layout)
