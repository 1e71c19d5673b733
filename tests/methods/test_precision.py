"""Half precision is widened, nothing is narrowed; what bfloat16 does to attention."""

import pytest
import torch

import zoo
from methods import non_local
from methods.non_local import NonLocal, attend
from methods.precision import at_least_float32, without_autocast

SPREAD = 100  # of the logits of one clip, from the least to the largest


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_half_precision_becomes_float32_and_nothing_else_changes(given, found):
    x = torch.tensor([1.5, -2.0], dtype=given)
    assert at_least_float32(x).dtype == found
    assert at_least_float32(x).tolist() == [1.5, -2.0]


def in_bfloat16(q, k, v):
    """What a network under bfloat16 does with attention on a CPU, in a network that is not."""
    return attend(q.bfloat16(), k.bfloat16(), v.bfloat16()).to(q.dtype)


@torch.inference_mode()
def spreads_of(model, clips, monkeypatch):
    """Largest less least logit in each non-local layer, a mean over clips."""
    found = []

    def noted(q, k, v):
        logits = (q @ k.mT).flatten(1)
        found.append((logits.amax(1) - logits.amin(1)).mean().item())
        return attend(q, k, v)

    with monkeypatch.context() as patch:
        patch.setattr(non_local, "attend", noted)
        model(clips)
    return found


@torch.inference_mode()
def spread_out(model, clips, monkeypatch):
    """Scale each layer's queries, the first layer first, until its logits spread over `SPREAD`."""
    for place, layer in enumerate(m for m in model.modules() if isinstance(m, NonLocal)):
        factor = SPREAD / spreads_of(model, clips, monkeypatch)[place]
        layer.theta.weight *= factor
        layer.theta.bias *= factor


@pytest.mark.parametrize("method", ["nvan", "stenvan", "resnet3d50_nl"])
def test_embeddings_stay_within_a_hundredth_where_bfloat16_logits_spread_over_100(
    method, monkeypatch
):
    model = zoo.load(f"{method}.synthetic").eval()
    clips = torch.randn(2, 4, 3, 128, 64, generator=torch.Generator().manual_seed(0))
    spread_out(model, clips, monkeypatch)
    spreads = spreads_of(model, clips, monkeypatch)
    assert spreads == pytest.approx([SPREAD] * len(spreads), rel=0.01)
    with torch.inference_mode():
        exact = model(clips).embedding
        monkeypatch.setattr(non_local, "attend", in_bfloat16)
        found = model(clips).embedding
    errors = (found - exact).norm(dim=1) / exact.norm(dim=1)
    assert 0 < errors.max() < 1e-2


def test_a_product_is_whole_where_autocast_would_shorten_it():
    x = torch.ones(2, 2)
    with torch.autocast("cpu", torch.bfloat16):
        assert (x @ x).dtype == torch.bfloat16
        with without_autocast(x):
            assert (x @ x).dtype == torch.float32


def test_shapes_alone_need_no_precision():
    x = torch.ones(2, 2, device="meta")
    with without_autocast(x):
        assert (x @ x).shape == (2, 2)
