"""The losses against their definitions, written out."""

import math

import pytest
import torch

from benchmark.losses import batch_hard_triplet, losses
from methods.output import ClipOutput


def literal(metric, pids, margin):
    """Hermans et al., eq. 5, pair by pair in float64."""
    rows = metric.double().tolist()
    values = []
    for a, pid in enumerate(pids):
        positive = max(math.dist(rows[a], rows[p]) for p in range(len(rows)) if pids[p] == pid)
        negative = min(math.dist(rows[a], rows[n]) for n in range(len(rows)) if pids[n] != pid)
        gap = positive - negative
        values.append(math.log1p(math.exp(gap)) if margin == "soft" else max(0.0, margin + gap))
    return sum(values) / len(values)


@pytest.mark.parametrize("margin", [0.3, 1.0, "soft"])
def test_batch_hard_triplet_is_the_definition(margin):
    torch.manual_seed(0)
    metric, pids = torch.randn(12, 5), [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    ours = batch_hard_triplet(metric, torch.tensor(pids), margin).item()
    assert ours == pytest.approx(literal(metric, pids, margin), rel=1e-5)


def test_the_gradient_is_finite_where_two_clips_are_equal():
    metric = torch.ones(4, 3, requires_grad=True)
    batch_hard_triplet(metric, torch.tensor([1, 1, 2, 2]), "soft").backward()
    assert metric.grad.isfinite().all()


def test_a_clip_without_positive_or_negative_does_not_count():
    metric = torch.tensor([[0.0], [1.0], [5.0]])
    loss = batch_hard_triplet(metric, torch.tensor([1, 1, 2]), 10.0)  # person 2 has one clip
    assert loss.item() == pytest.approx(((1 - 5 + 10) + (1 - 4 + 10)) / 2, rel=1e-5)


@pytest.mark.parametrize("pids", [[1, 1, 1], [1, 2, 3]])
def test_a_batch_without_any_triplet_is_an_error(pids):
    with pytest.raises(ValueError, match="two clips of one person"):
        batch_hard_triplet(torch.randn(3, 2), torch.tensor(pids))


def test_parts_are_cross_entropy_triplet_and_the_methods_own_penalties():
    torch.manual_seed(0)
    logits, metric = torch.randn(4, 3), torch.randn(4, 2)
    classes = torch.tensor([0, 0, 1, 1])
    output = ClipOutput(metric, metric, logits, {"own": torch.tensor(0.25)})
    parts = losses(output, classes, triplet=0.3, smoothing=0.1)
    log = logits.log_softmax(1)
    smooth = -(0.9 * log[range(4), classes] + 0.1 * log.mean(1)).mean()
    assert parts["cross_entropy"].item() == pytest.approx(smooth.item(), rel=1e-5)
    assert parts["own"].item() == 0.25 and set(parts) == {"cross_entropy", "triplet", "own"}
    assert "triplet" not in losses(output, classes, triplet=None, smoothing=0.0)
