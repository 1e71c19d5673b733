"""What a set will hold is what it then holds."""

from benchmark.datasets.base import OUTLINE
from benchmark.datasets.synthetic.dataset import synthetic
from tests.benchmark.datasets.synthetic.small import SMALL


def test_an_outline_has_the_tracklets_and_queries_of_the_rendered_set(small, tmp_path):
    told = synthetic(tmp_path, **SMALL, render=False)
    assert told.query == small.query and told.protocol == small.protocol
    for part in ("train", "test"):
        assert [(t.pid, t.camid, t.frames) for t in getattr(told, part)] == [
            (t.pid, t.camid, t.frames) for t in getattr(small, part)
        ]


def test_it_writes_nothing_and_says_what_it_is(tmp_path):
    told = synthetic(tmp_path, **SMALL, render=False)
    assert not list(tmp_path.iterdir()) and told.fingerprint == "" and OUTLINE in told.notes


def test_a_set_that_is_there_is_opened_as_it_is(cache, small):
    assert synthetic(cache, **SMALL, render=False) == small
