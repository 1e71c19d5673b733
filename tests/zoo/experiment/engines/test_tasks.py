"""The Ray tasks of one attempt at a job, and runs that several of them share."""

import os

import pytest

from benchmark import record
from benchmark.cost import timing
from benchmark.progress import SILENT
from tests.processes import on_processes
from tests.zoo.conftest import ask
from tests.zoo.experiment.engines.conftest import EIGHT_STEPS, results
from tests.zoo.experiment.engines.shaky import shaky_in
from tests.zoo.experiment.engines.test_errands import Heard, mark, seen
from tests.zoo.experiment.engines.test_node import lacking_data
from zoo import plugins
from zoo.experiment.bench import carry_out
from zoo.experiment.engines.ray_engine import RayEngine
from zoo.experiment.execute import execute
from zoo.experiment.options import EngineOptions
from zoo.experiment.plan import plan
from zoo.experiment.processes import lead


@pytest.fixture
def engine(cluster):
    """Two processes a run, on a cluster of two machines of one CPU."""
    return RayEngine(EngineOptions(name="ray", address=cluster.address, processes_per_run=2))


def bench(folder, people, marks):
    """What two processes do that a launcher started."""
    for name, value in {"ATTEMPTS": 1, "MOST_SECONDS": 0.05, "BATCHES": (1,)}.items():
        setattr(timing, name, value)
    plugins.register("method", shaky_in(marks, os.getpid()))
    lead(
        lambda: carry_out(ask(people, folder / "out", methods="shaky", recipe=EIGHT_STEPS), SILENT)
    )


def processes_of(out):
    return {record.load(path).processes for path in out.glob("runs/*/records/*.json")}


@pytest.mark.slow
def test_two_tasks_do_what_two_processes_of_a_launcher_do_though_each_is_killed_once(
    engine, shaky, people, tmp_path
):
    statuses, lines = on_processes(2, bench, tmp_path, people, shaky)
    assert statuses == [0, 0], lines
    mark(shaky, "other", "checkpoint")
    heard, out = Heard(), tmp_path / "ray"
    asked = ask(people, out, methods="shaky", recipe=EIGHT_STEPS)
    assert execute(plan(asked, engine=engine), heard, engine) == []
    assert results(out) == results(tmp_path / "out") and len(results(out)) == 1
    assert processes_of(out) == processes_of(tmp_path / "out") == {2}
    assert [p.name for p in out.glob("runs/*")] == [p.name for p in tmp_path.glob("out/runs/*")]
    assert not list(shaky.iterdir()) and len(seen(heard, "begun again")) == 2, heard.lines
    assert seen(heard, "was lost (process 2 of 2 is gone (killed, or out of memory?)"), heard.lines


@pytest.mark.slow
def test_what_one_task_alone_fails_at_ends_the_run_and_is_not_tried_again(
    engine, shaky, people, tmp_path
):
    mark(shaky, "fail-other")
    heard = Heard()
    asked = ask(people, tmp_path, methods="shaky", recipe=EIGHT_STEPS, train_only=True)
    (failure,) = execute(plan(asked, engine=engine), heard, engine)
    assert failure.stage == "train"
    assert failure.reason == "process 2 of 2 failed, which ends all: broken on purpose in one"
    assert not seen(heard, "begun again")


@pytest.mark.slow
def test_a_machine_without_the_data_is_named_though_another_process_was_to_use_it(
    engine, cluster, shaky, people, monkeypatch, tmp_path
):
    lacking = lacking_data(cluster, monkeypatch, tmp_path)
    asked = ask(people, tmp_path / "o", methods="shaky", dataset="on_one_machine", train_only=True)
    heard = Heard()
    with pytest.raises(OSError, match="too few machines can do it") as error:
        execute(plan(asked, engine=engine), heard, engine)
    assert lacking[:6] in str(error.value) and f"{people} is not there" in str(error.value)
    assert len(seen(heard, "gets no more runs")) == 1


def test_a_batch_that_the_tasks_cannot_share_is_refused_before_anything_begins(people, tmp_path):
    three = RayEngine(EngineOptions(name="ray", processes_per_run=3))
    with pytest.raises(ValueError, match="2 persons, which 3 processes cannot share equally"):
        plan(ask(people, tmp_path, device="cpu"), engine=three)
