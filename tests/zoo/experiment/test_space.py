"""What a search may choose from, and what a choice makes of a recipe."""

import math

import pytest

from tests.conftest import TINY
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.space import UNIFIED, Parameter, Space, apply, defaults

QUICK = recipe("quick", TINY | {"epochs": 10, "warmup": 1})


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": "loguniform", "low": 1, "high": 2}, "expected one of log, linear, choice"),
        ({"kind": "linear", "low": 2, "high": 2}, "the range 2 to 2 is empty"),
        ({"kind": "log", "low": 3, "high": 1}, "the range 3 to 1 is empty"),
        ({"kind": "log", "low": 0, "high": 1}, "a log range begins above 0, not at 0"),
        ({"kind": "log", "low": 1, "high": math.inf}, "two finite numbers, not to inf"),
        ({"kind": "linear", "low": math.nan, "high": 1}, "two finite numbers, not to nan"),
        ({"kind": "linear", "low": "0", "high": 1}, "two finite numbers, not to '0'"),
        ({"kind": "choice", "choices": ()}, "two values or more"),
        ({"kind": "choice", "choices": (1,)}, "two values or more"),
        ({"kind": "choice", "choices": (1, 2, 1)}, "each of them once"),
        ({"kind": "choice", "choices": ({}, 1)}, "between numbers and words, not {}"),
    ],
)
def test_what_nothing_can_be_chosen_from_is_refused(fields, says):
    with pytest.raises(ValueError, match=says):
        Parameter(**fields)


def test_a_parameter_holds_what_can_be_chosen():
    assert Parameter(kind="log", low=1, high=10).holds(10)
    assert not Parameter(kind="log", low=1, high=10).holds(10.5)
    assert not Parameter(kind="linear", low=0, high=2).holds(True)
    assert Parameter(kind="choice", choices=("soft", 0.3)).holds("soft")


def test_a_method_s_own_arguments_are_for_that_method_alone():
    lr, own = Parameter(kind="log", low=1, high=2), Parameter(kind="choice", choices=(2, 4))
    space = Space(name="x@1", parameters={"lr": lr, "sta.blocks": own})
    assert space.of("sta") == space.of("sta[blocks=8]") == {"lr": lr, "sta.blocks": own}
    assert space.of("stenvan") == space.of("sta_avg") == {"lr": lr}


def test_every_method_without_arguments_of_its_own_gets_the_same_space():
    assert UNIFIED.of("stenvan") == UNIFIED.of("nlam_nltp") == dict(UNIFIED.parameters)


def test_values_are_changes_of_the_recipe_and_arguments_of_the_method():
    values = {"lr": 1e-3, "triplet": "soft", "warmup_share": 0.16, "sta.blocks": 2}
    method, changes = apply("sta[regularisation=0.5]", QUICK, values)
    assert method == "sta[blocks=2,regularisation=0.5]"
    assert changes == {"lr": 1e-3, "triplet": "soft", "warmup": 2}
    assert apply("stenvan", QUICK, values)[0] == "stenvan"


def test_a_list_is_chosen_in_its_written_form():
    losses = Parameter(kind="choice", choices=(("cross_entropy", "triplet"), "cross_entropy"))
    assert losses.choices == ("cross_entropy+triplet", "cross_entropy")
    _, changes = apply("sta", QUICK, {"losses": losses.choices[0]})
    assert changes == {"losses": ("cross_entropy", "triplet")}
    assert defaults("sta", QUICK, {"losses": losses}) == {"losses": "cross_entropy+triplet"}


def test_the_recipe_s_own_values_give_the_recipe_itself():
    values = defaults("sta", QUICK, UNIFIED.parameters)
    method, changes = apply("sta", QUICK, values)
    assert method == "sta" and recipe("quick", TINY | {"epochs": 10} | changes) == QUICK
    own = {"sta.blocks": Parameter(kind="choice", choices=(4, 8))}
    assert defaults("sta[blocks=8]", QUICK, own) == {"sta.blocks": 8}


def test_a_recipe_outside_the_space_has_no_values_in_it():
    assert defaults("sta", recipe("quick", {"lr": 1.0}), UNIFIED.parameters) is None


@pytest.mark.parametrize("name", ["quick", "unified"])
def test_the_default_space_holds_the_shared_recipes(name):
    assert defaults("sta", recipe(name), UNIFIED.parameters) is not None
