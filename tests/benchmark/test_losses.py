"""The losses against their definitions, written out."""

import math

import pytest
import torch

from benchmark.losses import LOSSES, TRIPLET_DISTANCES, batch_hard_triplet, losses
from benchmark.recipe import Recipe
from methods.output import ClipOutput, HeadOutput

CLASSES = torch.tensor([0, 0, 1, 1])


def settings(*names, **changes):
    return Recipe(name="test", losses=names, **changes)


def output_of(seed=0, **changes):
    """Four clips of two persons, with an embedding that is not the metric."""
    generator = torch.Generator().manual_seed(seed)
    metric, embedding, logits = (torch.randn(4, n, generator=generator) for n in (5, 5, 3))
    return ClipOutput(embedding, metric, logits, {})._replace(**changes)


def minus_cosine(a, b):
    product = sum(x * y for x, y in zip(a, b, strict=True))
    return -product / math.hypot(*a) / math.hypot(*b)


def literal_triplet(metric, pids, margin, between=math.dist):
    """Hermans et al., eq. 5, pair by pair in float64."""
    rows = metric.double().tolist()
    values = []
    for a, pid in enumerate(pids):
        others = (p for p in range(len(rows)) if pids[p] == pid and p != a)
        positive = max(between(rows[a], rows[p]) for p in others)
        negative = min(between(rows[a], rows[n]) for n in range(len(rows)) if pids[n] != pid)
        gap = positive - negative
        values.append(math.log1p(math.exp(gap)) if margin == "soft" else max(0.0, margin + gap))
    return sum(values) / len(values)


def literal_cross_entropy(logits, classes, smoothing=0.0):
    log = logits.log_softmax(1)
    right = log[range(len(classes)), classes]
    return -((1 - smoothing) * right + smoothing * log.mean(1)).mean().item()


def literal_contrast(frames, pids):
    """Pair by pair: positives are the same place of other clips, negatives all other places."""
    unit = frames.double() / frames.double().norm(dim=1, keepdim=True)
    total = 0.0
    for pid in sorted(set(pids)):
        own = [k for k, other in enumerate(pids) if other == pid]
        vectors = {(k, t): unit[k, :, t] for k in own for t in range(frames.shape[2])}

        def e(a, b, vectors=vectors):
            return math.exp(float(vectors[a] @ vectors[b]) / 0.07)

        pairs = []
        for a in vectors:
            negatives = sum(e(a, b) for b in vectors if b[1] != a[1])
            for b in vectors:
                if b[1] == a[1] and b[0] != a[0]:
                    pairs.append(-math.log(e(a, b) / (e(a, b) + negatives)))
        total += sum(pairs) / len(pairs) if pairs else 0.0
    return total


