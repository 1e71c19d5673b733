"""What tests of the commands share: nothing of the user's is read, and a command is called."""

import shutil

import pytest

from tests.conftest import TINY_SET, command
from tests.zoo.loopback import Loopback
from tests.zoo.shelf import shelve
from zoo.checkpoints import config
from zoo.checkpoints.config import Settings
from zoo.checkpoints.table import read_table

PUBLISHED = "sta.folder"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    for name in ("ZOO_MIRRORS", "ZOO_OFFLINE", "ZOO_CHECKPOINTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(config.platformdirs, "user_config_path", lambda _: tmp_path / "config")


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
def settings(tmp_path):
    """Settings with an empty cache and nothing else."""
    return Settings(cache=tmp_path / "cache", mirrors=(), offline=False, tables=())


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The row of a tiny checkpoint in a table that is set."""
    row = shelve(tmp_path / "home")
    monkeypatch.setenv("ZOO_CHECKPOINTS", str(tmp_path / "home" / "checkpoints.toml"))
    return row


@pytest.fixture(scope="session")
def results(people, tmp_path_factory):
    """A finished run of a tiny network; its folder."""
    out = tmp_path_factory.mktemp("results")
    places = ["--data-root", str(people), "--out", str(out), "--workers", "0"]
    arguments = ["--methods", "sta", "--dataset", "folder", "--recipe", "quick"]
    assert command("bench", *arguments, *TINY_SET, *places) == 0
    (run,) = (out / "runs").iterdir()
    return run


@pytest.fixture(scope="session")
def published(results, people, tmp_path_factory):
    """The same run, published once; the folder."""
    folder = tmp_path_factory.mktemp("published")
    words = ["--licence", "CC-BY-4.0", "--note", "tiny", "--workers", "0"]
    status = command("publish", results, PUBLISHED, "--data-root", people, "--out", folder, *words)
    assert status == 0
    return folder


@pytest.fixture
def table(published, tmp_path, monkeypatch):
    """A copy of what was published, set as a table."""
    shutil.copytree(published, tmp_path / "table")
    monkeypatch.setenv("ZOO_CHECKPOINTS", str(tmp_path / "table" / "checkpoints.toml"))
    return tmp_path / "table"


def published_entry(folder):
    """The one checkpoint of such a folder."""
    return read_table(folder / "checkpoints.toml")[PUBLISHED]
