"""What a bench is asked for: the same defaults from the command line and from Python."""

import dataclasses
import inspect

import zoo
from zoo.cli import bench, train
from zoo.experiment.request import BenchRequest

FIELDS = {field.name: field.default for field in dataclasses.fields(BenchRequest)}


def test_both_doors_have_the_defaults_of_the_request():
    for door in (bench.bench, train.train, zoo.bench):
        for name, parameter in inspect.signature(door).parameters.items():
            if name in FIELDS and name != "methods":
                assert (parameter.default or None) == (FIELDS[name] or None), (door, name)


def test_every_field_can_be_asked_for_on_the_command_line():
    options = set(inspect.signature(bench.bench).parameters)
    renamed = {"changes": "set_", "protocols": "protocol"}
    not_typed = {"command", "train_only"}  # the latter is `zoo train`
    assert {renamed.get(name, name) for name in FIELDS if name not in not_typed} <= options
