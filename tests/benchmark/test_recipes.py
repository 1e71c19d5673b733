"""Recipes by name: what is written is what is meant."""

import json

import pytest

from benchmark.recipe import Evaluation, Recipe
from benchmark.recipes import (
    RECIPES,
    from_settings,
    parse_changes,
    recipe,
    replace,
    variant_of,
)


def test_a_recipe_carries_its_changes_in_its_name():
    changed = recipe("quick", {"epochs": 3, "lr": 1e-3})
    assert str(variant_of(changed)) == "quick[epochs=3,lr=0.001]"
    assert recipe(str(variant_of(changed))) == changed


def test_a_change_to_the_same_value_is_no_change():
    assert str(variant_of(recipe("quick", {"epochs": RECIPES["quick"].epochs}))) == "quick"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"epoch": 3}, "did you mean epochs"),
        ({"epochs": "many"}, "expected int"),
        ({"epochs": -1}, "0 or more"),
        ({"sampling": "all"}, "expected one of"),
        ({"triplet": "hard"}, "a margin or soft"),
        ({"losses": ("cross_entropy", "tripel")}, "did you mean triplet"),
        ({"sampler": "tracks"}, "sampler is 'tracks', expected one of identities, tracklets"),
        ({"flip": 2.0}, "0..1"),
        ({"test_frames": "middle"}, "unknown frame rule"),
        ({"channels": (1, 2)}, "four numbers"),
        ({"name": "x"}, "unknown setting"),
    ],
)
def test_a_change_that_does_not_fit_is_refused(change, says):
    with pytest.raises((ValueError, LookupError), match=says):
        recipe("quick", change)


def test_an_unknown_recipe_lists_what_there_is():
    with pytest.raises(LookupError, match="unified"):
        recipe("unifed")


def test_changes_are_read_from_the_command_line():
    assert parse_changes(["lr=1e-3", "triplet=soft", "layers=1+2+3+1", "smoothing=0.1"]) == {
        "lr": 1e-3,
        "triplet": "soft",
        "layers": (1, 2, 3, 1),
        "smoothing": 0.1,
    }
    with pytest.raises(ValueError, match="key=value"):
        parse_changes(["epochs"])


def test_unified_is_the_one_that_the_design_names():
    r = RECIPES["unified"]
    assert (r.height, r.width, r.frames, r.ids_per_batch, r.clips_per_id) == (256, 128, 8, 8, 4)
    assert (r.lr, r.weight_decay, r.epochs, r.triplet, r.flip) == (1e-4, 5e-5, 200, "soft", 0.5)
    assert r.init == "imagenet" and str(r.rule) == "chunk-first8"
    assert [r.lr_at(e) for e in (0, 49.9, 50, 100, 150)] == pytest.approx(
        [1e-4, 1e-4, 1e-5, 1e-6, 1e-7]
    )


def test_none_is_a_word_where_a_setting_takes_words():
    assert recipe("quick", parse_changes(["init=none"])).init == "none"
    assert recipe("quick[init=none]").init == "none"
    assert str(variant_of(recipe("quick", {"init": "none"}))) == "quick[init=none]"


def test_a_list_of_losses_is_written_with_plus_and_one_alone_without():
    changed = recipe("quick[losses=cross_entropy+triplet+contrast,contrast=0.001]")
    assert changed.losses == ("cross_entropy", "triplet", "contrast")
    assert recipe("quick[losses=cross_entropy]").losses == ("cross_entropy",)
    assert str(variant_of(recipe("quick[losses=triplet]"))) == "quick[losses=triplet]"


def test_the_evaluation_of_a_recipe_changes_its_scores_and_not_its_name():
    changed = recipe("quick", {"test_frames": "dense-wrap", "distance": "l2sq-raw", "lr": 0.5})
    assert changed.evaluation == Evaluation(frames="dense-wrap", distance="l2sq-raw")
    assert str(variant_of(changed)) == "quick[lr=0.5]"
    assert replace(changed, {"distance": "cos-bn"}).evaluation.frames == "dense-wrap"


def test_a_stored_recipe_comes_back_whatever_its_name_says_today():
    stored = recipe("quick", {"epochs": 3, "losses": ("triplet",), "milestones": (1, 2)})
    settings = json.loads(json.dumps(stored.training_settings()))
    today = {"quick": recipe("quick", {"lr": 1.0})}
    again = from_settings(str(variant_of(stored)), settings, stored.evaluation)
    assert again == stored
    assert variant_of(again, today).arguments["lr"] == stored.lr


def test_a_setting_that_is_newer_than_the_stored_recipe_has_its_default():
    settings = RECIPES["quick"].training_settings()
    del settings["erase"]
    assert from_settings("quick", settings, Evaluation()).erase == 0.0


def test_a_setting_of_a_later_version_is_refused_by_name():
    settings = {**RECIPES["quick"].training_settings(), "mixup": 0.2}
    with pytest.raises(ValueError, match="the stored recipe quick has mixup"):
        from_settings("quick", settings, Evaluation())


def test_a_recipe_of_ones_own_is_found_by_name_and_carries_changes(monkeypatch):
    monkeypatch.setitem(RECIPES, "mine", Recipe(name="mine", lr=0.5))
    assert recipe("mine[epochs=3]") == Recipe(name="mine", lr=0.5, epochs=3)
    assert str(variant_of(recipe("mine[epochs=3]"))) == "mine[epochs=3]"


def test_a_recipe_that_nobody_knows_has_its_name_alone():
    assert str(variant_of(Recipe(name="made", lr=0.5))) == "made"


def test_a_transformer_takes_a_twentieth_of_the_rate_under_unified_alone():
    assert RECIPES["unified"].tower_lr == 0.05
    assert RECIPES["quick"].tower_lr == Recipe(name="mine").tower_lr == 1.0
