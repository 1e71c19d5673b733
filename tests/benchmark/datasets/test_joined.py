from dataclasses import replace

import pytest

from benchmark.datasets.base import Dataset, Tracklet
from benchmark.datasets.joined import join


def tracklets(*pairs):
    return tuple(Tracklet(pid, camid, "", ("x",)) for pid, camid in pairs)


FIRST = Dataset(
    name="first",
    train=tracklets((1, 1), (3, 2)),
    test=tracklets((-1, 1), (0, 2), (5, 3)),
    query=(2,),
    fingerprint="a",
    protocol="mars-official",
    split=2,
    splits=10,
    notes=("same",),
)
SECOND = replace(
    FIRST, name="second", train=tracklets((1, 1), (2, 0)), fingerprint="b", notes=("same", "new")
)


def test_persons_and_cameras_are_numbered_above_all_before_them():
    third = replace(SECOND, name="third", train=tracklets((4, 2)))
    found = join([FIRST, SECOND, third], "first+second+third")
    assert [(t.pid, t.camid) for t in found.train] == [(1, 1), (3, 2), (6, 4), (7, 0), (11, 6)]


def test_the_test_part_protocol_and_split_are_the_firsts():
    found = join([FIRST, SECOND], "first+second")
    assert (found.test, found.query, found.protocol) == (FIRST.test, (2,), "mars-official")
    assert (found.split, found.splits, found.name) == (2, 10, "first+second")
    assert not {t.pid for t in found.train} & {5}
    assert found.notes == ("same", "new")


def test_its_fingerprint_is_that_of_all():
    found = join([FIRST, SECOND], "x").fingerprint
    others = [replace(SECOND, fingerprint="c"), replace(SECOND, split=3)]
    assert found not in ("a", "b")
    assert found not in {join([FIRST, other], "x").fingerprint for other in others}


def test_a_data_set_joined_with_itself_is_refused():
    with pytest.raises(ValueError, match="a data set with itself: name each once"):
        join([FIRST, FIRST], "first+first")


def test_a_data_set_without_training_persons_is_refused():
    with pytest.raises(ValueError, match="second has nothing to train on: leave it out"):
        join([FIRST, replace(SECOND, train=())], "first+second")
