"""How the processes of a job find each other on a cluster."""

import threading
from types import SimpleNamespace

import pytest
import torch.distributed as dist

from zoo.experiment.engines.desk import Attempt, Desk

ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")
ATTEMPT = Attempt(0, 1)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A desk in this process, and a Ray whose calls are made at once."""
    found = Desk(tmp_path)
    monkeypatch.setattr(ray, "get", lambda given: given)
    monkeypatch.setattr(ray.util, "get_node_ip_address", lambda: "127.0.0.1")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    calls = {name: SimpleNamespace(remote=getattr(found, name)) for name in ("meet", "meeting")}
    return SimpleNamespace(**calls)


@pytest.fixture
def group(monkeypatch):
    """What torch was told to make groups of."""
    told = []
    monkeypatch.setattr(dist, "init_process_group", lambda **given: told.append(given))
    monkeypatch.setattr(dist, "destroy_process_group", lambda: told.append(None))
    return told


def enter(desk, rank, processes=2):
    from zoo.experiment.engines.meeting import process_group

    with process_group(desk, ATTEMPT, rank, processes):
        pass


def test_one_process_alone_meets_nobody(desk, group):
    enter(desk, 0, processes=1)
    assert group == [] and desk.meeting.remote(ATTEMPT) is None


def test_the_others_wait_until_the_first_is_there_and_share_its_store(desk, group):
    second = threading.Thread(target=enter, args=(desk, 1))
    second.start()
    enter(desk, 0)
    second.join(60)
    first, other = sorted(filter(None, group), key=lambda one: one["rank"])
    assert (first["world_size"], other["rank"], group.count(None)) == (2, 1, 2)
    first["store"].set("word", "said")
    assert other["store"].get("word") == b"said"
    assert desk.meeting.remote(Attempt(0, 2)) is None, "another attempt has its own"


def test_processes_that_do_not_find_each_other_say_so_in_one_line(desk, group, monkeypatch):
    def fails(**_):
        raise dist.DistNetworkError("no route\nto host")

    monkeypatch.setattr(dist, "init_process_group", fails)
    with pytest.raises(OSError, match=r"do not find each other \(no route to host\)"):
        enter(desk, 0)
