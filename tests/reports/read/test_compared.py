import numpy as np
import pytest

from reports.read.compared import Distances


def test_a_column_is_the_mean_over_seeds_by_query(compared):
    system = compared.systems[0]
    assert system.mean("AP").to_list() == pytest.approx(system.queries[0]["AP"].to_list())
    assert compared.names == ("nvan", "sta") and compared.persons == 20


@pytest.mark.parametrize(
    ("right", "wrong", "share"),
    [([4, 0, 0], [0, 0, 8], 0.0), ([0, 0, 4], [8, 0, 0], 1.0), ([0, 4, 0], [0, 8, 0], 0.5)],
)
def test_wrong_pairs_are_nearer_by_the_share_below_half_of_the_right_ones(right, wrong, share):
    found = Distances(edges=np.arange(4.0), right=np.array(right), wrong=np.array(wrong))
    assert found.nearer == share


def test_without_pairs_nothing_is_nearer():
    none = np.zeros(3, dtype=int)
    assert np.isnan(Distances(edges=np.arange(4.0), right=none, wrong=none + 1).nearer)
