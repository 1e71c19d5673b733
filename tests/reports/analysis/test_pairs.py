import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.analysis.pairs import compact_letters, compare

PERSONS = [1, 1, 1, 2, 2, 3, 4, 4, 4, 4]
A = [0.9, 0.8, 0.7, 0.2, 0.4, 0.6, 0.5, 0.5, 0.7, 0.3]
B = [0.7, 0.7, 0.8, 0.3, 0.5, 0.4, 0.4, 0.5, 0.6, 0.2]


def table(ap, pids=PERSONS):
    return pd.DataFrame({"query": range(len(ap)), "pid": pids, "AP": ap, "first": 1})


def by_loops(one, other, resamples, seed):
    """The same bootstrap, written out: draw persons, draw seeds, count who is ahead."""
    random = np.random.default_rng(seed)
    persons = sorted(set(PERSONS))
    ahead = 0.0
    for _ in range(resamples):
        drawn = [persons[random.integers(len(persons))] for _ in persons]
        means = []
        for seeds in (one, other):
            of_seeds = [seeds[random.integers(len(seeds))] for _ in seeds]
            values = [
                ap
                for scores in of_seeds
                for person in drawn
                for ap, of in zip(scores, PERSONS, strict=True)
                if of == person
            ]
            means.append(math.fsum(values) / len(values))
        ahead += 1.0 if means[0] > means[1] else 0.5 if means[0] == means[1] else 0.0
    return ahead / resamples


def test_the_probability_is_that_of_a_bootstrap_written_with_loops():
    seeds = {"a": [A, [ap - 0.1 for ap in A]], "b": [B, [ap + 0.05 for ap in B]]}
    tables = {name: [table(ap) for ap in of] for name, of in seeds.items()}
    found = compare(["a", "b"], tables, 20_000)
    expected = by_loops(seeds["a"], seeds["b"], 4_000, seed=1)
    assert 0.2 < expected < 0.8
    assert found.better[0, 1] == pytest.approx(expected, abs=0.03)
    assert found.better[1, 0] == 1 - found.better[0, 1] and found.better[0, 0] == 0.5


def test_two_persons_have_the_probability_that_can_be_counted_by_hand():
    pids = [1, 2]
    tables = {"a": [table([1.0, 0.0], pids)], "b": [table([0.0, 0.5], pids)]}
    found = compare(["a", "b"], tables, 40_000)
    # both persons (1/2) and the first twice (1/4): a is ahead; the second twice (1/4): b
    assert found.better[0, 1] == pytest.approx(0.75, abs=0.01)


def test_draws_that_are_exactly_equal_count_half():
    found = compare(["a", "b"], {"a": [table(A)], "b": [table(A)]}, 100)
    assert found.better[0, 1] == 0.5 and not found.distinct.any()
    assert found.letters == {"a": "a", "b": "a"}


def test_what_is_ahead_on_every_person_is_told_apart_and_has_its_own_letter():
    tables = {"a": [table(A)], "b": [table(B)], "c": [table([ap - 0.15 for ap in A])]}
    found = compare(["a", "b", "c"], tables, 2_000)
    assert found.better[0, 2] == 1 and found.distinct[0, 2]
    assert not set(found.letters["a"]) & set(found.letters["c"])


def test_a_method_of_other_queries_or_without_a_file_is_left_out():
    tables = {"a": [table(A)], "b": [table(B[:9], PERSONS[:9])], "c": [table(B)]}
    assert compare(["a", "b", "c", "d"], tables, 50).names == ("a", "c")
    assert compare(["a", "b"], tables, 50) is None and compare(["d"], tables, 50) is None
    assert compare(["a", "c"], tables, 0) is None


def test_rows_in_another_order_are_the_same_queries():
    shuffled = table(B).sample(frac=1, random_state=0)
    same = compare(["a", "b"], {"a": [table(A)], "b": [table(B)]}, 500)
    assert np.array_equal(
        compare(["a", "b"], {"a": [table(A)], "b": [shuffled]}, 500).better, same.better
    )


@given(st.integers(1, 7).flatmap(lambda n: st.tuples(st.just(n), st.sets(
    st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] < p[1])
))))  # fmt: skip
def test_two_methods_share_a_letter_exactly_if_they_cannot_be_told_apart(case):
    n, pairs = case
    distinct = np.zeros((n, n), dtype=bool)
    for i, j in pairs:
        distinct[i, j] = distinct[j, i] = True
    letters = compact_letters(distinct)
    for i in range(n):
        for j in range(n):
            if i != j:
                assert bool(set(letters[i]) & set(letters[j])) == (not distinct[i, j])
    assert all(letters) and letters[0].startswith("a")
