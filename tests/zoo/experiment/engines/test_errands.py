"""Jobs on a cluster: whatever dies, the figures are those of the local engine."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.zoo.experiment.engines.conftest import of_seeds, results
from zoo.experiment.engines import errands
from zoo.experiment.execute import execute
from zoo.experiment.plan import plan


class Heard:
    """Remembers what was told, and may stop everything when a stage is reached."""

    def __init__(self, stop_at=None):
        self.lines, self.stages, self.titles, self.stop_at = [], [], [], stop_at

    def begin(self, title):
        self.lines.append(title)

    def advance(self, what, done, total):
        self.stages.append(what)
        if what == self.stop_at and done >= 4:
            raise KeyboardInterrupt

    def note(self, line):
        self.lines.append(line)

    def line(self, title):
        self.titles.append(title)
        return self

    def end(self):
        pass


def mark(marks, *names):
    for name in names:
        (marks / name).write_text("")


def seen(heard, words):
    return [line for line in heard.lines if words in line]


@pytest.fixture
def blind(monkeypatch):
    """No machine sees the driver's result folder."""
    monkeypatch.setattr(errands, "write_probe", lambda out: "none")


@pytest.fixture
def lost_machine(cluster, shaky):
    """The machine that a run waits on is killed as soon as it says so."""
    mark(shaky, "node")
    (shaky / "head").write_text(cluster.head_node.node_id)
    over = threading.Event()

    def kill():
        while not over.wait(0.05):
            told = shaky / "node-id"
            if told.exists() and told.read_text():
                nodes = {node.node_id: node for node in cluster.worker_nodes}
                cluster.remove_node(nodes[told.read_text()], allow_graceful=False)
                return

    killer = threading.Thread(target=kill)
    killer.start()
    yield
    over.set()
    killer.join()


@pytest.mark.slow
@pytest.mark.parametrize("storage", ["shared", "own"])
def test_workers_and_a_machine_are_killed_and_no_figure_changes(
    engine, runs, shaky, undisturbed, lost_machine, request, tmp_path, storage
):
    if storage == "own":
        request.getfixturevalue("blind")
    mark(shaky, "train", "embed", "checkpoint")
    heard = Heard()
    assert execute(plan(runs(4, tmp_path), engine=engine), heard, engine) == []
    assert results(tmp_path) == undisturbed
    assert {path.name for path in shaky.iterdir()} == {"head", "node-id"}  # all were taken
    assert len(seen(heard, "begun again (1 of 3)")) >= 3, heard.lines
    assert len(seen(heard, ": mAP ")) == 4
    assert not list(tmp_path.rglob(".probe-*")) and not list(tmp_path.rglob("*.part*"))


@pytest.mark.slow
def test_ctrl_c_ends_what_goes_on_and_leaves_its_checkpoint(
    engine, runs, undisturbed, blind, tmp_path
):
    asked = runs(2, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        execute(plan(asked, engine=engine), Heard(stop_at="train"), engine)
    assert list(tmp_path.glob("runs/*/checkpoint.pt"))
    heard = Heard()
    assert execute(plan(asked, engine=engine), heard, engine) == []
    assert results(tmp_path) == of_seeds(2, undisturbed) and "cost" not in heard.stages


DRIVER = """
import os, sys
sys.path.insert(0, {root!r})
from pathlib import Path
import ray
ray.init({address!r}, log_to_driver=False, logging_level="ERROR")
from tests.zoo.conftest import ask
from tests.zoo.experiment.engines.conftest import EIGHT_STEPS
from tests.zoo.experiment.engines.shaky import shaky_in
from zoo import plugins
from zoo.experiment.bench import carry_out
from zoo.experiment.options import EngineOptions
from benchmark.progress import SILENT
plugins.register("method", shaky_in({marks!r}, os.getpid()))
engine = EngineOptions(name="ray", address={address!r})
out = Path({out!r})
asked = ask(Path({people!r}), out, methods="shaky", recipe=EIGHT_STEPS, seeds=3, engine=engine)
carry_out(asked, SILENT)
"""


@pytest.mark.slow
def test_the_driver_is_killed_and_what_was_finished_counts(
    engine, cluster, runs, shaky, undisturbed, people, tmp_path
):
    places = {"marks": str(shaky), "out": str(tmp_path), "people": str(people)}
    code = DRIVER.format(root=os.getcwd(), address=cluster.address, **places)
    driver = subprocess.Popen([sys.executable, "-c", code])
    while not list(tmp_path.glob("runs/*/records/*.json")) and driver.poll() is None:
        time.sleep(0.05)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    (first, *_) = tmp_path.glob("runs/*/records/*.json")
    weights = first.parent.parent / "weights.safetensors"
    written = weights.stat().st_mtime_ns
    assert execute(plan(runs(3, tmp_path), engine=engine), engine=engine) == []
    assert results(tmp_path) == of_seeds(3, undisturbed)
    assert weights.stat().st_mtime_ns == written


def test_a_run_that_fails_or_is_lost_too_often_is_no_other_s_failure(
    engine, runs, shaky, undisturbed, monkeypatch, tmp_path
):
    monkeypatch.setattr(errands, "AGAIN", 0)
    mark(shaky, "train", "fail")
    heard = Heard()
    found = execute(plan(runs(4, tmp_path), engine=engine), heard, engine)
    (broken,) = [one for one in found if "broken" in one.reason]
    (lost,) = [one for one in found if one is not broken]
    assert (broken.method, broken.stage) == ("shaky", "train")
    assert broken.reason.startswith("RuntimeError: broken on purpose and more (")
    assert "was lost (WorkerCrashedError), after 0 further attempts" in lost.reason
    assert lost.reason.split(" was ")[0] in {t.split(", on ")[1] for t in heard.titles}
    assert len(results(tmp_path)) == 2 and len(list(tmp_path.glob("runs/*/failure.json"))) == 2
    assert results(tmp_path).items() <= undisturbed.items()
