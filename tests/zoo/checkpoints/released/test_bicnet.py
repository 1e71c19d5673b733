"""BiCnet-TKS's keys: a network of the authors' layout against ours after conversion."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.zoo.checkpoints.released.authors_network import AuthorsNetwork
from zoo.checkpoints.convert import convert, read
from zoo.checkpoints.released import bicnet as layout
from zoo.registry import create

HIGH, LOW = [0, 4], [1, 2, 3, 5, 6, 7]  # of eight frames


def authors(layers, rows=8):
    """Their network with these blocks; its 1×1 kernels, too, have three dimensions of size 1."""
    net = AuthorsNetwork(planes=True)
    net.add_stem()
    for stage, blocks in enumerate(layers, start=1):
        net.add_stage(f"layer{stage}", stage, blocks)
    for stage, channels in ((1, 256), (2, 512), (3, 1024)):
        net.add(f"layer{stage}_h2l", 3 * channels, channels, 1, 1, 1)
    net.add("TKS.conv1", 512, 512, 3, 1, 1)
    net.add("TKS.conv2", 512, 512, 3, 1, 1)
    net.add("TKS.fc1.0", 32, 512, 1, 1, 1)
    net.add_norm("TKS.fc1.1", 32)
    net.add("TKS.fc2", 1024, 32, 1, 1, 1)
    net.add_norm("TKS.W", 512)
    for i in (0, 1):
        net.add(f"DAO.conv.{i}", 1, 1024, 1, 1, 1, bias=True)
        net.add(f"DAO.conv1.{i}.conv", rows, rows, 1, 1, 1, bias=True)
        net.add_norm(f"DAO.conv1.{i}.bn", rows)
    for i in range(4):
        net.add_norm(f"DAO.W.{i}", 1024)
    net.add_norm("bn", 2048)
    net.add("classifier", 7, 2048, bias=True)
    return net


def kernels(net, high, low):
    """TKS on one clip: [2, C, H, W] and [6, C, H/2, W/2]."""
    small = high.new_empty(8, high.shape[1], high.shape[2] // 8, high.shape[3] // 8)
    small[HIGH], small[LOW] = F.avg_pool2d(high, 8), F.avg_pool2d(low, 4)
    u = small.transpose(0, 1)[None]  # [1, C, T, h, w]
    y1 = F.conv3d(u, net.state["TKS.conv1.weight"], padding=(1, 0, 0))
    y2 = F.conv3d(u, net.state["TKS.conv2.weight"], padding=(2, 0, 0), dilation=(2, 1, 1))
    e = (y1 + y2).mean((2, 3, 4), keepdim=True)
    hidden = net.norm("TKS.fc1.1", F.conv3d(e, net.state["TKS.fc1.0.weight"])).relu()
    a = F.conv3d(hidden, net.state["TKS.fc2.weight"]).reshape(2, 512).softmax(0)
    z = (a[0, :, None, None, None] * y1 + a[1, :, None, None, None] * y2)[0].transpose(0, 1)
    given = [
        net.norm("TKS.W", F.interpolate(z[which], scale_factor=by, mode="nearest"))
        for which, by in ((HIGH, 8), (LOW, 4))
    ]
    return high + given[0], low + given[1]


def attend(net, high, low):
    """DAO on one clip."""
    stripes = high.new_empty(8, 1024, low.shape[2])
    stripes[HIGH], stripes[LOW] = F.avg_pool2d(high, 2).mean(3), low.mean(3)
    added = torch.empty_like(stripes[:, :, 0])
    for t, s in enumerate(stripes):
        place = t % 4
        score = s.mean(0)
        if place > 1:
            i, state = place - 2, net.state
            v = state[f"DAO.conv.{i}.weight"].flatten() @ s + state[f"DAO.conv.{i}.bias"]
            m = state[f"DAO.conv1.{i}.conv.weight"].flatten(1) @ v
            score = net.norm(f"DAO.conv1.{i}.bn", (m + state[f"DAO.conv1.{i}.conv.bias"])[None])[0]
        added[t] = net.norm(f"DAO.W.{place}", (s @ score.softmax(0))[None])[0]
    added = added[:, :, None, None]
    return high + added[HIGH], low + added[LOW]


def embedding(net, clip, layers):
    x = net.stem(clip)
    high, low = x[HIGH], F.max_pool2d(x[LOW], 2)
    for stage, blocks in enumerate(layers, start=1):
        stride = 2 if stage in (2, 3) else 1
        high, low = (net.stage(f"layer{stage}", x, blocks, stride) for x in (high, low))
        if stage < 4:
            given = net.conv(f"layer{stage}_h2l", F.max_pool2d(high, 2))  # [2, 3*C, h, w]
            low = low + torch.cat([part for group in given for part in group[None].chunk(3, 1)])
        if stage == 2:
            high, low = kernels(net, high, low)
        if stage == 3:
            high, low = attend(net, high, low)
    feature = (high.amax((2, 3)).mean(0) + low.amax((2, 3)).mean(0)) / 2
    return net.norm("bn", feature[None])[0]


def test_a_converted_network_gives_the_authors_embedding():
    layers, size = (1, 1, 2, 1), (128, 64)
    net = authors(layers, rows=4)
    model = create("bicnet_tks", backbone="resnet50[layers=1+1+2+1]", size=size).double()
    found = convert(net.state, model.state_dict(), layout)
    model.load_state_dict(found.state)
    clip = net.draw(8, 3, *size)
    with torch.no_grad():
        ours, theirs = model.eval()(clip[None]).embedding[0], embedding(net, clip, layers)
    assert (ours - theirs).norm() / theirs.norm() < 1e-5
    assert [line.split(":")[0] for line in found.dropped] == ["classifier.weight, classifier.bias"]


def test_the_released_file_fits_key_by_key(tmp_path):
    file = {"state_dict": authors((3, 4, 6, 3)).state, "mAP": np.float64(0.86), "epoch": 149}
    torch.save(file, tmp_path / "theirs.pth.tar")
    expected = create(layout.NETWORKS["bicnet_tks"]).state_dict()
    found = convert(read(tmp_path / "theirs.pth.tar"), expected, layout)
    assert list(found.state) == list(expected)


def test_the_first_release_had_no_dao_and_is_refused():
    state = {k: v for k, v in authors((1, 1, 1, 1)).state.items() if not k.startswith("DAO.")}
    expected = create("bicnet_tks", backbone="resnet50[layers=1+1+1+1]").state_dict()
    with pytest.raises(ValueError, match=r"missing: dao\.mix\.0\.0\.bias"):
        convert(state, expected, layout)
    without = create("bicnet_tks[dao=false]", backbone="resnet50[layers=1+1+1+1]").state_dict()
    assert list(convert(state, without, layout).state) == list(without)
