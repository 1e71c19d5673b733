"""The non-local layer against eq. 1 of STE-NVAN, written out position by position."""

import copy

import pytest
import torch
from torch import nn

from benchmark.cost.memory import LiveTensors, forward_peak_mb
from methods import non_local
from methods.non_local import NonLocal, attend
from methods.nvan import nvan
from methods.resnet3d import resnet3d50_nl


def matrix(conv):
    """A 1×1 convolution as matrix and vector."""
    return conv.weight.flatten(1), conv.bias


def by_hand(layer, x, frames, *, window=None, stripes=None, training=False):
    """z_i = BN(W y_i) + x_i in float64: one softmax after another, one cell after another."""
    layer, x = copy.deepcopy(layer).double(), x.double()
    (theta, tb), (phi, pb), (g, gb), (w, wb) = map(
        matrix, (layer.theta, layer.phi, layer.g, layer.out)
    )
    images, channels, height, width = x.shape
    rows, columns = (height, width) if stripes is None else (stripes, 1)
    cells = torch.empty(images, rows, columns, channels, dtype=torch.float64)
    for n in range(images):
        for r in range(rows):
            for c in range(columns):
                if stripes is None:
                    cells[n, r, c] = x[n, :, r, c]
                else:
                    tall = height // stripes
                    cells[n, r, c] = x[n, :, r * tall : (r + 1) * tall].mean((1, 2))
    added = torch.empty_like(cells)
    window = window or frames
    for start in range(0, images, window):  # a window never crosses clips: it divides the frames
        places = [
            (n, r, c)
            for n in range(start, start + window)
            for r in range(rows)
            for c in range(columns)
        ]
        for i in places:
            scores = torch.stack([(theta @ cells[i] + tb) @ (phi @ cells[j] + pb) for j in places])
            powers = (scores - scores.max()).exp()
            y = sum(
                p / powers.sum() * (g @ cells[j] + gb) for p, j in zip(powers, places, strict=True)
            )
            added[i] = w @ y + wb
    norm = layer.norm
    flat = added.flatten(0, 2)
    mean = flat.mean(0) if training else norm.running_mean
    var = flat.var(0, unbiased=False) if training else norm.running_var
    added = (added - mean) / (var + norm.eps).sqrt() * norm.weight + norm.bias
    z = x.clone()
    for r in range(height):
        for c in range(width):
            z[:, :, r, c] += added[
                :, r if stripes is None else r * stripes // height, min(c, columns - 1)
            ]
    return z


def spread_logits(layer, x, frames, spread):
    """Scale θ so that the standard deviation of the logits is ``spread``."""
    with torch.no_grad():
        q, k = (non_local.tokens(conv(x), frames) for conv in (layer.theta, layer.phi))
        factor = spread / (q @ k.transpose(1, 2)).std()
        layer.theta.weight *= factor
        layer.theta.bias *= factor


@pytest.mark.parametrize("spread", [1, 10, 100])
@pytest.mark.parametrize(
    ("frames", "size", "window", "stripes"),
    [
        (1, (4, 2), None, None),
        (3, (4, 2), None, None),
        (2, (3, 5), None, None),
        (4, (4, 2), 2, None),
        (6, (2, 2), 3, None),
        (4, (8, 3), None, 4),
        (4, (6, 2), 2, 2),
        (2, (4, 2), 1, 1),
    ],
)
def test_layer_is_equation_1(draw, wake, error, frames, size, window, stripes, spread):
    torch.manual_seed(0)
    layer, x = wake(NonLocal(6, window=window)), draw(2 * frames, 6, *size)
    spread_logits(layer, x, frames, spread)
    with torch.no_grad():
        found = layer(x, frames, stripes=stripes)
        wanted = by_hand(layer, x, frames, window=window, stripes=stripes)
    assert error(found, wanted) < 1e-5
    assert error(found - x, wanted - x.double()) < 1e-5  # what it adds, alone


@pytest.mark.parametrize("stripes", [None, 2])
def test_training_normalises_over_all_positions_before_stripes_are_repeated(
    draw, wake, error, stripes
):
    torch.manual_seed(0)
    layer, x = wake(NonLocal(6)).train(), draw(4, 6, 4, 2)
    with torch.no_grad():
        wanted = by_hand(layer, x, 2, stripes=stripes, training=True)
        assert error(layer(x, 2, stripes=stripes), wanted) < 1e-5


