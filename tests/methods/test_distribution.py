"""IDM and SANet's block against their equations, position by position in float64."""

import copy

import pytest
import torch

from methods.distribution import IntegrateDistribution, MomentAttention, moments

C, FRAMES, ROWS, COLUMNS = 32, 3, 4, 4
POSITIONS = FRAMES * ROWS * COLUMNS


def normed(norm, values):
    """BatchNorm in evaluation, on a vector of its channels."""
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (values - norm.running_mean) * scale + norm.bias


def places():
    """Time, row and column in the order of the positions."""
    return [(t, i, j) for t in range(FRAMES) for i in range(ROWS) for j in range(COLUMNS)]


def test_idm_is_its_equations_position_by_position(wake, draw, error):
    layer = wake(IntegrateDistribution(C, POSITIONS))
    x = draw(2 * FRAMES, C, ROWS, COLUMNS).relu()
    twin, wanted = copy.deepcopy(layer).double(), []
    for clip in x.double().unflatten(0, (2, FRAMES)):
        conv, norm = twin.narrow
        a = torch.stack(
            [normed(norm, conv.weight[:, :, 0, 0] @ clip[t, :, i, j]) for t, i, j in places()]
        )  # [N, c]
        columns = []
        for column in a.T:  # [N], the same map for each of the c columns
            b = normed(twin.gather[1], twin.gather[0].weight[:, :, 0] @ column)
            columns.append(twin.spread.weight[:, :, 0] @ b + twin.spread.bias + column)
        d = torch.stack(columns, 1)  # [N, c]
        out = clip.clone()
        for row, (t, i, j) in zip(d, places(), strict=True):
            out[t, :, i, j] += twin.widen.weight[:, :, 0, 0] @ row + twin.widen.bias
        wanted.append(out.relu())
    with torch.no_grad():
        assert error(layer(x, FRAMES), torch.cat(wanted)) < 1e-5


def test_idm_starts_as_the_identity_of_what_a_relu_lets_pass(draw):
    layer, x = IntegrateDistribution(C, POSITIONS).eval(), draw(FRAMES, C, ROWS, COLUMNS)
    assert torch.equal(layer(x, FRAMES), x.relu())


def test_idm_has_a_sixteenth_of_the_channels_and_positions():
    layer = IntegrateDistribution(512, 2048)
    assert layer.narrow[0].weight.shape == (32, 512, 1, 1)
    assert layer.gather[0].weight.shape == (128, 2048, 1)
    assert layer.spread.weight.shape == (2048, 128, 1) and layer.spread.bias is not None
    for part, outputs in ((layer.narrow[0], 32), (layer.gather[0], 128), (layer.spread, 2048)):
        assert part.weight.std().item() == pytest.approx((2 / outputs) ** 0.5, rel=0.02)


def test_sanet_is_its_equations_position_by_position(wake, draw, error):
    layer, x = wake(MomentAttention(C)), draw(2 * FRAMES, C, ROWS, COLUMNS).relu()
    twin, wanted, maps = copy.deepcopy(layer).double(), [], {}
    found = layer(x, FRAMES, maps=maps, name="sa")
    weights = torch.zeros(2, 5, FRAMES, ROWS, COLUMNS, dtype=torch.float64)
    for n, clip in enumerate(x.double().unflatten(0, (2, FRAMES))):
        z = torch.stack(
            [
                twin.down.weight[:, :, 0, 0] @ clip[t, :, i, j] + twin.down.bias
                for t, i, j in places()
            ]
        )  # [N, C/4]
        centred = z - sum(z) / POSITIONS
        std = (sum(centred**2) / POSITIONS).sqrt()
        five = [sum(z) / POSITIONS, std]
        five += [sum(centred**k) / POSITIONS / std**k for k in (4, 5, 6)]
        five = torch.stack([vector / vector.square().sum().sqrt() for vector in five])
        out = clip.clone()
        for cell, (t, i, j) in zip(z, places(), strict=True):
            f = (five @ cell).exp() / (five @ cell).exp().sum()
            weights[n, :, t, i, j] = f
            out[t, :, i, j] += normed(twin.up[1], twin.up[0].weight[:, :, 0, 0] @ (f @ five))
        wanted.append(out.relu())
    assert error(found, torch.cat(wanted)) < 1e-5
    names = ("mean", "deviation", "moment4", "moment5", "moment6")
    assert list(maps) == [f"sa_{name}_gates" for name in names]
    assert error(torch.stack(list(maps.values()), 1), weights) < 1e-5


def test_sanet_starts_as_the_identity_of_what_a_relu_lets_pass(draw):
    layer, x = MomentAttention(C).eval(), draw(FRAMES, C, ROWS, COLUMNS)
    assert torch.equal(layer(x, FRAMES), x.relu())


def test_a_constant_channel_divides_nothing_by_0(draw):
    z = draw(2, 9, 4)
    z[:, :, 1] = 3.0
    z.requires_grad_()
    five = moments(z)
    five.sum().backward()
    assert five.isfinite().all() and z.grad.isfinite().all()
    assert not five[:, 2:, 1].any()
    assert torch.allclose(five.norm(dim=2), torch.ones(2, 5), atol=1e-5)


def test_a_third_moment_or_a_variance_would_be_another_layer(draw):
    z = draw(1, 50, 3)
    five = moments(z)[0]
    standard = (z[0] - z[0].mean(0)) / z[0].std(0, correction=0)
    for row, wrong in ((1, z[0].var(0)), (2, (standard**3).mean(0))):
        assert not torch.allclose(five[row], wrong / wrong.norm(), atol=1e-3)


def test_frames_in_another_order_change_idm_and_not_sanet(wake, draw):
    x, order = draw(FRAMES, C, ROWS, COLUMNS).relu(), [2, 0, 1]
    for layer, same in (
        (IntegrateDistribution(C, POSITIONS), False),
        (MomentAttention(C), True),
    ):
        layer = wake(layer)
        with torch.no_grad():
            shuffled = layer(x[order], FRAMES)
            assert torch.allclose(shuffled, layer(x, FRAMES)[order], atol=1e-5) == same
