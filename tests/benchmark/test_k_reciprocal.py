"""Re-ranking against the dense algorithm, written out with sets and full matrices."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark import k_reciprocal, rerank
from benchmark.k_reciprocal import reranked_blocks
from benchmark.protocols import score
from benchmark.ranking import Embeddings, Gallery, match_ranks
from benchmark.rerank import Reranking
from benchmark.rules import PROTOCOLS

NAMES = ["mars-official", "mars-ste-nvan", "mars-ap3d", "mars-torchreid"]


def dense(squared, queries, k1, k2, share):
    """[queries, M]: every matrix in full, every neighbourhood a set.

    ``squared`` [M, M] are the distances after the algorithm has squared them, queries first.
    """
    count = len(squared)
    distances = squared / np.maximum(squared.max(axis=1, keepdims=True), 1e-30)
    nearest = np.argsort(distances, axis=1, kind="stable")

    def mutual(i, k):
        return {j for j in nearest[i, : k + 1] if i in nearest[j, : k + 1]}

    weights = np.zeros((count, count), dtype=np.float32)
    for i in range(count):
        members = near = mutual(i, k1)
        for j in near:
            half = mutual(j, int(np.around(k1 / 2)))
            if len(half & near) > 2 / 3 * len(half):
                members = members | half
        columns = sorted(members)
        weights[i, columns] = np.exp(-distances[i, columns])
        if columns:
            weights[i] /= weights[i].sum()
    if k2 > 1:
        weights = np.stack([weights[nearest[i, :k2]].mean(axis=0) for i in range(count)])
    shared = np.stack([np.minimum(weights[i], weights).sum(axis=1) for i in range(queries)])
    return (1 - share) * (1 - shared / (2 - shared)) + share * distances[:queries]


def squared_distances(vectors, rows, kind):
    """What goes into the algorithm, squared: |a − b|² of unit vectors, or its square."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    gap = ((unit[rows][:, None] - unit[rows][None]) ** 2).sum(axis=2)
    return (gap**2 if kind == "kr-torchreid" else gap).astype(np.float32)


def whole(vectors, query, rows, how):
    blocks = list(reranked_blocks(torch.as_tensor(vectors), query, rows, how))
    assert np.concatenate([part for part, _ in blocks]).tolist() == query.tolist()
    return np.concatenate([block for _, block in blocks])


def people(count, seed, persons=20, size=16):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(persons, size))
    return (centres[rng.integers(persons, size=count)] + rng.normal(size=(count, size))).astype(
        np.float32
    )


@pytest.mark.parametrize("kind", rerank.KINDS)
@pytest.mark.parametrize(("k1", "k2"), [(20, 6), (15, 6), (5, 3), (7, 1), (1, 1), (2, 30)])
@pytest.mark.parametrize("count", [150, 12, 3])
def test_re_ranking_is_the_dense_algorithm(kind, k1, k2, count):
    vectors = people(count, seed=k1 + count)
    query = np.random.default_rng(0).permutation(count)[: max(1, count // 5)]
    rows = rerank.pool(query, np.arange(count), kind)
    found = whole(vectors, query, rows, Reranking(kind, k1, k2, 0.3))
    expected = dense(squared_distances(vectors, rows, kind), len(query), k1, k2, 0.3)
    places = {row: place for place, row in enumerate(rows)}  # a copy's place is the last
    np.testing.assert_allclose(found, expected[:, [places[r] for r in range(count)]], atol=1e-5)


@st.composite
def coarse(draw):
    """Vectors of a few whole numbers: copies and equal distances everywhere."""
    count = draw(st.integers(1, 16))
    number = st.integers(-1, 1)
    vectors = st.tuples(number, number, st.just(1))
    vectors = draw(st.lists(vectors, min_size=count, max_size=count))
    query = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=count, unique=True))
    how = Reranking(
        draw(st.sampled_from(rerank.KINDS)),
        draw(st.integers(1, 20)),
        draw(st.integers(1, 20)),
        draw(st.sampled_from([0.0, 0.3, 1.0])),
    )
    return np.array(vectors, dtype=np.float32), np.array(query), how


@given(coarse())
@settings(deadline=None, max_examples=200)
def test_equal_distances_are_taken_in_the_order_of_the_pool(table):
    vectors, query, how = table
    rows = rerank.pool(query, np.arange(len(vectors)), how.kind)
    tracks = k_reciprocal._Pool(torch.as_tensor(vectors), rows, how)
    squared = tracks.distances(np.arange(len(rows))).numpy()  # the very same ties
    np.testing.assert_allclose(squared, squared_distances(vectors, rows, how.kind), atol=1e-5)
    expected = dense(squared, len(query), how.k1, how.k2, how.share)
    places = {row: place for place, row in enumerate(rows)}
    np.testing.assert_allclose(
        whole(vectors, query, rows, how),
        expected[:, [places[r] for r in range(len(vectors))]],
        atol=1e-5,
    )


