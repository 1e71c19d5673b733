"""SINet's salient-to-broad module against its steps, cell by cell in float64."""

import copy

import pytest
import torch

from methods.saliency import SalientToBroad, damping, exchange, responses

C, ROWS, COLUMNS = 12, 5, 4
CELLS = ROWS * COLUMNS


@pytest.fixture
def module(wake):
    """Split after a frame; the kernel's activation lets about half of the values pass."""

    def build(split):
        torch.manual_seed(split)
        return wake(SalientToBroad(C, split))

    return build


def group_by_hand(module, x):
    """One group [4, C, H, W] -> the same, what is kept [l, H, W] and the kernel [C, 3, 3]."""
    e, late = module.early, 4 - module.early
    mean = x.mean((0, 2, 3))
    first, _, second, _ = module.gate
    squeezed = (first.weight @ mean + first.bias).relu()
    se = 1 / (1 + (-(second.weight @ squeezed + second.bias)).exp())
    g = torch.zeros(C, dtype=x.dtype)
    for c in range(C):  # step 1
        inner = [x[t, c, i, j] for t in range(4) for i in range(1, ROWS - 1) for j in (1, 2)]
        if sum(inner) / len(inner) / (mean[c] + 1e-8) > 1:
            g[c] = se[c]
    conv, norm, _ = module.kernel
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    cells, w = [], []  # step 2
    for t in range(e):
        for i in range(ROWS):
            for j in range(COLUMNS):
                cells.append((x[t, :, i, j] * g).relu())
                nine = conv.weight[:, :, 0, 0] @ cells[-1]
                nine = ((nine - norm.running_mean) * scale + norm.bias).relu()
                w.append(nine / nine.sum().clamp_min(1e-12))
    w = torch.stack(w)  # [e*H*W, 9]
    w = w / w.sum(0).clamp_min(1e-12)
    kernel = sum(cell[:, None] * nine for cell, nine in zip(cells, w, strict=True))  # step 3
    kernel = kernel.view(C, 3, 3)
    kept = torch.zeros(late, ROWS, COLUMNS, dtype=x.dtype)
    for t in range(late):  # steps 4 and 5
        r = torch.zeros(ROWS, COLUMNS, dtype=x.dtype)
        for i in range(ROWS):
            for j in range(COLUMNS):
                for row in range(3):
                    for column in range(3):
                        i_, j_ = i + row - 1, j + column - 1  # beyond the border: its nearest cell
                        i_, j_ = min(max(i_, 0), ROWS - 1), min(max(j_, 0), COLUMNS - 1)
                        near = (x[e + t, :, i_, j_] * g).relu()
                        r[i, j] += kernel[:, row, column] @ near / 9
        s = ((r - r.max()).exp() / (r - r.max()).exp().sum()).clamp_min(1e-4)
        for i in range(ROWS):
            for j in range(COLUMNS):
                u = 1 / (s[i, j] * CELLS)
                kept[t, i, j] = (5 * (u - 1)).exp() if u < 1 else 1
    damped = 1 - kept  # step 6
    lost = (damped[:, None] * x[e:]).mean((0, 2, 3)) / damped.mean()
    seen = x[:e].mean((0, 2, 3))
    early = x[:e] + 0.1 * lost[:, None, None]
    broad = x[e:] * kept[:, None] + 0.1 * seen[:, None, None]
    return torch.cat([early, broad]), kept, kernel


@pytest.mark.parametrize("split", [0, 1, 2])
def test_it_is_its_steps_cell_by_cell(module, draw, error, split):
    layer = module(split)
    twin, x = copy.deepcopy(layer).double(), 2 * draw(16, C, ROWS, COLUMNS).relu()  # 2 clips of 8
    with torch.no_grad():
        maps = {}
        found = layer(x, 8, maps=maps, name="sbm")
        groups = [group_by_hand(twin, x[i : i + 4].double()) for i in (0, 4, 8, 12)]
    assert error(found, torch.cat([group for group, *_ in groups])) < 1e-5
    kept = torch.cat(
        [torch.cat([torch.ones(split + 1, ROWS, COLUMNS), kept.float()]) for _, kept, _ in groups]
    )
    assert error(maps["sbm_kept"].flatten(0, 1), kept.double()) < 1e-5
    assert kept.min() < 0.9  # something is damped, or this would show nothing
    for _, _, kernel in groups:  # nor would a kernel that is the same in all directions
        for other in (kernel.flip(1), kernel.flip(2), kernel.transpose(1, 2)):
            assert (kernel - other).norm() > 0.1 * kernel.norm()


def test_responses_are_a_correlation_with_replicated_borders(draw):
    kernel = torch.zeros(1, 1, 9, dtype=torch.float64)
    kernel[0, 0, 2] = 9  # row 0, column 2: the cell above to the right
    late = draw(1, 2, 1, 3, 3).double()
    found = responses(kernel, late)[0]
    for i in range(3):
        for j in range(3):
            wanted = late[0, :, 0, max(i - 1, 0), min(j + 1, 2)]
            assert torch.allclose(found[:, i, j], wanted)


