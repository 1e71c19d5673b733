"""What a bench is asked for: the same defaults from the command line and from Python."""

import dataclasses
import inspect

import pytest

import zoo
from zoo.cli import bench, train
from zoo.experiment.request import BenchRequest, Budget

FIELDS = {field.name: field.default for field in dataclasses.fields(BenchRequest)}


def test_both_doors_have_the_defaults_of_the_request():
    for door in (bench.bench, train.train, zoo.bench):
        for name, parameter in inspect.signature(door).parameters.items():
            if name in FIELDS and name not in ("methods", "engine"):
                assert (parameter.default or None) == (FIELDS[name] or None), (door, name)


def test_every_door_carries_runs_out_here_unless_told_otherwise():
    assert BenchRequest().engine.name == "local"
    assert all(
        inspect.signature(door).parameters["engine"].default == "local"
        for door in (bench.bench, zoo.bench)
    )


def test_every_field_can_be_asked_for_on_the_command_line():
    options = set(inspect.signature(bench.bench).parameters)
    renamed = {"changes": "set_", "protocols": "protocol"}
    not_typed = {"command", "train_only"}  # the latter is `zoo train`
    assert {renamed.get(name, name) for name in FIELDS if name not in not_typed} <= options


def test_a_budget_is_read_as_clips_or_hours():
    assert Budget.read(None) == Budget()
    assert Budget.read("2000000") == Budget.read(2000000) == Budget(clips=2000000)
    assert Budget.read("1.5h") == Budget(hours=1.5)


@pytest.mark.parametrize("text", ["0", "-3", "1e6", "h", "0h", "infh", "nanh", "2 days", ""])
def test_a_budget_that_is_neither_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="expected training clips"):
        Budget.read(text)


def test_a_budget_is_spent_when_either_limit_is_reached():
    used = {"trials": 3, "clips": 100, "hours": 2.0}
    assert not Budget().is_spent(used) and not Budget(clips=101, hours=2.1).is_spent(used)
    assert Budget(clips=100).is_spent(used) and Budget(hours=2.0).is_spent(used)