@pytest.mark.parametrize("kind", rerank.KINDS)
@pytest.mark.parametrize("cells", [1, 200, 2000])
def test_the_size_of_blocks_changes_nothing(kind, cells, monkeypatch):
    vectors, query, how = people(90, seed=1), np.arange(0, 90, 4), Reranking(kind, 9, 3)
    rows = rerank.pool(query, np.arange(90), kind)
    one = whole(vectors, query, rows, how)
    monkeypatch.setattr(k_reciprocal, "BLOCK_CELLS", cells)
    np.testing.assert_allclose(whole(vectors, query, rows, how), one, atol=1e-5)


def table_of_tracks():
    """40 persons in 3 cameras with junk and distractors; every query has matches."""
    rng = np.random.default_rng(3)
    pids = np.concatenate([np.repeat(np.arange(1, 41), 6), np.zeros(60), np.full(30, -1)])
    camids = np.concatenate([np.tile([1, 2, 3, 1, 2, 3], 40), rng.integers(1, 4, 90)])
    centres = rng.normal(size=(42, 32))
    vectors = centres[pids.astype(int)] + 1.2 * rng.normal(size=(len(pids), 32))
    order = rng.permutation(len(pids))
    pids = pids[order].astype(int)
    query = np.flatnonzero((pids > 0) & (camids[order] == 1))[::2]
    return Embeddings(vectors[order] * rng.uniform(0.5, 2), pids, camids[order]), query


@pytest.mark.parametrize("text", ["kr(20,6,0.3)", "kr-torchreid(9,4,0.5)", "kr-dup(20,6,0.3)"])
def test_protocols_rank_the_re_ranked_distances_of_their_own_gallery(text):
    test, query = table_of_tracks()
    how = rerank.parse(text)
    together = score(test, query, NAMES, rerank=text)
    for name in NAMES:
        gallery = PROTOCOLS[name].gallery_rows(test.pids, query)
        rows = rerank.pool(query, gallery, how.kind)
        squared = squared_distances(test.vectors.numpy(), rows, how.kind)
        distances = np.full((len(query), len(test.pids)), np.inf, dtype=np.float32)
        distances[:, rows] = dense(squared, len(query), how.k1, how.k2, how.share)
        (ranks,) = match_ranks(test, [Gallery(gallery, PROTOCOLS[name].cut)], [(query, distances)])
        found = together[name]
        assert found.gallery == len(gallery)
        np.testing.assert_array_equal(
            found.per_query["first"], [row[0] for row in ranks if row.any()]
        )
        assert score(test, query, name, rerank=text).per_query.equals(found.per_query)


def test_junk_is_in_the_pool_where_it_is_in_the_gallery():
    test, query = table_of_tracks()
    junk = set(np.flatnonzero(test.pids == -1))
    for name, within in [("mars-official", True), ("open", True), ("mars-torchreid", False)]:
        rows = rerank.pool(query, PROTOCOLS[name].gallery_rows(test.pids, query), "kr")
        assert (junk <= set(rows)) == within
        assert bool(junk & set(rows)) == within


def test_copies_of_queries_change_the_result_only_where_there_are_any():
    test, query = table_of_tracks()
    one, two = (score(test, query, NAMES, rerank=kind) for kind in ("kr", "kr-dup"))
    assert one["mars-torchreid"].per_query.equals(two["mars-torchreid"].per_query)
    assert not one["mars-official"].per_query.equals(two["mars-official"].per_query)


def test_re_ranking_helps_where_persons_form_groups():
    test, query = table_of_tracks()
    assert score(test, query, rerank="kr").mAP > score(test, query).mAP + 0.02


def test_lambda_one_ranks_as_the_cosine_does():
    test, query = table_of_tracks()
    plain, mixed = score(test, query), score(test, query, rerank="kr(20,6,1)")
    np.testing.assert_array_equal(plain.per_query["first"], mixed.per_query["first"])


def test_vectors_are_taken_at_unit_length_whatever_the_distance():
    test, query = table_of_tracks()
    stretch = np.random.default_rng(0).uniform(0.5, 2, (len(test.pids), 1)).astype(np.float32)
    stretched = Embeddings(test.vectors.numpy() * stretch, test.pids, test.camids)
    one = score(test, query, distance="cosine", rerank="kr").per_query
    other = score(stretched, query, distance="euclidean", rerank="kr").per_query
    np.testing.assert_allclose(one["AP"], other["AP"], atol=0.05)
    assert np.mean(one["first"] == other["first"]) > 0.98


def test_vectors_are_left_as_they_were():
    test, query = table_of_tracks()
    before = test.vectors.clone()
    score(test, query, rerank="kr")
    assert torch.equal(test.vectors, before)


def test_a_vector_of_length_zero_is_refused():
    vectors = np.ones((4, 2))
    vectors[2] = 0
    test = Embeddings(vectors, [1, 1, 2, 2], [1, 2, 1, 2])
    with pytest.raises(ValueError, match="row 2 has length 0"):
        score(test, [0], distance="euclidean", rerank="kr")


def test_a_track_is_at_distance_nought_from_itself_and_from_its_copy():
    vectors = torch.from_numpy(people(30, seed=5, size=300))
    rows = rerank.pool(np.arange(3), np.arange(30), "kr-dup")
    found = k_reciprocal._Pool(vectors, rows, Reranking("kr-dup")).distances(np.arange(33)).numpy()
    assert (found == 0).tolist() == (rows[:, None] == rows[None]).tolist()