def test_there_is_no_scale_under_the_softmax(draw):
    q, k, v = (draw(2, 5, 8) for _ in range(3))
    plain = (q @ k.transpose(1, 2)).softmax(-1) @ v
    scaled = (q @ k.transpose(1, 2) / 8**0.5).softmax(-1) @ v
    assert torch.allclose(attend(q, k, v), plain, atol=1e-6)
    assert not torch.allclose(attend(q, k, v), scaled, atol=1e-2)


def test_new_layer_changes_nothing(draw):
    x = draw(4, 6, 4, 2)
    assert torch.equal(NonLocal(6).eval()(x, 4), x)
    assert torch.equal(NonLocal(6).train()(x, 4, stripes=2), x)


def test_window_of_2_keeps_pairs_apart(draw, wake):
    layer = wake(NonLocal(6, window=2))
    x = draw(4, 6, 4, 2)
    other = torch.cat([x[:2], draw(2, 6, 4, 2)])  # the second pair is another
    with torch.no_grad():
        assert torch.equal(layer(x, 4)[:2], layer(other, 4)[:2])
        apart = layer(x, 4)
        layer.window = None
        together = layer(x, 4)
        assert not torch.allclose(together[:2], layer(other, 4)[:2], atol=1e-3)
    assert not torch.allclose(apart, together, atol=1e-3)


def test_clips_of_a_batch_do_not_mix(draw, wake):
    layer, x = wake(NonLocal(6)), draw(6, 6, 4, 2)
    with torch.no_grad():
        assert torch.allclose(layer(x, 3)[:3], layer(x[:3], 3), atol=1e-6)


@pytest.mark.parametrize("window", [None, 2])
def test_noted_attention_is_the_rows_of_the_softmax(draw, wake, window):
    layer, x, maps = wake(NonLocal(6, window=window)), draw(8, 6, 4, 3), {}
    with torch.no_grad():
        layer(x, 4, maps=maps, name="here")
        q, k = (
            conv(x).unflatten(0, (2, 4)) for conv in (layer.theta, layer.phi)
        )  # [B, T, d, h, w]
    noted = maps["here"]
    assert noted.shape == (2, 3, 4, 4, 3)
    for b in range(2):
        for cell, row in enumerate((1, 2, 3)):
            query = q[b, 2, :, row, 1]  # the middle frame and column
            scores = torch.einsum("d,tdhw->thw", query, k[b])
            if window:
                scores[:2] = -torch.inf
            wanted = scores.flatten().softmax(0).reshape(4, 4, 3)
            assert torch.allclose(noted[b, cell], wanted, atol=1e-6)
    assert torch.allclose(noted.sum((2, 3, 4)), torch.ones(2, 3), atol=1e-5)


def test_biases_that_the_checks_exempt_have_no_gradient(draw, wake):
    """φ's bias moves all logits alike; g's and W_z's are constants that BatchNorm takes out."""
    layer, x = wake(NonLocal(6)).double().train(), draw(6, 6, 4, 2).double()
    layer(x, 3).pow(3).sum().backward()
    sizes = {name: p.grad.norm().item() for name, p in layer.named_parameters()}
    nothing = {"phi.bias", "g.bias", "out.bias"}
    assert all(sizes[name] < 1e-9 for name in nothing), sizes
    assert all(size > 1e-3 for name, size in sizes.items() if name not in nothing), sizes


# ---- memory --------------------------------------------------------------------------------------


def literal_attend(q, k, v):
    return (q @ k.transpose(1, 2)).softmax(-1) @ v


def test_no_square_matrix_is_in_memory(monkeypatch):
    layer, x = NonLocal(8).eval(), torch.randn(8, 8, 32, 16)
    square = (8 * 32 * 16) ** 2 * 4 / 1e6  # MB
    model = Frames(layer)
    with torch.inference_mode():
        fused = forward_peak_mb(model, x)
        monkeypatch.setattr(non_local, "attend", literal_attend)
        literal = forward_peak_mb(model, x)
    assert literal > square  # the yardstick sees it where it is
    assert fused < square / 20


