"""Ranks of matches against a stable sort of every query's gallery, tie by tie."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark import ranking
from benchmark.ranking import Embeddings, Gallery, RankCounter, distance_blocks, match_ranks


def literal(distances, pids, camids, row, order, cut=None):
    """Ranks of one query's matches: sort its gallery stably, walk along it, leave out junk."""
    ranks, rank = [], 0
    walk = sorted(range(len(order)), key=lambda place: (distances[order[place]], place))
    for unfiltered, place in enumerate(walk, start=1):
        other = order[place]
        same = pids[other] == pids[row]
        own = other == row if camids is None else same and camids[other] == camids[row]
        if pids[other] == -1 or own:
            continue
        rank += 1
        if same:
            ranks.append(rank if cut is None or unfiltered <= cut else np.inf)
    return ranks


def unpadded(ranks):
    return [[r for r in row if r > 0] for row in ranks.tolist()]


@st.composite
def tables(draw):
    """Few tracks with coarse vectors, so that most distances have ties; galleries in any order."""
    count = draw(st.integers(2, 20))
    column = st.lists
    size = {"min_size": count, "max_size": count}
    vectors = draw(column(st.tuples(*[st.integers(-2, 2)] * 2), **size))
    pids = draw(column(st.sampled_from([-1, 0, 1, 1, 2, 2, 3]), **size))
    camids = draw(st.none() | column(st.integers(1, 3), **size))
    query = draw(column(st.integers(0, count - 1), min_size=1, max_size=count, unique=True))
    rules = [
        Gallery(
            order=np.array(draw(column(st.integers(0, count - 1), unique=True)), dtype=int),
            cut=draw(st.none() | st.integers(0, count)),
        )
        for _ in range(draw(st.integers(1, 3)))
    ]
    return Embeddings(np.array(vectors), pids, camids), np.array(query), rules


def exact(test):
    """Squared distances of whole numbers: float32 makes no error in them."""
    x = test.vectors.numpy().astype(int)
    return ((x[:, None] - x[None]) ** 2).sum(2)


@given(tables())
@settings(deadline=None, max_examples=300)
def test_ranks_are_those_of_a_stable_sort_without_junk(table):
    test, query, rules = table
    found = match_ranks(test, rules, distance_blocks(test.vectors, query, "euclidean"))
    for rule, ranks in zip(rules, found, strict=True):
        assert unpadded(ranks) == [
            literal(exact(test)[row], test.pids, test.camids, row, rule.order, rule.cut)
            for row in query
        ]


