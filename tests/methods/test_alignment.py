"""Alignment and the temporal convolutions against their equations, written out cell by cell."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from methods.alignment import Alignment, TemporalConv, neighbour

FRAMES, SIZE, CHANNELS = 3, (4, 3), 32


def dot(a, b):
    return sum(p * q for p, q in zip(a.tolist(), b.tolist(), strict=True))


def unit(vector):
    return vector / math.sqrt(dot(vector, vector))


def aligned(module, own, other):
    """Frame ``other`` as frame ``own`` sees it, both [C, h, w] in float64; and A, and c."""
    similarity = module.similarity.weight.flatten(1)  # [C/16, C]
    _, rows, columns = own.shape
    out, gates = torch.zeros_like(own), torch.ones(rows, columns, dtype=own.dtype)
    looks = torch.zeros(rows, columns, rows, columns, dtype=own.dtype)
    places = [(r, c) for r in range(rows) for c in range(columns)]
    for r, c in places:
        e = unit(similarity @ own[:, r, c])
        powers = [
            math.exp(module.temperature * dot(e, unit(similarity @ other[:, p, q])))
            for p, q in places
        ]
        for (p, q), power in zip(places, powers, strict=True):
            looks[r, c, p, q] = power / sum(powers)
            out[:, r, c] += looks[r, c, p, q] * other[:, p, q]
        if module.gate:
            product = (module.gate_own.weight.flatten(1) @ own[:, r, c]) * (
                module.gate_found.weight.flatten(1) @ out[:, r, c]
            )
            score = dot(module.gate_out.weight.flatten(), product)
            gates[r, c] = 1 / (1 + math.exp(-score))
    return gates * out, looks, gates


def neighbours(x, frames, module=None):
    """Every frame's neighbours, [B*T, C, h, w] twice, aligned where a module is given."""
    found = []
    for offset in (-1, 1):
        maps = torch.zeros_like(x)
        for i in range(len(x)):
            if 0 <= i % frames + offset < frames:
                other = x[i + offset]
                maps[i] = other if module is None else aligned(module, x[i], other)[0]
        found.append(maps)
    return found


