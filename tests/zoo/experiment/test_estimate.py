"""What a run will take here."""

import dataclasses

from tests.zoo.conftest import ask
from zoo.experiment.estimate import describe, estimate
from zoo.experiment.plan import plan


def test_twice_the_epochs_are_twice_the_steps(people, tmp_path):
    short, long = (plan(ask(people, tmp_path, changes={"epochs": n})).runs[0] for n in (2, 4))
    first, second = estimate(short, "cpu"), estimate(long, "cpu")
    assert second.steps == 2 * first.steps > 0
    assert first.seconds > 0 and first.memory_mb > 0


def test_a_checkpoint_is_not_trained(people, tmp_path):
    (run,) = plan(ask(people, tmp_path)).runs
    taken = dataclasses.replace(run, spec=dataclasses.replace(run.spec, checkpoint="sta.x@0"))
    assert estimate(taken, "cpu").steps == 0


def test_the_plan_is_told_in_one_line(people, tmp_path):
    planned = plan(ask(people, tmp_path / "o", seeds=2))
    line = describe(planned, [estimate(run, "cpu") for run in planned.runs])
    assert line.startswith("2 runs, about ") and line.endswith(f"into {tmp_path / 'o'}")
    assert not (tmp_path / "o").exists()
