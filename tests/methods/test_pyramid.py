"""A level of PSTA's pyramid against its equations, cell by cell in float64."""

import copy

import pytest
import torch
import torch.nn.functional as F

from methods.pyramid import Level, relations

C, ROWS, COLUMNS = 16, 3, 2
CELLS = ROWS * COLUMNS


@pytest.fixture
def level(wake):
    return wake(Level(C, CELLS))


def normed(norm, values):
    """BatchNorm in evaluation, on a vector of its channels."""
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (values - norm.running_mean) * scale + norm.bias


def cbr(layers, vector, start=0):
    """Convolution 1×1, BatchNorm, ReLU on the vector of one cell."""
    conv, norm = layers[start], layers[start + 1]
    return normed(norm, conv.weight[:, :, 0, 0] @ vector).relu()


def mlp(layers, vector):
    first, _, last = layers
    return last.weight @ (first.weight @ vector + first.bias).relu() + last.bias


def related(mine, theirs, my_keys, their_queries):
    """R of one frame, [n, 2n]: from me to their cells, then from their cells to me."""
    return torch.stack(
        [
            torch.stack(
                [mine[p] @ theirs[k] for k in range(CELLS)]
                + [their_queries[k] @ my_keys[p] for k in range(CELLS)]
            )
            for p in range(CELLS)
        ]
    )


def pair_by_hand(level, frames):
    """Two frames [2, C, H, W] to what comes before the bottleneck, Y [C, H, W], and both gates."""
    cells = [frame.flatten(1).T for frame in frames]  # [n, C] each
    e = [
        torch.stack([cbr(level.embed, cbr(level.embed, cell), 3) for cell in frame])
        for frame in cells
    ]
    v = [frame.mean(0) for frame in cells]
    tra, sra = level.between, level.within
    gamma = [torch.stack([cbr(tra.gamma, cell) for cell in frame]) for frame in cells]
    beta = [torch.stack([cbr(tra.beta, cell) for cell in frame]) for frame in cells]
    alpha = [torch.stack([cbr(sra.alpha, cell) for cell in frame]) for frame in cells]
    delta = [torch.stack([cbr(sra.delta, cell) for cell in frame]) for frame in cells]
    theta = [(tra.theta.weight[:, :, 0] @ mean).relu() for mean in v]
    z, y, gates = 0, 0, ([], [])
    for i, j in ((0, 1), (1, 0)):
        between = related(gamma[i], beta[j], beta[i], gamma[j])
        within = related(alpha[i], delta[i], delta[i], alpha[i])
        c = mlp(tra.channel, torch.cat([theta[i], theta[j]])).sigmoid()
        own_c = mlp(sra.channel, v[i]).sigmoid()
        s, own_s = [], []
        for p in range(CELLS):
            epsilon = cbr(tra.joint, torch.cat([e[i][p], e[j][p]]))
            joined = torch.cat([epsilon, cbr(tra.relation, between[p])])
            s.append(normed(tra.gate[1], tra.gate[0].weight[:, :, 0, 0] @ joined).sigmoid())
            joined = torch.cat([e[i][p], cbr(sra.relation, within[p])])
            thin = cbr(sra.gate, joined)
            own_s.append(normed(sra.gate[4], sra.gate[3].weight[:, :, 0, 0] @ thin).sigmoid())
        s, own_s = torch.stack(s), torch.stack(own_s)  # [n, 1]
        z = z + c * s * cells[i]
        y = y + own_c * own_s * cells[i]
        gates[0].append(s.view(ROWS, COLUMNS))
        gates[1].append(own_s.view(ROWS, COLUMNS))
    merged = z.relu() ** 2 + y.relu()  # [n, C]
    return merged.T.unflatten(1, (ROWS, COLUMNS)), *(torch.stack(g) for g in gates)


def refined(layers, x):
    """The bottleneck without a residual, [C, H, W]."""
    for start, padding in ((0, 0), (3, 1), (6, 0)):
        x = F.conv2d(x[None], layers[start].weight, padding=padding)[0]
        x = normed(layers[start + 1], x.movedim(0, -1)).movedim(-1, 0).relu()
    return x


def test_a_level_is_its_equations_cell_by_cell(level, draw, error):
    x = draw(2, 4, C, ROWS, COLUMNS).relu()
    twin = copy.deepcopy(level).double()
    maps = {}
    with torch.no_grad():
        found = level(x, maps, "level1")
        pairs = [
            [pair_by_hand(twin, clip[start : start + 2]) for start in (0, 2)] for clip in x.double()
        ]
        wanted = [[refined(twin.refine, merged) for merged, *_ in clip] for clip in pairs]
    assert error(found, torch.stack([torch.stack(clip) for clip in wanted])) < 1e-5
    for place, kind in enumerate(("pair", "frame"), start=1):
        gates = torch.stack([torch.cat([pair[place] for pair in clip]) for clip in pairs])
        assert error(maps[f"level1_{kind}_gates"], gates) < 1e-5


@pytest.mark.parametrize("across", [True, False])
def test_relations_are_dot_products_from_a_cell_and_to_it(draw, across):
    q, k = (draw(3, 2, 5, ROWS, COLUMNS).double() for _ in range(2))
    found = relations(q, k, across=across).flatten(3)  # [P, 2, 2n, n]
    for pair in range(3):
        for i in (0, 1):
            j = 1 - i if across else i
            mine, theirs = q[pair, i].flatten(1).T, k[pair, j].flatten(1).T
            wanted = related(mine, theirs, k[pair, i].flatten(1).T, q[pair, j].flatten(1).T)
            assert torch.allclose(found[pair, i].T, wanted)


def test_relations_stay_in_range_under_autocast(draw):
    large = (300 * draw(1, 2, 8, 2, 2)).half()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = relations(large, large, across=True)
    assert found.dtype == torch.float32
    assert found.isfinite().all() and found.abs().max() > torch.finfo(torch.float16).max


def test_the_order_of_a_pair_does_not_matter_and_which_frames_make_it_does(level, draw):
    x = draw(1, 4, C, ROWS, COLUMNS).relu()
    with torch.no_grad():
        plain = level(x)
        assert torch.allclose(level(x[:, [1, 0, 2, 3]]), plain, atol=1e-5)
        assert torch.allclose(level(x[:, [2, 3, 0, 1]]), plain[:, [1, 0]], atol=1e-5)
        assert not torch.allclose(level(x[:, [0, 2, 1, 3]]), plain, atol=1e-2)


def test_only_the_merged_map_of_the_pair_is_squared(level, draw):
    """Where all their weights are 0, all gates are 1/2, of cells and of channels."""
    with torch.no_grad():
        for part in (level.between, level.within):
            for layer in (*part.gate, *part.channel):
                for parameter in layer.parameters():
                    parameter.zero_()
    seen = []
    level.refine.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    x = draw(1, 2, C, ROWS, COLUMNS).relu()
    with torch.no_grad():
        level(x)
    merged = x.sum(1) / 4  # [1, C, H, W]
    assert torch.allclose(seen[0], merged.square() + merged, atol=1e-6)


def test_the_gates_of_bfloat16_are_near_those_of_float32(level, draw):
    x = draw(1, 2, C, ROWS, COLUMNS).relu()
    with torch.no_grad():
        wanted = level(x)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = level(x)
    assert ((found - wanted).norm() / wanted.norm()).item() < 0.05