@given(tables(), st.integers(1, 60))
@settings(deadline=None)
def test_the_size_of_blocks_changes_nothing(table, cells):
    test, query, rules = table
    whole = match_ranks(test, rules, distance_blocks(test.vectors, query, "euclidean"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "BLOCK_CELLS", cells)  # of the comparisons
        blocks = list(distance_blocks(test.vectors, query, "euclidean", cells))
        parts = match_ranks(test, rules, blocks)
    assert max(len(rows) for rows, _ in blocks) <= max(1, cells // len(test.pids))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


@given(tables())
@settings(deadline=None)
def test_rules_together_give_what_each_gives_alone(table):
    test, query, rules = table
    (rows, distances), *_ = distance_blocks(test.vectors, query, "euclidean")
    together = match_ranks(test, rules, [(rows, distances)])
    for rule, ranks in zip(rules, together, strict=True):
        np.testing.assert_array_equal(ranks, match_ranks(test, [rule], [(rows, distances)])[0])


def test_equal_distances_rank_in_the_order_of_the_gallery():
    test = Embeddings(np.ones((4, 2)), pids=[1, 2, 1, 3], camids=[1, 2, 2, 2])
    orders = [np.array(order) for order in ([0, 1, 2, 3], [2, 1, 3, 0], [1, 3, 0, 2])]
    blocks = list(distance_blocks(test.vectors, np.array([0]), "cosine"))
    found = match_ranks(test, [Gallery(order) for order in orders], blocks)
    assert [unpadded(ranks) for ranks in found] == [[[2]], [[1]], [[3]]]


def test_minus_zero_and_zero_are_the_same_distance():
    test = Embeddings(np.ones((3, 1)), pids=[1, 2, 1], camids=[1, 2, 2])
    distances = np.array([[0.0, 0.0, -0.0]], dtype=np.float32)
    (ranks,) = match_ranks(test, [Gallery(np.arange(3))], [(np.array([0]), distances)])
    assert unpadded(ranks) == [[2]]


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_distances_are_those_of_float64(distance):
    x = (
        torch.randn(50, 16, generator=torch.Generator().manual_seed(0))
        * torch.logspace(-2, 2, 50)[:, None]
    )
    query = np.array([3, 49, 0])
    ((rows, found),) = distance_blocks(x, query, distance)
    y = x.double()
    if distance == "cosine":
        y = y / y.norm(dim=1, keepdim=True)
        expected = 1 - y[query] @ y.T
    else:
        expected = torch.cdist(y[query], y).square()
    assert rows.tolist() == query.tolist()
    assert found.dtype == np.float32
    bound = 1e-6 if distance == "cosine" else 1e-6 * float(y.norm(dim=1).max()) ** 2
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=bound)


def test_vectors_are_left_as_they_were():
    x = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    before = x.clone()
    for distance in ("cosine", "euclidean"):
        list(distance_blocks(x, np.arange(9), distance))
    assert torch.equal(x, before)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_vector_that_is_not_finite_is_refused_by_row(bad):
    vectors = np.ones((4, 3))
    vectors[2, 1] = bad
    with pytest.raises(ValueError, match="row 2 holds NaN or infinity"):
        Embeddings(vectors, [1, 2, 3, 4], None)


def test_a_vector_of_length_zero_has_no_cosine_but_a_euclidean_distance():
    x = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="row 1 has length 0"):
        list(distance_blocks(x, np.array([0]), "cosine"))
    ((_, found),) = distance_blocks(x, np.array([0]), "euclidean")
    assert found.tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_a_vector_beyond_float32_is_refused(distance):
    x = torch.tensor([[1.0, 0.0], [1e20, 0.0]])
    with pytest.raises(ValueError, match="row 1 is too long"):
        list(distance_blocks(x, np.array([0]), distance))


def test_an_unknown_distance_is_refused():
    with pytest.raises(ValueError, match="expected cosine or euclidean"):
        list(distance_blocks(torch.ones(2, 2), np.array([0]), "manhattan"))


@pytest.mark.parametrize(
    ("vectors", "pids", "camids"),
    [
        (np.ones((3, 2)), [1, 2], None),
        (np.ones((3, 2)), [1, 2, 3], [1, 2]),
        (np.ones(3), [1, 2, 3], None),
        (np.ones((3, 2)), [[1, 2, 3]], None),
    ],
)
def test_tables_of_different_length_are_refused(vectors, pids, camids):
    with pytest.raises(ValueError, match="must be"):
        Embeddings(vectors, pids, camids)


def test_vectors_of_a_network_in_training_can_be_ranked():
    vectors = torch.ones(3, 2, requires_grad=True) * 1
    ((_, found),) = distance_blocks(
        Embeddings(vectors, [1, 2, 1], None).vectors, np.array([0]), "cosine"
    )
    assert found.shape == (1, 3)


def test_a_counter_gives_one_querys_ranks_in_every_gallery():
    test = Embeddings(np.ones((5, 1)), pids=[1, 1, -1, 2, 1], camids=[1, 2, 1, 1, 1])
    galleries = [Gallery(np.arange(5)), Gallery(np.array([3, 1])), Gallery(np.arange(5), cut=2)]
    counter = RankCounter(test, galleries)
    distances = np.array([0.0, 3.0, 1.0, 2.0, 0.5], dtype=np.float32)
    # row 1 is the match; row 4 is the query's own camera, row 2 junk, row 3 comes first
    assert [ranks.tolist() for ranks in counter.ranks(0, distances)] == [[2.0], [2.0], [np.inf]]
    assert [ranks.tolist() for ranks in counter.ranks(3, distances)] == [[], [], []]
