"""What tests of the commands share: nothing of the user's is read, and a command is called."""

import pytest

from tests.conftest import command
from tests.zoo.loopback import Loopback
from tests.zoo.shelf import shelve
from zoo.checkpoints import config as settings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    for name in ("ZOO_MIRRORS", "ZOO_OFFLINE", "ZOO_CHECKPOINTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(settings.platformdirs, "user_config_path", lambda _: tmp_path / "config")


@pytest.fixture
def call(capsys):
    """Run a command; returns status, stdout and stderr."""

    def run(*arguments):
        status = command(*arguments)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def server():
    found = Loopback()
    yield found
    found.close()


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The row of a tiny checkpoint in a table that is set."""
    row = shelve(tmp_path / "home")
    monkeypatch.setenv("ZOO_CHECKPOINTS", str(tmp_path / "home" / "checkpoints.toml"))
    return row
