import os
from dataclasses import replace

import pytest

from benchmark.datasets.base import Dataset, Tracklet, fingerprint


def make(train, test=(), query=(), **fields):
    """A data set from ``(pid, camid)`` pairs; every tracklet has a folder of its own."""

    def tracklets(part, rows):
        return tuple(
            Tracklet(pid, camid, f"/{part}/{pid:03}/{camid}_{n:03}", ("1.jpg", "2.jpg"))
            for n, (pid, camid) in enumerate(rows)
        )

    known = {
        "name": "any",
        "train": tracklets("train", train),
        "test": tracklets("test", test),
        "query": tuple(query),
        "fingerprint": "0123456789abcdef",
        "protocol": "open",
    }
    return Dataset(**{**known, **fields})


TRAIN = [(pid, camid) for pid in range(1, 11) for camid in (1, 2, 3)]
TEST = [(20, 1), (20, 2), (21, 1), (21, 3)]


def test_a_tracklet_knows_its_frames():
    tracklet = Tracklet(1, 2, "folder", ("a.jpg", "b.jpg"))
    assert len(tracklet) == 2
    assert tracklet.path(1) == os.path.join("folder", "b.jpg")


def test_classes_are_the_training_persons_in_ascending_order():
    assert make([(7, 1), (2, 1), (7, 2)]).train_pids == (2, 7)


def test_a_fingerprint_depends_on_every_line_and_their_order():
    assert fingerprint(["a", "b"]) == "911169ddaaf146af"
    assert len({fingerprint(x) for x in (["a", "b"], ["b", "a"], ["ab"], ["a"], [])}) == 5


def test_a_limit_keeps_the_first_training_and_query_persons():
    found = make(TRAIN, [*TEST, (0, 1)], (0, 2)).limited(2)
    assert found.train_pids == (1, 2)
    assert [t.pid for t in found.test] == [20, 20, 21, 21]
    assert found.query == (0, 2)
    assert found.name == "any:2persons"
    assert found.fingerprint == fingerprint(["0123456789abcdef", "2"])
    assert found.notes == ("limited to 2 training and 2 query persons",)


def test_a_limit_below_two_persons_is_refused():
    with pytest.raises(ValueError, match="a limit of 1 persons leaves nobody to tell apart"):
        make(TRAIN, TEST, (0,)).limited(1)


def test_held_out_persons_are_tested_and_the_others_trained_on():
    whole = make(TRAIN, TEST, (0,), notes=("before",))
    found = whole.held_out(1, 5)
    assert {t.pid for t in found.train} | {t.pid for t in found.test} == set(whole.train_pids)
    assert not {t.pid for t in found.train} & {t.pid for t in found.test}
    assert len({t.pid for t in found.test}) == 2
    assert found.protocol == "validation"
    assert found.notes == ("before", "fold 1 of 5 of the training persons is held out")


def test_no_test_tracklet_is_in_a_held_out_set():
    whole = make(TRAIN, TEST, (0,))
    for fold in range(5):
        found = whole.held_out(fold)
        assert not set(whole.test) & {*found.train, *found.test}
        assert {*found.train, *found.test} == set(whole.train)


def test_every_fold_and_seed_has_its_own_name_and_fingerprint():
    whole = make(TRAIN, TEST, (0,))
    found = [whole.held_out(fold, folds, seed) for fold, folds, seed in ((0, 5, 0), (1, 5, 0))]
    found += [whole.held_out(0, 3), whole.held_out(0, 5, 3)]
    assert [d.name for d in found] == [
        "any:held-out-0-of-5",
        "any:held-out-1-of-5",
        "any:held-out-0-of-3",
        "any:held-out-0-of-5-seed-3",
    ]
    assert len({whole.fingerprint, *(d.fingerprint for d in found)}) == 5


@pytest.mark.parametrize("fold_folds_seed", [(5, 5, 0), (-1, 5, 0), (0, 1, 0), (0, 5, -1)])
def test_a_fold_that_does_not_exist_is_refused(fold_folds_seed):
    with pytest.raises(ValueError, match="expected 2 folds or more, a fold of"):
        make(TRAIN).held_out(*fold_folds_seed)


@pytest.mark.parametrize("train", [[], [(1, 1), (1, 2)], [(p, 1) for p in range(20)], TRAIN[:9]])
def test_too_few_persons_to_validate_with_are_refused(train):
    with pytest.raises(ValueError, match=r"any: fold 0 of 5 leaves nothing .* take fewer folds"):
        make(train).held_out()


def test_a_split_stays_the_split_it_was():
    found = make(TRAIN, split=3, splits=10).held_out()
    assert (found.split, found.splits) == (3, 10)


def test_without_cameras_they_stay_unknown():
    blind = make([(pid, 0) for pid in range(1, 11) for _ in range(2)], cameras=False)
    assert replace(blind, name="x").held_out().cameras is False