# ---- triplet -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("distance", "between"), [("euclidean", math.dist), ("cosine", minus_cosine)]
)
@pytest.mark.parametrize("margin", [0.3, 1.0, "soft"])
def test_batch_hard_triplet_is_the_definition(margin, distance, between):
    torch.manual_seed(0)
    metric, pids = torch.randn(12, 5), [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    ours = batch_hard_triplet(metric, torch.tensor(pids), margin, distance).item()
    assert ours == pytest.approx(literal_triplet(metric, pids, margin, between), rel=1e-5)


@pytest.mark.parametrize("apart", [10.0, 1.0, 0.01, 0.001])
def test_the_gradient_is_right_however_near_the_clips_of_a_person_are(apart):
    generator = torch.Generator().manual_seed(0)
    persons = torch.randn(8, 128, generator=generator).repeat_interleave(4, 0)
    clips = persons + apart / 16 * torch.randn(32, 128, generator=generator)
    pids, gradients = torch.arange(8).repeat_interleave(4), []
    for dtype in (torch.float64, torch.float32):
        metric = clips.to(dtype).clone().requires_grad_()
        batch_hard_triplet(metric, pids, 100.0).backward()
        gradients.append(metric.grad.double())
    exact, found = gradients
    assert (found - exact).norm() < 1e-5 * exact.norm()


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_the_gradient_is_finite_where_two_clips_are_equal(distance):
    metric = torch.ones(4, 3, requires_grad=True)
    batch_hard_triplet(metric, torch.tensor([1, 1, 2, 2]), "soft", distance).backward()
    assert metric.grad.isfinite().all()


def test_a_clip_is_not_its_own_positive(monkeypatch):
    far_from_itself = torch.tensor([[9.0, 1.0, 5.0], [1.0, 9.0, 4.0], [5.0, 4.0, 9.0]])
    monkeypatch.setitem(TRIPLET_DISTANCES, "given", lambda metric: far_from_itself)
    loss = batch_hard_triplet(torch.zeros(3, 1), torch.tensor([1, 1, 2]), 10.0, "given")
    assert loss.item() == pytest.approx(((1 - 5 + 10) + (1 - 4 + 10)) / 2)


def test_the_cosine_does_not_see_how_long_a_vector_is():
    torch.manual_seed(0)
    metric, pids = torch.randn(4, 5), torch.tensor([1, 1, 2, 2])
    stretched = metric * torch.tensor([[1.0], [7.0], [0.1], [3.0]])
    one, other = (batch_hard_triplet(m, pids, 0.3, "cosine") for m in (metric, stretched))
    assert one.item() == pytest.approx(other.item(), rel=1e-5)


def test_a_clip_without_positive_or_negative_does_not_count():
    metric = torch.tensor([[0.0], [1.0], [5.0]])
    loss = batch_hard_triplet(metric, torch.tensor([1, 1, 2]), 10.0)  # person 2 has one clip
    assert loss.item() == pytest.approx(((1 - 5 + 10) + (1 - 4 + 10)) / 2, rel=1e-5)


@pytest.mark.parametrize("pids", [[1, 1, 1], [1, 2, 3]])
def test_a_batch_without_any_triplet_is_an_error(pids):
    with pytest.raises(ValueError, match="two clips of one person"):
        batch_hard_triplet(torch.randn(3, 2), torch.tensor(pids))


@pytest.mark.parametrize("on", ["metric", "embedding"])
@pytest.mark.parametrize(
    ("distance", "between"), [("euclidean", math.dist), ("cosine", minus_cosine)]
)
def test_the_recipe_says_which_vector_the_triplet_takes_and_by_which_distance(
    on, distance, between
):
    output = output_of()
    recipe = settings("triplet", triplet=0.4, triplet_on=on, triplet_distance=distance)
    expected = literal_triplet(getattr(output, on), CLASSES.tolist(), 0.4, between)
    found = losses(output, CLASSES, recipe)
    assert found["triplet"].item() == pytest.approx(expected, rel=1e-5)


# ---- all parts -----------------------------------------------------------------------------------


def test_parts_are_the_recipes_losses_and_the_methods_own_penalties():
    output = output_of(penalties={"own": torch.tensor(0.25)})
    parts = losses(output, CLASSES, settings("cross_entropy", "triplet", smoothing=0.1))
    expected = literal_cross_entropy(output.logits, CLASSES, 0.1)
    assert parts["cross_entropy"].item() == pytest.approx(expected, rel=1e-5)
    assert parts["own"].item() == 0.25 and list(parts) == ["cross_entropy", "triplet", "own"]
    assert list(losses(output, CLASSES, settings("cross_entropy"))) == ["cross_entropy", "own"]


def test_several_heads_add_up_with_their_weights_and_the_output_itself_takes_no_part():
    a, b = output_of(1), output_of(2)
    heads = (
        HeadOutput(a.embedding, a.metric, a.logits, cross_entropy=0.5, triplet=2.0),
        HeadOutput(b.embedding, b.metric, b.logits),
    )
    parts = losses(output_of(3, heads=heads), CLASSES, settings("cross_entropy", "triplet"))
    ce = [literal_cross_entropy(o.logits, CLASSES) for o in (a, b)]
    triplet = [literal_triplet(o.metric, CLASSES.tolist(), "soft") for o in (a, b)]
    assert parts["cross_entropy"].item() == pytest.approx(0.5 * ce[0] + ce[1], rel=1e-5)
    assert parts["triplet"].item() == pytest.approx(2 * triplet[0] + triplet[1], rel=1e-5)


def test_a_head_without_logits_has_no_cross_entropy_and_one_without_vectors_no_triplet():
    a, b, c = output_of(1), output_of(2), output_of(3)
    heads = (
        HeadOutput(a.embedding, a.metric, None),
        HeadOutput(None, None, b.logits),
        HeadOutput(c.embedding, c.metric, None, triplet=0.0),
    )
    parts = losses(output_of(4, heads=heads), CLASSES, settings("cross_entropy", "triplet"))
    expected = literal_triplet(a.metric, CLASSES.tolist(), "soft")
    assert parts["triplet"].item() == pytest.approx(expected, rel=1e-5)
    expected = literal_cross_entropy(b.logits, CLASSES)
    assert parts["cross_entropy"].item() == pytest.approx(expected, rel=1e-5)


def test_a_head_on_single_frames_takes_each_clips_class_for_all_its_frames():
    logits = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))  # [B*T, classes], T = 3
    output = output_of(heads=(HeadOutput(None, None, logits),))
    found = losses(output, CLASSES, settings("cross_entropy"))["cross_entropy"].item()
    by_frame = torch.tensor([c for c in CLASSES.tolist() for _ in range(3)])
    assert found == pytest.approx(literal_cross_entropy(logits, by_frame), rel=1e-5)


# ---- contrast ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pids", [[0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 2]])
def test_contrast_is_the_loop_over_pairs(pids):
    frames = torch.randn(6, 5, 4, generator=torch.Generator().manual_seed(0))  # [B, D, T]
    output, classes = output_of(frames=frames), torch.tensor(pids)
    found = losses(output, classes, settings("contrast", contrast=0.001))["contrast"].item()
    assert found == pytest.approx(0.001 * literal_contrast(frames, pids), rel=1e-4)


def test_contrast_sees_no_other_person():
    frames = torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(0))
    recipe = settings("contrast", contrast=1.0)

    def loss(scale_of_the_second):
        changed = torch.cat([frames[:2], frames[2:].roll(scale_of_the_second, 1)])
        changed.requires_grad_()
        losses(output_of(frames=changed), CLASSES, recipe)["contrast"].backward()
        return changed.grad[:2]

    assert torch.allclose(loss(0), loss(2))


def test_the_gradient_of_contrast_is_finite_even_for_one_frame_and_equal_frames():
    for frames in (torch.ones(4, 3, 1), torch.ones(4, 3, 2)):
        frames.requires_grad_()
        output = output_of(frames=frames)
        losses(output, CLASSES, settings("contrast", contrast=1.0))["contrast"].backward()
        assert frames.grad.isfinite().all()


def test_contrast_says_what_it_needs():
    with pytest.raises(ValueError, match="needs a method that gives frames"):
        losses(output_of(), CLASSES, settings("contrast", contrast=1.0))


# ---- one's own -----------------------------------------------------------------------------------


def test_a_loss_of_ones_own_is_computed_where_a_recipe_names_it(monkeypatch):
    def centre(output, classes, recipe):
        return output.metric.mean() * recipe.lr

    monkeypatch.setitem(LOSSES, "centre", centre)
    output = output_of()
    parts = losses(output, CLASSES, settings("cross_entropy", "centre", lr=2.0))
    assert parts["centre"].item() == pytest.approx(2 * output.metric.mean().item())
