"""How many processors there are to share work out to."""

import os

import pytest

from benchmark.processors import processors


def test_processors_that_this_process_may_not_use_are_not_counted():
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system does not bind processes to processors")
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert processors() == 1
    finally:
        os.sched_setaffinity(0, allowed)
