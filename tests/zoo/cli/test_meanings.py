"""What fields mean, from docstrings."""

import dataclasses

import pytest

from benchmark.recipe import Evaluation, Recipe
from benchmark.rules import Protocol
from zoo.cli.meanings import meanings


@pytest.mark.parametrize("documented", [Recipe, Evaluation, Protocol])
def test_every_field_has_a_meaning(documented):
    told = meanings(documented)
    assert set(told) == {field.name for field in dataclasses.fields(documented)}
    assert all(told.values())


def test_a_meaning_of_several_lines_is_one_and_bears_no_marks():
    told = meanings(Recipe)
    assert told["height"] == "of the images, in pixels."
    assert told["tower_lr"].startswith("factor on the rate of a transformer (tower)")
    assert "`" not in told["init"] and "\n" not in told["init"]


def test_a_class_that_says_nothing_has_none():
    class Bare:
        """Nothing."""

    assert meanings(Bare) == {}