@pytest.mark.parametrize("build", [nvan, resnet3d50_nl])
def test_no_network_has_a_square_matrix_in_memory(narrow, monkeypatch, build):
    model, clips = build(narrow()).eval(), torch.randn(1, 8, 3, 256, 128)
    square = (8 * 32 * 16) ** 2 * 4 / 1e6  # MB, of stage 2
    with torch.inference_mode():
        fused = forward_peak_mb(model, clips)
        monkeypatch.setattr(non_local, "attend", literal_attend)
        literal = forward_peak_mb(model, clips)
    assert literal > square and fused < square


@pytest.mark.parametrize("positions", [3, 256, 300, 2048])
def test_half_precision_attends_block_by_block(draw, error, positions):
    q, k, v = (draw(2, positions, 16) for _ in range(3))
    with torch.inference_mode(), LiveTensors() as live:
        found = attend(*(t.bfloat16() for t in (q, k, v)))
    assert found.dtype == torch.bfloat16
    assert error(found, literal_attend(q, k, v).double()) < 0.02
    assert positions < 2048 or live.peak < 2 * positions**2 * 2 / 2  # half of the matrices


def test_no_square_matrix_is_kept_for_the_backward_pass():
    layer, x = NonLocal(8).train(), torch.randn(8, 8, 32, 16)
    with LiveTensors() as live:
        layer(x, 8).sum().backward()
    assert live.peak < (8 * 32 * 16) ** 2 * 4 / 20


@pytest.mark.parametrize("frames", [1, 4])
def test_attention_gets_contiguous_queries_keys_and_values(monkeypatch, frames):
    seen = []
    fused = torch.nn.functional.scaled_dot_product_attention

    def spy(q, k, v, **options):
        seen.append((q.is_contiguous() and k.is_contiguous() and v.is_contiguous(), options))
        return fused(q, k, v, **options)

    monkeypatch.setattr(non_local.F, "scaled_dot_product_attention", spy)
    NonLocal(6)(torch.randn(4, 6, 4, 2), frames)
    assert seen == [(True, {"scale": 1.0})]


class Frames(nn.Module):
    """A layer over eight frames."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x, 8)


# ---- pooled keys ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(4, 2), (5, 3)])
def test_pooled_keys_are_the_largest_of_2_by_2_cells(draw, wake, error, size):
    """φ and g are pooled after their convolution, θ is not."""
    layer, x, frames = wake(NonLocal(6, pool_keys=True)).double(), draw(6, 6, *size).double(), 3
    (theta, tb), (phi, pb), (g, gb), (w, wb) = map(
        matrix, (layer.theta, layer.phi, layer.g, layer.out)
    )
    rows, columns = size
    wanted, noted, norm = x.clone(), {}, layer.norm
    with torch.no_grad():
        for start in (0, frames):
            keys, values = [], []
            for n in range(start, start + frames):
                for r in range(0, rows - 1, 2):
                    for c in range(0, columns - 1, 2):
                        window = [x[n, :, r + i, c + j] for i in (0, 1) for j in (0, 1)]
                        keys.append(torch.stack([phi @ v + pb for v in window]).amax(0))
                        values.append(torch.stack([g @ v + gb for v in window]).amax(0))
            for n in range(start, start + frames):
                for r in range(rows):
                    for c in range(columns):
                        query = theta @ x[n, :, r, c] + tb
                        weights = torch.stack([query @ key for key in keys]).softmax(0)
                        y = w @ (weights @ torch.stack(values)) + wb
                        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
                        wanted[n, :, r, c] += (y - norm.running_mean) * scale + norm.bias
        assert error(layer(x, frames, maps=noted, name="here"), wanted) < 1e-12
    looks = noted["here"]
    assert looks.shape == (2, 3, 3, *size)
    assert torch.allclose(looks.sum((2, 3, 4)), torch.ones(2, 3).double())
    assert torch.equal(looks[..., 0, 0], looks[..., 1, 1])  # two cells of one key
    assert not looks[..., 4:, :].any() and not looks[..., 2:].any()  # odd cells have no key
