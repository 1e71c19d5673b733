"""AP, CMC and INP against their definitions, walked along the ranking in exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark import metrics

ranks_of_queries = st.lists(
    st.lists(st.integers(1, 40), min_size=1, max_size=8, unique=True).map(sorted),
    min_size=1,
    max_size=6,
)


def padded(queries):
    width = max(map(len, queries))
    return np.array([[*q, *[0] * (width - len(q))] for q in queries], dtype=float)


def walk(ranks, form):
    """Area under precision over recall, one step of recall a match.

    ``std``: the precision at the match; ``trap``: its mean with the precision one row before, where
    the one before the first row is 1.
    """
    area, hits, before = Fraction(0), 0, Fraction(1)
    for row in range(1, max(ranks) + 1):
        hits += row in ranks
        precision = Fraction(hits, row)
        if row in ranks:
            area += precision if form == "std" else (before + precision) / 2
        before = precision
    return area / len(ranks)


@pytest.mark.parametrize("form", ["std", "trap"])
@given(queries=ranks_of_queries)
def test_ap_is_the_area_under_precision_and_recall(form, queries):
    found = metrics.average_precision(padded(queries), form)
    np.testing.assert_allclose(found, [float(walk(q, form)) for q in queries], rtol=1e-12)


@given(queries=ranks_of_queries, length=st.integers(1, 60))
def test_cmc_is_the_share_of_queries_solved_by_each_rank(queries, length):
    found = metrics.cmc(padded(queries)[:, 0], length)
    expected = [sum(q[0] <= k for q in queries) / len(queries) for k in range(1, length + 1)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@given(queries=ranks_of_queries)
def test_inp_is_the_share_of_matches_in_what_must_be_seen(queries):
    found = metrics.inverse_negative_penalty(padded(queries))
    np.testing.assert_allclose(found, [len(q) / q[-1] for q in queries], rtol=1e-12)


def test_the_two_forms_of_ap_by_hand():
    ranks = np.array([[1.0, 3.0], [2.0, 0.0]])
    assert metrics.average_precision(ranks, "std").tolist() == pytest.approx(
        [(1 + 2 / 3) / 2, 1 / 2]
    )
    assert metrics.average_precision(ranks, "trap").tolist() == pytest.approx(
        [(1 + (2 / 3 + 1 / 2) / 2) / 2, 1 / 4]
    )


@pytest.mark.parametrize("form", ["std", "trap"])
def test_a_match_that_is_never_retrieved_adds_nothing_but_counts(form):
    hidden = metrics.average_precision(np.array([[1.0, np.inf]]), form)
    assert hidden.tolist() == [0.5]
    assert metrics.inverse_negative_penalty(np.array([[1.0, np.inf]])).tolist() == [0.0]
    assert metrics.cmc(np.array([np.inf, 1.0]), 3).tolist() == [0.5, 0.5, 0.5]


def test_the_cmc_of_a_small_gallery_keeps_its_last_value():
    assert metrics.cmc(np.array([1.0, 3.0]), 6).tolist() == [0.5, 0.5, 1, 1, 1, 1]


def test_a_query_without_a_match_has_no_ap():
    with pytest.raises(ValueError, match="without a match"):
        metrics.average_precision(np.array([[1.0], [0.0]]), "std")


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="expected std or trap"):
        metrics.average_precision(np.array([[1.0]]), "mean")


@given(queries=ranks_of_queries)
def test_each_standard_metric_is_a_value_a_query(queries):
    for k in (1, 5, 10, 20):
        found = metrics.METRICS[f"R{k}"](padded(queries))
        assert found.tolist() == [float(q[0] <= k) for q in queries]
    inp = metrics.METRICS["mINP"](padded(queries))
    np.testing.assert_array_equal(inp, metrics.inverse_negative_penalty(padded(queries)))
    assert set(metrics.STANDARD) == {"R1", "R5", "R10", "R20", "mINP"}
