import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.datasets.base import Tracklet
from benchmark.datasets.held_out import assign_folds, choose_queries

quick = settings(max_examples=80, deadline=None, derandomize=True)
pairs = st.lists(st.tuples(st.integers(1, 25), st.integers(1, 4)), min_size=1, max_size=80)


def tracklets(pairs):
    return [
        Tracklet(pid, camid, f"/{pid:04}", (f"c{camid}t{n:04}.jpg",))
        for n, (pid, camid) in enumerate(pairs)
    ]


# ---- folds ---------------------------------------------------------------------------------------


@quick
@given(pairs=pairs, folds=st.integers(2, 6), seed=st.integers(0, 9))
def test_folds_are_disjoint_cover_everybody_and_are_as_large_as_each_other(pairs, folds, seed):
    places = assign_folds(tracklets(pairs), folds, seed)
    assert set(places) == {pid for pid, _ in pairs}
    assert set(places.values()) <= set(range(folds))
    sizes = Counter({fold: 0 for fold in range(folds)}) + Counter(places.values())
    counted = [sizes[fold] for fold in range(folds)]
    assert max(counted) - min(counted) <= 1


@quick
@given(pairs=pairs, folds=st.integers(2, 6), seed=st.integers(0, 9))
def test_persons_of_as_many_cameras_are_shared_out_evenly(pairs, folds, seed):
    places = assign_folds(tracklets(pairs), folds, seed)
    for cameras in range(1, 5):
        alike = [p for p in places if len({c for pid, c in pairs if pid == p}) == cameras]
        shares = [sum(places[p] == fold for p in alike) for fold in range(folds)]
        assert max(shares) - min(shares) <= 1


@quick
@given(pairs=pairs, shuffle=st.integers(0, 99))
def test_the_order_of_the_tracklets_changes_nothing(pairs, shuffle):
    straight = tracklets(pairs)
    mixed = random.Random(shuffle).sample(straight, len(straight))
    assert assign_folds(straight, 3, 0) == assign_folds(mixed, 3, 0)
    for cameras in (True, False):
        found = {straight[row] for row in choose_queries(straight, cameras=cameras)}
        assert found == {mixed[row] for row in choose_queries(mixed, cameras=cameras)}


def test_folds_are_the_same_on_every_machine():
    everybody = tracklets([(pid, camid) for pid in range(1, 9) for camid in (1, 2)])
    dealt = {6: 0, 4: 1, 2: 2, 1: 3, 7: 0, 5: 1, 8: 2, 3: 3}
    assert assign_folds(everybody, 4, 0) == dealt
    assert assign_folds(everybody, 4, 1) != dealt


# ---- queries -------------------------------------------------------------------------------------


@quick
@given(pairs=pairs)
def test_every_query_has_a_match_in_another_camera_that_is_no_query(pairs):
    everybody = tracklets(pairs)
    queries = choose_queries(everybody, cameras=True)
    gallery = [t for row, t in enumerate(everybody) if row not in set(queries)]
    for row in queries:
        query = everybody[row]
        assert any(t.pid == query.pid and t.camid != query.camid for t in gallery)
    asked = Counter((everybody[row].pid, everybody[row].camid) for row in queries)
    assert set(asked.values()) <= {1}
    assert list(queries) == sorted(queries)


@quick
@given(pairs=pairs)
def test_whoever_two_cameras_saw_is_queried_and_whoever_one_saw_is_not(pairs):
    everybody = tracklets(pairs)
    queried = {everybody[row].pid for row in choose_queries(everybody, cameras=True)}
    assert queried == {p for p, _ in pairs if len({c for pid, c in pairs if pid == p}) > 1}


def test_a_person_of_many_tracklets_is_queried_once_in_each_camera():
    rows = tracklets([(1, camid) for camid in (1, 2, 3) for _ in range(2)])
    assert choose_queries(rows, cameras=True) == (0, 2, 4)


def test_a_person_of_two_tracklets_is_queried_from_the_first_camera():
    assert choose_queries(tracklets([(1, 2), (1, 1)]), cameras=True) == (1,)


def test_without_cameras_a_person_of_two_tracklets_is_queried_once():
    rows = tracklets([(1, 0), (2, 0), (1, 0), (2, 0), (2, 0), (3, 0)])
    assert choose_queries(rows, cameras=False) == (0, 1)
