import numpy as np
import pytest

from benchmark.datasets.base import Tracklet
from benchmark.datasets.splits import assemble, choose_split, ranked_splits


def test_ranks_become_person_numbers_and_the_first_half_is_tested(tmp_path, write_splits):
    path = tmp_path / "splits.mat"
    write_splits(path, [[4, 1, 3, 2], [1, 2, 3, 4]])
    assert ranked_splits(path, (10, 20, 30, 40), "afar") == [
        ((10, 40), (20, 30)),
        ((10, 20), (30, 40)),
    ]


@pytest.mark.parametrize(
    ("rows", "persons", "words"),
    [
        ([[1, 2, 3]], (1, 2), "ranks 3 persons, here are 2: some are missing"),
        ([[1, 2]], (1, 2, 3), "ranks 2 persons, here are 3: some are too many"),
        ([[1, 1]], (1, 2), r"row 1 of ls_set does not hold each of 1\.\.2 once: it is from afar"),
        (np.empty((0, 2)), (1, 2), "expected .splits, persons."),
    ],
)
def test_a_table_for_other_persons_is_refused(tmp_path, write_splits, rows, persons, words):
    write_splits(tmp_path / "splits.mat", rows)
    with pytest.raises(ValueError, match=words):
        ranked_splits(tmp_path / "splits.mat", persons, "it is from afar")


@pytest.mark.parametrize("split", [-1, 2])
def test_a_split_that_does_not_exist_is_refused(split):
    with pytest.raises(ValueError, match=rf"split is {split}, expected 0\.\.1"):
        choose_split([((1,), (2,))] * 2, split)


def test_queries_are_the_first_camera_and_the_gallery_the_second():
    tracks = [{p: Tracklet(p, camid, "", ("x",)) for p in (1, 2, 3, 4)} for camid in (1, 2)]
    found = assemble(
        "two",
        tracks,
        ((2, 4), (1, 3)),
        split=1,
        splits=10,
        fingerprint="f",
        protocol="open",
        notes=("n",),
    )
    assert [(t.pid, t.camid) for t in found.train] == [(1, 1), (1, 2), (3, 1), (3, 2)]
    assert [(t.pid, t.camid) for t in found.test] == [(2, 1), (4, 1), (2, 2), (4, 2)]
    assert found.query == (0, 1)
    assert (found.split, found.splits, found.notes) == (1, 10, ("n",))
