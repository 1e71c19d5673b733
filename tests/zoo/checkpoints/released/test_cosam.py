"""COSAM's keys: a network of the authors' layout against ours after conversion."""

import pytest
import torch

from tests.zoo.checkpoints.released.authors_network import AuthorsNetwork
from zoo.checkpoints.convert import convert, from_released, network, read
from zoo.checkpoints.released import cosam as layout
from zoo.registry import create

MODULES = "attention_modules.attention_modules"
CLIP = (3, 64, 32)  # T, H, W: maps of 4 × 2 cells


def authors(layers, clip=CLIP):
    """Their ResNet-50 with these blocks: the trunk a numbered list, COSAMs at 2 and 3."""
    net, cells = AuthorsNetwork(), (clip[0] - 1) * (clip[1] // 16) * (clip[2] // 16)
    net.add_stem("base.0", "base.1")
    for stage, blocks in enumerate(layers, start=1):
        net.add_stage(f"base.{stage + 3}", stage, blocks)
    for place, channels in ((2, 1024), (3, 2048)):
        key = f"{MODULES}.{place}"
        net.add(f"{key}.dim_reduction.0", 256, channels, 1, 1, bias=True)
        net.add_norm(f"{key}.dim_reduction.1", 256)
        net.add(f"{key}.spatial_mask_summary.0", 64, cells, 1, 1, bias=True)
        net.add_norm(f"{key}.spatial_mask_summary.1", 64)
        net.add(f"{key}.spatial_mask_summary.3", 1, 64, 1, 1, bias=True)
        net.add(f"{key}.channelwise_attention.0", 256, channels, bias=True)
        net.add(f"{key}.channelwise_attention.2", channels, 256, bias=True)
    net.add("classifier", 7, 2048, bias=True)
    return net


def attend(net, key, x):
    """Their module for one clip, [T, C, H, W]."""
    r = net.norm(f"{key}.dim_reduction.1", net.conv(f"{key}.dim_reduction.0", x)).relu()
    r = (r - r.mean(1, keepdim=True)) / (r.std(1, keepdim=True) + 1e-4)
    masks = []
    for n in range(len(x)):
        others = torch.cat([r[m].flatten(1) for m in range(len(x)) if m != n], 1)  # [256, cells]
        volume = torch.einsum("ck,chw->khw", others, r[n])[None] / 256
        hidden = net.conv(f"{key}.spatial_mask_summary.0", volume)
        hidden = net.norm(f"{key}.spatial_mask_summary.1", hidden).relu()
        masks.append(net.conv(f"{key}.spatial_mask_summary.3", hidden).sigmoid())
    y = torch.cat(masks) * x
    first, last = (f"{key}.channelwise_attention.{i}" for i in (0, 2))
    hidden = (y.mean((2, 3)) @ net.state[f"{first}.weight"].T + net.state[f"{first}.bias"]).tanh()
    w = (hidden @ net.state[f"{last}.weight"].T + net.state[f"{last}.bias"]).sigmoid().mean(0)
    return y * (1 + w)[:, None, None]


def embedding(net, clip, layers):
    x = net.stem(clip, "base.0", "base.1")
    for stage, blocks in enumerate(layers, start=1):
        x = net.stage(f"base.{stage + 3}", x, blocks, stride=2 if stage in (2, 3) else 1)
        if stage > 2:
            x = attend(net, f"{MODULES}.{stage - 1}", x)
    return x.mean((0, 2, 3))


def test_a_converted_network_gives_the_authors_embedding():
    layers = (1, 2, 1, 2)
    net = authors(layers)
    frames, *size = CLIP
    model = create("cosam", backbone="resnet50[layers=1+2+1+2]", frames=frames, size=size).double()
    found = convert(net.state, model.state_dict(), layout)
    model.load_state_dict(found.state)
    clip = net.draw(*(frames, 3, *size))
    with torch.no_grad():
        ours, theirs = model.eval()(clip[None]).embedding[0], embedding(net, clip, layers)
    assert (ours - theirs).norm() / theirs.norm() < 1e-5
    assert len(found.dropped) == 1 and found.dropped[0].startswith("classifier.weight")


def test_the_released_size_fits_key_by_key(tmp_path):
    file = {"state_dict": authors((3, 4, 6, 3), (4, 256, 128)).state, "rank1": "NA", "epoch": 50}
    torch.save(file, tmp_path / "theirs.pth")
    expected = create(layout.NETWORKS["cosam"]).state_dict()
    assert list(convert(read(tmp_path / "theirs.pth"), expected, layout).state) == list(expected)


@pytest.mark.parametrize("kind", ["cosam_se_ta", "cosam_se_rnn"])
def test_the_se_layout_counts_its_modules_from_the_stem(kind, tmp_path):
    """Its COSAMs are numbers 3 and 4, where the other layout's are 2 and 3."""
    expected = network(kind, layout).state_dict()
    assert any(".se_module." in key for key in expected)
    parts = {ours: theirs for theirs, ours in layout._PARTS.items()}
    inner = {"spatial": "attention_conv", "temporal": "attention_tconv", "lstm": "lstm"}
    theirs = {}
    for key, value in expected.items():
        start, place, *rest = key.split(".")
        if start == "frames":
            stem = "layer0." if place in ("conv1", "bn1") else ""
            name = f"base.{stem}{'.'.join((place, *rest))}"
        elif start == "after":
            number = int(place.removeprefix("stage"))
            name = ".".join((MODULES, str(number), parts[rest[0]], *rest[1:]))
        else:
            name = ".".join(("aggregation", inner[place], *rest))
        theirs[name] = value
    assert f"{MODULES}.4.dim_reduction.0.weight" in theirs
    torch.save({"state_dict": theirs}, tmp_path / "theirs.pth")
    found = from_released(kind, tmp_path / "theirs.pth").state_dict()
    assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_a_module_of_another_kind_is_named_as_unknown():
    state = authors((1, 1, 1, 1)).state | {f"{MODULES}.2.extra.weight": torch.ones(1)}
    expected = create("cosam", backbone="resnet50[layers=1+1+1+1]", frames=3, size=(64, 32))
    with pytest.raises(ValueError, match=rf"unknown: {MODULES}\.2\.extra\.weight"):
        convert(state, expected.state_dict(), layout)
