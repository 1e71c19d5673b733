"""What a search is for every method, and the runs that come of it."""

import dataclasses

import pytest

from benchmark.files import write_json
from benchmark.recipe import Recipe
from tests.conftest import TINY
from tests.zoo.experiment.tuning import QUICK, SPACE, request
from zoo.experiment.data import open_dataset
from zoo.experiment.paper_recipes import recipe
from zoo.experiment.request import Budget
from zoo.experiment.space import Parameter, Space
from zoo.experiment.tune_plan import TunePlan

BETTER = {"lr": 0.02, "random_crop": 0.0, "sta.regularisation": 2.0}


def part(chosen):
    """A method's part of a summary."""
    return {"chosen": chosen, "spent": {"trials": 4, "clips": 64, "hours": 0.5}}


def space(**parameters):
    return Space(name="x@1", parameters=parameters)


def test_the_chosen_settings_are_trained_on_all_training_persons(crowd, tmp_path):
    plan = TunePlan(request(crowd, tmp_path, seeds=2)).final_plan({"sta": part(BETTER)})
    assert [run.spec.seed for run in plan.runs] == [0, 1, 0, 1]
    assert all(run.spec.validation is None for run in plan.runs)
    assert {run.dataset.fingerprint for run in plan.runs} == {
        open_dataset("folder", crowd).fingerprint
    }
    default, tuned = plan.runs[0].spec, plan.runs[2].spec
    assert default.method == "sta" and tuned.method == "sta[regularisation=2]"
    assert (default.settings["lr"], tuned.settings["lr"]) == (QUICK.lr, 0.02)
    assert not (plan.sweep or plan.also_test or plan.train_only)


def test_folds_of_too_few_persons_are_refused_before_anything_is_trained(crowd, tmp_path):
    with pytest.raises(ValueError, match=r"--folds 6 leaves 1 of 10 training persons"):
        TunePlan(dataclasses.replace(request(crowd, tmp_path / "out"), folds=6))
    assert not (tmp_path / "out").exists()


def test_a_search_is_the_same_one_when_recipes_gain_a_setting(crowd, tmp_path, monkeypatch):
    before = TunePlan(request(crowd, tmp_path)).study
    settings = Recipe.training_settings
    monkeypatch.setattr(Recipe, "training_settings", lambda self: settings(self) | {"later": 0})
    assert TunePlan(request(crowd, tmp_path)).study == before


def test_only_the_chosen_settings_are_told_as_tuned(crowd, tmp_path):
    found = TunePlan(request(crowd, tmp_path))
    default, tuned = found.final_plan({"sta": part(BETTER)}).runs
    assert default.scoring.chosen_by is None
    assert tuned.scoring.chosen_by.startswith(f"tuned: study {found.study}, space small@1, 4 tri")


@pytest.mark.parametrize("values", [{}, {"lr": QUICK.lr, "sta.regularisation": 1.0}])
def test_a_choice_that_is_the_recipe_itself_makes_one_run(crowd, tmp_path, values):
    (run,) = TunePlan(request(crowd, tmp_path)).final_plan({"sta": part(values)}).runs
    assert run.scoring.chosen_by is None


def test_trials_are_trained_without_the_persons_that_are_held_out(crowd, tmp_path):
    run = TunePlan(request(crowd, tmp_path))._trial("sta", BETTER)
    assert run.spec.validation == {
        "folds": 2, "fold": 0, "every": 1, "select": "last",
        "frames": "chunk-first4", "distance": "cos-bn",
    }  # fmt: skip


def test_a_search_is_named_for_data_recipe_and_what_is_searched(crowd, tmp_path):
    asked = request(crowd, tmp_path)
    first = TunePlan(asked).study
    assert first.startswith("folder-quick-")
    other_budget = dataclasses.replace(asked, trials=9, budget=Budget(clips=1000))
    other_space = dataclasses.replace(asked, space=space(lr=SPACE.parameters["lr"]))
    other_recipe = request(crowd, tmp_path, changes={"epochs": 1})
    assert TunePlan(other_budget).study == first
    assert len({first, TunePlan(other_space).study, TunePlan(other_recipe).study}) == 3


def test_the_result_folder_is_named_for_data_and_recipe(crowd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert TunePlan(request(crowd, None)).out.as_posix() == "results/tune-folder-quick"
    assert list(tmp_path.iterdir()) == []


def test_methods_that_were_searched_before_stay_if_the_budget_is_the_same(crowd, tmp_path):
    plan = TunePlan(request(crowd, tmp_path))
    write_json(plan.summary_path, plan.summary({"sta": part(BETTER)}))
    assert set(plan.summary({"nvan": part({})})["methods"]) == {"nvan", "sta"}
    other = TunePlan(request(crowd, tmp_path, trials=9))
    assert set(other.summary({"nvan": part({})})["methods"]) == {"nvan"}


def test_a_summary_holds_space_and_budget(crowd, tmp_path):
    found = TunePlan(request(crowd, tmp_path, budget=640)).summary({"sta": part(BETTER)})
    assert found["budget"] == {"trials": 4, "clips": 640}
    assert found["space"]["parameters"]["lr"] == {"kind": "log", "low": 1e-4, "high": 1e-1}
    assert "test" not in found["fingerprint"] and found["dataset"] == "folder"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"methods": "stta"}, "did you mean sta"),
        ({"changes": {"epochs": 0}}, "sta: epochs is 0, nothing would be trained"),
        ({"precision": "fp16"}, "fp16"),
        ({"space": space(frames=Parameter(kind="choice", choices=(4, 6))), "methods": "stenvan"},
         "T = 6 frames do not fit"),
        ({"space": space(**{"sta.blocks": Parameter(kind="choice", choices=(4, 3))})},
         "K = 3 blocks do not divide"),
        ({"space": space(epochs=Parameter(kind="choice", choices=(2, -1)))}, "epochs is -1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_found_before_anything_is_written(crowd, tmp_path, changes, says):
    with pytest.raises((ValueError, LookupError), match=says) as error:
        TunePlan(request(crowd, tmp_path / "out", **changes))
    assert "\n" not in str(error.value) and not (tmp_path / "out").exists()


def test_too_few_persons_are_found_before_anything_is_written(people, tmp_path):
    asked = dataclasses.replace(request(people, tmp_path / "out"), folds=5)
    with pytest.raises(ValueError, match="4 training persons are too few"):
        TunePlan(asked)
    assert not (tmp_path / "out").exists()


def test_each_paper_s_own_recipe_is_searched_under_one_name(crowd, tmp_path):
    small = {k: v for k, v in TINY.items() if k != "init"} | {"init": "none", "epochs": 1}
    asked = {"recipe": "paper", "changes": small, "methods": "sta,nvan"}
    plan = TunePlan(request(crowd, tmp_path, **asked))
    assert plan.study.startswith("folder-paper-")
    assert plan.recipes["sta"] == recipe("paper/sta", small)
