"""Each paper's own recipe."""

import dataclasses

import pytest

from benchmark.recipes import QUICK, RECIPES, UNIFIED, replace
from zoo import registry
from zoo.experiment.paper_recipes import PAPER, known_recipes, make_recipe, recipe, written_form


def test_every_method_has_the_recipe_of_its_paper():
    missing = [f.__name__ for f in registry.METHODS if f"paper/{f.__name__}" not in PAPER]
    assert not missing
    assert all(name == chosen.name for name, chosen in PAPER.items())


def test_the_figures_are_those_of_the_papers():
    sta, stenvan = PAPER["paper/sta"], PAPER["paper/stenvan"]
    assert (sta.epochs, sta.lr, sta.triplet, sta.frames) == (800, 3e-4, 0.3, 4)
    assert sta.evaluation.distance == "l2sq-raw" and stenvan.evaluation.distance == "cos-bn"
    assert (stenvan.epochs, stenvan.milestones) == (200, (50, 100, 150))


@pytest.mark.parametrize("name", ["nvan", "resnet50_avg", "resnet50_max"])
def test_the_rate_of_ste_nvan_and_its_baselines_falls_every_fifty_epochs_to_the_end(name):
    chosen = PAPER[f"paper/{name}"]
    rates = [chosen.lr_at(epoch) for epoch in range(chosen.epochs)]
    wanted = [1e-4 * 0.1 ** (epoch // 50) for epoch in range(chosen.epochs)]
    assert rates == pytest.approx(wanted)


def test_sta_mirrors_each_frame_for_itself_and_other_papers_the_clip():
    flipped = {name.removeprefix("paper/") for name, one in PAPER.items() if one.flip_frames}
    assert flipped == {"sta", "sta_fusion", "sta_attention", "sta_avg", "sta_baseline"}


def test_single_images_are_tested_as_the_mean_over_all_frames():
    assert str(PAPER["paper/resnet50_image"].rule) == "all-mean"


def test_a_recipe_of_one_s_own_is_known_beside_ours(monkeypatch):
    monkeypatch.setitem(RECIPES, "mine", dataclasses.replace(QUICK, name="mine", epochs=1))
    assert recipe("mine").epochs == 1 and "mine" in known_recipes()


def test_the_written_form_names_the_changes_of_the_training_part():
    changed = make_recipe("quick", lr=1e-3, distance="l2sq-raw")
    assert written_form(changed) == "quick[lr=0.001]"
    assert recipe(written_form(changed)) == replace(changed, {"distance": "cos-bn"})
    assert written_form(UNIFIED) == "unified"


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("paper/stan", {}, "did you mean paper/sta"),
        ("quick", {"epoch": 3}, "did you mean epochs"),
        ("quick", {"lr": "fast"}, "expected float"),
    ],
)
def test_what_is_no_recipe_is_refused(name, settings, says):
    with pytest.raises((LookupError, ValueError), match=says):
        make_recipe(name, **settings)


def test_psta_warms_up_from_a_hundredth_and_tf_clip_s_rate_is_its_tower_s():
    assert PAPER["paper/psta"].lr_at(0) == pytest.approx(3.5e-6)
    assert (PAPER["paper/tf_clip"].lr, PAPER["paper/tf_clip"].tower_lr) == (5e-6, 1.0)
    assert UNIFIED.lr * UNIFIED.tower_lr == pytest.approx(PAPER["paper/tf_clip"].lr)