def drawn(module):
    """The same module in float64 with weights of a size that matters."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.3, generator=generator)
    return module.double()


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
@pytest.mark.parametrize("arguments", [{}, {"gate": False}, {"temperature": 1.5}])
def test_alignment_is_its_equations(draw, error, arguments, frames):
    module, x = drawn(Alignment(CHANNELS, **arguments)), draw(2 * frames, CHANNELS, *SIZE).double()
    with torch.no_grad():
        for found, wanted in zip(module(x, frames), neighbours(x, frames, module), strict=True):
            if frames == 1:
                assert not found.any()
            else:
                assert error(found, wanted) < 1e-12


def test_there_is_nothing_beyond_the_ends_of_a_clip(draw):
    x = draw(2 * FRAMES, CHANNELS, *SIZE)
    before, after = Alignment(CHANNELS)(x, FRAMES)
    assert not before[0].any() and not before[FRAMES].any()
    assert not after[FRAMES - 1].any() and not after[-1].any()
    assert all(before[i].any() for i in (1, 2, 4, 5)) and all(after[i].any() for i in (0, 1, 3, 4))
    assert torch.equal(neighbour(x, FRAMES, -1)[1], x[0])
    assert torch.equal(neighbour(x, FRAMES, 1)[0], x[1])


def test_where_a_neighbours_cells_stand_does_not_matter(draw):
    """What was shifted between two frames is found again."""
    module, x = drawn(Alignment(CHANNELS)), draw(2, CHANNELS, *SIZE).double()
    moved = torch.stack([x[0], x[1].roll((1, 2), (1, 2)).flip(2)])
    with torch.no_grad():
        assert torch.allclose(module(x, 2)[1][0], module(moved, 2)[1][0], atol=1e-12)
        assert not torch.allclose(module(x, 2)[0][1], module(moved, 2)[0][1], atol=1e-3)


def test_length_of_a_cell_does_not_change_where_is_looked(draw):
    module, x, maps = drawn(Alignment(CHANNELS, gate=False)), draw(3, CHANNELS, *SIZE).double(), {}
    with torch.no_grad():
        module(x, 3, maps=maps, name="as it is")
        module(x * torch.rand(3, 1, *SIZE).double().add(0.5), 3, maps=maps, name="scaled")
    assert torch.allclose(maps["as it is"], maps["scaled"], atol=1e-12)


def test_no_gradient_reaches_the_features_through_the_gate(draw):
    module, x = drawn(Alignment(CHANNELS)), draw(FRAMES, CHANNELS, *SIZE).double()
    x.requires_grad_()
    before, after = module(x, FRAMES)
    goal = draw(2, *before.shape).double()
    (goal[0] * before + goal[1] * after).sum().backward()
    gates = torch.zeros(2, FRAMES, 1, *SIZE, dtype=torch.float64)
    for i, offset in enumerate((-1, 1)):
        for t in range(FRAMES):
            if 0 <= t + offset < FRAMES:
                gates[i, t, 0] = aligned(module, x[t].detach(), x[t + offset].detach())[2]
    fixed = drawn(Alignment(CHANNELS, gate=False))
    fixed.load_state_dict({"similarity.weight": module.similarity.weight.detach()})
    twin = x.detach().clone().requires_grad_()
    before, after = fixed(twin, FRAMES)
    (goal[0] * gates[0] * before + goal[1] * gates[1] * after).sum().backward()
    assert torch.allclose(x.grad, twin.grad, atol=1e-12)
    assert torch.allclose(module.similarity.weight.grad, fixed.similarity.weight.grad, atol=1e-12)
    for part in (module.gate_own, module.gate_found, module.gate_out):  # the gate itself learns
        assert part.weight.grad.norm() > 1e-3


@pytest.mark.parametrize("frames", [1, 2, 4, 5])
@pytest.mark.parametrize("gate", [True, False])
def test_noted_attention_is_the_gate_times_the_softmax(draw, frames, gate):
    module, maps = drawn(Alignment(CHANNELS, gate=gate)), {}
    x, middle = draw(2 * frames, CHANNELS, *SIZE).double(), frames // 2
    with torch.no_grad():
        module(x, frames, maps=maps, name="here")
    assert maps["here"].shape == (2, 3, frames, *SIZE)
    wanted = torch.zeros_like(maps["here"])
    for b in range(2):
        clip = x[b * frames : (b + 1) * frames]
        for t in {middle - 1, middle + 1} & set(range(frames)):
            _, looks, gates = aligned(module, clip[middle], clip[t])
            for cell, row in enumerate((1, 2, 3)):  # of four rows; the middle one of three columns
                wanted[b, cell, t] = gates[row, 1] * looks[row, 1]
    assert torch.allclose(maps["here"], wanted, atol=1e-12)


@pytest.mark.parametrize(("channels", "narrow"), [(256, 16), (128, 8), (64, 4), (16, 2), (3, 2)])
def test_cells_are_compared_in_a_sixteenth_of_the_channels(channels, narrow):
    module = Alignment(channels)
    shapes = {name: list(p.shape) for name, p in module.named_parameters()}
    wide = [narrow, channels, 1, 1]
    assert shapes == {
        "similarity.weight": wide,
        "gate_own.weight": wide,
        "gate_found.weight": wide,
        "gate_out.weight": [1, narrow, 1, 1],
    }
    assert list(Alignment(channels, gate=False).state_dict()) == ["similarity.weight"]


# ---- temporal convolutions -----------------------------------------------------------------------


def spatial(stride=1, inside=CHANNELS, out=20, groups=1):
    """S, in float64."""
    return nn.Conv2d(inside, out, 3, stride, 1, groups=groups, bias=False).double()


def by_hand(module, conv, x, frames):
    """A frame after the other, as the module's docstring writes it."""
    y = conv(x)
    source = x if module.kind in ("I3D", "B") else y
    before, after = neighbours(source, frames, module.alignment)
    terms = [(module.before, before), (module.after, after)]
    terms += [] if module.kind == "I3D" else [(module.own, source)]
    out = []
    for t in range(len(x)):
        here = 0 if module.kind == "A" else y[t]
        for tap, value in terms:
            if module.kind == "I3D":
                here = here + F.conv2d(value[t], tap.weight, None, conv.stride, 1, 1, conv.groups)
            else:  # a kernel of one cell: a product at every cell that the stride leaves
                step = conv.stride[0] if module.kind == "B" else 1
                kernel, left = tap.weight[:, :, 0, 0], value[t][:, ::step, ::step]
                here = here + torch.einsum("oc,chw->ohw", kernel, left)
        out.append(here)
    return torch.stack(out)


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("with_alignment", [False, True])
@pytest.mark.parametrize("kind", ["I3D", "A", "B", "C"])
def test_kinds_are_what_is_written(draw, error, kind, with_alignment, stride, frames):
    conv = spatial(stride)
    module = drawn(TemporalConv(conv, kind, aligned=with_alignment))
    x = draw(2 * frames, CHANNELS, 4, 2).double()
    with torch.no_grad():
        found = module(conv, x, frames)
        assert error(found, by_hand(module, conv, x, frames)) < 1e-12
        if kind != "I3D" or frames > 1:  # there is something to be wrong about
            assert error(found, conv(x)) > 0.1


