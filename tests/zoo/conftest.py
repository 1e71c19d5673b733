"""What tests of the commands share: nothing of the user's is read, and a command is called."""

import shutil

import numpy as np
import pytest

from benchmark.cost import timing
from benchmark.progress import SILENT
from tests.conftest import TINY, TINY_SET, command, draw_person
from tests.zoo.loopback import Loopback
from tests.zoo.shelf import shelve
from zoo.checkpoints import config
from zoo.checkpoints.config import Settings
from zoo.checkpoints.table import read_table
from zoo.experiment import scores
from zoo.experiment.bench import carry_out
from zoo.experiment.folder import RunFolder
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.request import BenchRequest

PUBLISHED = "sta.folder"


@pytest.fixture(scope="session", autouse=True)
def brief_timing():
    """Networks are timed for a moment: a busy machine would otherwise try for ten seconds."""

    def measure(*arguments):
        brief = {"ATTEMPTS": 1, "MOST_SECONDS": 0.05, "BATCHES": (1, 2)}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in brief.items():
                patch.setattr(timing, name, value)
            return timing.measure(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scores, "measure", measure)
        yield


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


@pytest.fixture
def finished_run(results, tmp_path):
    """A copy of that run in a result folder of its own, to be changed."""
    copy = tmp_path / "copied" / "runs" / results.name
    shutil.copytree(results, copy)
    return RunFolder(copy)


def ask(people, out, **changes):
    """A request for one epoch of the tiny network."""
    fields = {"methods": "sta", "dataset": "folder", "data_root": people, "out": out, "workers": 0}
    fields |= {"recipe": recipe("quick", TINY | {"epochs": 1}), "device": "cpu", "command": "test"}
    return BenchRequest(**fields | changes)


@pytest.fixture
def bench(people, tmp_path):
    """Carry out a bench of one epoch of the tiny network, with changes; its result."""
    return lambda **changes: carry_out(ask(people, tmp_path / "out", **changes), SILENT)


@pytest.fixture(scope="session")
def crowd(tmp_path_factory):
    """A folder data set with enough training persons to hold some out: 10, and 2 test persons."""
    root = tmp_path_factory.mktemp("crowd")
    rng = np.random.default_rng(1)
    for person in range(12):
        upper, lower = rng.integers(40, 215, (2, 3))
        for camera in (1, 2):
            part = "train" if person < 10 else ("query" if camera == 1 else "gallery")
            for tracklet in range(2 if person < 10 else 1):
                folder = root / part / f"p{person}" / f"c{camera}_{tracklet}"
                folder.mkdir(parents=True)
                for frame in range(2):
                    draw_person(folder / f"{frame}.jpg", upper, lower, camera, rng)
    return root


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
