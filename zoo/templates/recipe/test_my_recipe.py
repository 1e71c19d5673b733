"""my_recipe: what it changes, and what its rate does."""

from pathlib import Path

import pytest

import zoo
from zoo.plugins import add_plugin

add_plugin(str(Path(__file__).with_name("my_recipe.py")))
CHANGED = {"optimiser": "adamw", "weight_decay": 0.05, "warmup": 2, "erase": 0.5}


def test_it_is_quick_but_for_what_it_says():
    before = zoo.recipe("quick").training_settings()
    settings = zoo.recipe("my_recipe").training_settings()
    assert {k: v for k, v in settings.items() if v != before[k]} == CHANGED


def test_its_rate_rises_and_then_falls_to_the_end():
    chosen = zoo.recipe("my_recipe")
    rates = [chosen.lr_at(epoch) for epoch in range(chosen.epochs + 1)]
    assert max(rates) == rates[chosen.warmup] == pytest.approx(chosen.lr)
    assert rates[0] < rates[1] < rates[2] and rates[-1] == min(rates)


def test_a_setting_can_be_changed_by_name():
    assert zoo.recipe("my_recipe", epochs=3).epochs == 3


def test_a_value_out_of_range_is_refused():
    with pytest.raises(ValueError, match="erase is 2, expected a share"):
        zoo.recipe("my_recipe", erase=2.0)