@pytest.mark.parametrize("kind", ["I3D", "A", "B", "C"])
def test_taps_are_the_previous_frame_its_own_and_the_next(draw, error, kind):
    """Without alignment, all kinds are 3D convolutions with zeros before and after the clip."""
    conv = spatial(2)
    module = drawn(TemporalConv(conv, kind, aligned=False))
    x = draw(FRAMES, CHANNELS, 4, 6).double()
    y = conv(x)
    middle = conv if kind == "I3D" else module.own
    kernel = torch.stack([t.weight for t in (module.before, middle, module.after)], 2)
    volume = (x if kind in ("I3D", "B") else y).transpose(0, 1)[None]  # [1, C, T, H, W]
    stride = (1, 2, 2) if kind in ("I3D", "B") else 1
    space = 1 if kind == "I3D" else 0
    temporal = F.conv3d(volume, kernel, None, stride, (1, space, space))[0].transpose(0, 1)
    assert error(module(conv, x, FRAMES), temporal + (y if kind in ("B", "C") else 0)) < 1e-12


@pytest.mark.parametrize("with_alignment", [False, True])
@pytest.mark.parametrize("kind", ["I3D", "A", "B", "C"])
def test_new_temporal_convolution_changes_nothing(draw, kind, with_alignment):
    conv, x = spatial(2).float(), draw(FRAMES, CHANNELS, 4, 6)
    module = TemporalConv(conv, kind, aligned=with_alignment)
    assert torch.allclose(module(conv, x, FRAMES), conv(x), atol=1e-6)
    assert not module.before.weight.any() and not module.after.weight.any()


def test_grouped_convolution_has_grouped_temporal_taps(draw, error):
    conv = spatial(groups=4)
    module, x = drawn(TemporalConv(conv, "I3D", aligned=True)), draw(4, CHANNELS, 4, 2).double()
    assert module.before.weight.shape == conv.weight.shape == (20, CHANNELS // 4, 3, 3)
    with torch.no_grad():
        assert error(module(conv, x, 2), by_hand(module, conv, x, 2)) < 1e-12


def test_spatial_kernel_belongs_to_the_block_alone():
    conv = spatial()
    for kind in ("I3D", "A", "B", "C"):
        own = copy.deepcopy(TemporalConv(conv, kind, aligned=True))
        assert all(p is not conv.weight for p in own.parameters())
        assert ("own.weight" in own.state_dict()) == (kind != "I3D")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "D", "aligned": False}, "kind is 'D', expected one of I3D, A, B, C"),
        ({"kind": "C", "aligned": True, "temperature": 0}, "temperature is 0, expected .* above 0"),
        ({"kind": "C", "aligned": True, "temperature": float("nan")}, "temperature is nan"),
    ],
)
def test_what_is_out_of_range_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TemporalConv(spatial(), **arguments)