def test_damping_spares_what_is_below_average_and_stops_at_exp_minus_5():
    response = torch.zeros(1, 1, 4, 4, dtype=torch.float64)
    response[0, 0, 1, 2] = 50.0
    kept = damping(response)[0, 0]
    assert kept[1, 2].item() == pytest.approx(torch.tensor(5 * (1 / 16 - 1)).exp().item())
    kept[1, 2] = 1
    assert (kept == 1).all()


def test_an_exactly_uniform_salience_damps_nothing_and_divides_nothing_by_0(draw):
    early, late = (draw(2, n, C, 3, 3).requires_grad_() for n in (1, 3))
    response = torch.zeros(2, 3, 3, 3, requires_grad=True)
    new_early, new_late = exchange(early, late, damping(response)[:, :, None])
    assert torch.equal(new_early, early)
    assert torch.allclose(new_late, late + 0.1 * early.mean((1, 3, 4), keepdim=True))
    (new_early.sum() + new_late.sum()).backward()
    for tensor in (early, late, response):
        assert tensor.grad.isfinite().all()


def test_a_clip_without_any_light_stays_finite(module):
    layer, x = module(1), torch.zeros(4, C, ROWS, COLUMNS, requires_grad=True)
    out = layer(x, 4)
    out.sum().backward()
    assert not out.any() and x.grad.isfinite().all()


def test_the_nine_of_a_cell_are_normalised_before_the_cells(module, draw):
    """Else the shares of the early cells would each sum to 1 over the nine instead."""
    layer, early = module(2), draw(1, 3, C, ROWS, COLUMNS).relu()
    with torch.no_grad():
        layer.kernel[0].weight[0] *= 100  # one of the nine far above the others
        kernel, shares = layer.kernel_of(early)
    assert shares.sum().item() == pytest.approx(1, abs=1e-5)
    weights = layer.kernel(early[0]).transpose(0, 1).flatten(1)  # [9, e*H*W]
    once = weights / weights.sum(0).clamp_min(1e-12)
    wanted = once / once.sum(1, keepdim=True).clamp_min(1e-12)
    cells = early[0].transpose(0, 1).flatten(1)  # [C, e*H*W]
    assert torch.allclose(kernel[0], cells @ wanted.T, atol=1e-5)
    swapped = weights / weights.sum(1, keepdim=True).clamp_min(1e-12)
    swapped = swapped / swapped.sum(0).clamp_min(1e-12)
    assert not torch.allclose(kernel[0], cells @ swapped.T, rtol=0.05)


def test_the_order_of_the_frames_matters(module, draw):
    layer, x = module(1), draw(4, C, ROWS, COLUMNS).relu()
    with torch.no_grad():
        plain = layer(x, 4)
        other = layer(x[[0, 2, 1, 3]], 4)[[0, 2, 1, 3]]
    assert not torch.allclose(plain, other, rtol=1e-2)


def test_groups_of_four_know_nothing_of_each_other(module, draw):
    layer, x = module(0), draw(8, C, ROWS, COLUMNS).relu()
    with torch.no_grad():
        whole = layer(x, 8)
        for part in (slice(0, 4), slice(4, 8)):
            assert torch.allclose(whole[part], layer(x[part], 4), atol=1e-6)


def test_early_shares_sum_to_1_in_each_group_and_late_ones_are_0(module, draw):
    layer, maps = module(1), {}
    with torch.no_grad():
        layer.kernel[1].bias.fill_(5)  # none of the nine is 0 everywhere
        layer(draw(8, C, ROWS, COLUMNS).relu(), 8, maps=maps, name="sbm")
    shares = maps["sbm_kernel_shares"].unflatten(1, (2, 4))  # [B, groups, 4, H, W]
    assert shares.shape == (1, 2, 4, ROWS, COLUMNS)
    assert torch.allclose(shares.sum((2, 3, 4)), torch.ones(1, 2), atol=1e-5)
    assert not shares[:, :, 2:].any()


def test_half_precision_goes_in_and_comes_out_and_float32_is_between(module, draw):
    layer, x = module(1), draw(4, C, ROWS, COLUMNS).relu()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        found = layer(x.bfloat16(), 4)
    with torch.no_grad():
        assert torch.equal(found, layer(x.bfloat16().float(), 4).bfloat16())


def test_weights_start_from_the_number_of_outputs():
    layer = SalientToBroad(1024, 0)
    assert layer.gate[0].weight.std().item() == pytest.approx((2 / 256) ** 0.5, rel=0.01)
    assert layer.gate[2].weight.std().item() == pytest.approx((2 / 1024) ** 0.5, rel=0.01)
    assert layer.kernel[0].weight.std().item() == pytest.approx((2 / 9) ** 0.5, rel=0.03)


def test_a_split_without_late_frames_is_refused():
    with pytest.raises(ValueError, match="split is 3, expected 0, 1 or 2"):
        SalientToBroad(8, 3)
