"""Where the processes of one command leave each other word."""

import ipaddress

import psutil
import pytest
import torch.distributed as dist

from zoo.experiment.store import open_store


def heard_at(port):
    """Addresses that this process listens on at a port."""
    here = psutil.Process().net_connections("inet")
    return [one.laddr.ip for one in here if one.status == "LISTEN" and one.laddr.port == port]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_store_for_one_machine_is_on_its_loopback_address_alone(host):
    store = open_store(host)
    assert heard_at(store.port) == ["127.0.0.1"]
    dist.TCPStore(host, store.port, is_master=False).set("word", "said")
    assert store.get("word") == b"said"


def test_a_store_for_several_machines_is_heard_by_all(monkeypatch):
    monkeypatch.setattr("zoo.experiment.store.LOOPBACK", ())
    store = open_store("127.0.0.1")
    (address,) = heard_at(store.port)
    assert ipaddress.ip_address(address).is_unspecified
