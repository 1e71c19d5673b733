"""How long is waited between two attempts."""

import pytest

from zoo.checkpoints.retry import RetryPolicy


def test_the_wait_doubles_with_each_failure_in_a_row_up_to_the_longest(monkeypatch):
    monkeypatch.setattr("random.uniform", lambda *_: 1.0)
    retry = RetryPolicy(wait=1.0, longest=5.0)
    assert [retry.seconds(failed) for failed in (1, 2, 3, 4, 5)] == [1, 2, 4, 5, 5]


def test_clients_that_failed_together_do_not_come_back_together():
    waits = {RetryPolicy(wait=8.0).seconds(1) for _ in range(20)}
    assert len(waits) > 10 and all(6 <= wait <= 10 for wait in waits)


@pytest.mark.parametrize(("asked", "waits"), [(3.0, 3.0), (0.0, 0.0), (1e5, 60.0)])
def test_what_the_server_asks_for_counts_up_to_the_longest(asked, waits):
    assert RetryPolicy().seconds(4, asked) == waits
