import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.analysis.fronts import front, pareto

VALUES = st.one_of(st.integers(0, 4).map(float), st.just(np.nan))


@given(st.lists(st.tuples(VALUES, VALUES), max_size=9))
def test_the_pareto_front_is_what_nothing_beats(points):
    frame = pd.DataFrame(points, columns=["gmacs", "mAP"], dtype=float)
    expected = []
    for cost, score in points:
        beaten = any(
            c <= cost and s >= score and (c < cost or s > score)
            for c, s in points
            if not np.isnan(c) and not np.isnan(s)
        )
        expected.append(not beaten and not np.isnan(cost) and not np.isnan(score))
    assert list(pareto(frame)) == expected


def test_the_pareto_front_takes_any_cost_and_score():
    frame = pd.DataFrame({"latency_ms": [1, 2, 3], "R1": [0.5, 0.4, 0.6], "mAP": [1, 1, 1]})
    assert list(pareto(frame, cost="latency_ms", score="R1")) == [True, False, True]


ROWS = {"gmacs": [1, 2, 3], "latency_ms": [1, 2, 3], "mAP": [0.7, 0.6, 0.8]}


@pytest.mark.parametrize(
    ("cost", "on_fronts", "unsteady", "expected"),
    [
        ("gmacs", [1, 1, 1], [1, 0, 0], [True, False, True]),
        ("latency_ms", [1, 1, 1], [1, 0, 0], [False, True, True]),
        ("gmacs", [0, 1, 1], [0, 0, 0], [False, True, True]),
        ("latency_ms", [0, 1, 0], [0, 1, 0], [False, False, False]),
    ],
)
def test_what_may_not_stand_on_a_front_hides_nobody_else(cost, on_fronts, unsteady, expected):
    rows = pd.DataFrame({**ROWS, "on_fronts": on_fronts, "unsteady": unsteady}).astype(
        {"on_fronts": bool, "unsteady": bool}
    )
    assert list(front(rows, cost)) == expected
    assert list(rows["on_fronts"]) == list(map(bool, on_fronts))  # and the table stays as it is
