"""What a run is: everything that decides its weights, and nothing else."""

import dataclasses

import pytest

from benchmark.datasets.base import Dataset
from benchmark.recipe import Evaluation, Recipe
from benchmark.recipes import QUICK, RECIPES, replace
from zoo.experiment import spec as specification
from zoo.experiment.spec import RunSpec, specify

DATA = Dataset(name="none", train=(), test=(), query=(), fingerprint="0", protocol="open")
DEFAULTS = Recipe(name="").training_settings()


def spec_of(method="sta", chosen=QUICK, **options):
    return specify(method, chosen, DATA, **options)


def test_the_id_is_that_of_what_is_stored(finished_run):
    stored = finished_run.spec()
    assert RunSpec(**stored.as_dict()).id == stored.id and finished_run.path.name == stored.folder


def test_another_evaluation_is_the_same_run():
    other = replace(QUICK, {"test_frames": "all", "distance": "l2sq-raw"})
    assert spec_of(chosen=other).id == spec_of().id


def test_what_a_recipe_is_called_decides_nothing():
    assert spec_of(chosen=dataclasses.replace(QUICK, name="mine")).id == spec_of().id


@pytest.mark.parametrize(
    "change",
    [
        {"chosen": replace(QUICK, {"lr": 1e-3})},
        {"chosen": replace(QUICK, {"losses": ("cross_entropy",)})},
        {"method": "sta[blocks=2]"},
        {"seed": 1},
        {"precision": "bf16"},
        {"validation": {"fold": 0}},
    ],
)
def test_what_changes_the_weights_is_another_run(change):
    assert spec_of(**change).id != spec_of().id


def test_a_run_is_read_with_the_settings_that_it_stored(monkeypatch):
    spec = spec_of(chosen=replace(QUICK, {"epochs": 3}))
    monkeypatch.setitem(RECIPES, "quick", replace(QUICK, {"height": 32, "frames": 2, "lr": 1.0}))
    evaluation = Evaluation(distance="l2sq-raw")
    stored = RunSpec(**spec.as_dict()).trained_by(evaluation)
    assert stored == dataclasses.replace(replace(QUICK, {"epochs": 3}), evaluation=evaluation)


def test_a_first_stage_is_a_run_of_the_same_settings_that_has_none_itself():
    staged = replace(QUICK, {"first_stage": "nvan", "stem_activation": False})
    run = spec_of("stenvan", staged, validation={"fold": 0})
    first = run.first_stage
    assert first.method == "nvan[stem_activation=false]" and first.first_stage is None
    assert first.settings == run.settings | {"first_stage": ""} and first.validation is None
    assert run.id != spec_of("stenvan", replace(staged, {"first_stage": ""})).id


def test_a_paper_s_stem_reaches_the_methods_that_have_one():
    released = replace(QUICK, {"stem_activation": False})
    assert spec_of("stenvan", released).method == "stenvan[stem_activation=false]"
    assert spec_of("sta", released).method == "sta"


def test_optional_fields_are_stored_only_where_they_are_set():
    assert not {"checkpoint", "validation"} & set(spec_of().as_dict())
    taken = dataclasses.replace(spec_of(), checkpoint="sta.x@0")
    assert taken.as_dict()["checkpoint"] == "sta.x@0" and taken.id != spec_of().id


def test_the_backbone_is_the_one_that_the_recipe_narrows():
    narrow = "[channels=16+32+64+128,layers=1+2+3+1,stem=16]"
    assert spec_of().backbone == f"resnet50{narrow}"
    own = replace(QUICK, {"backbone": "own"})
    assert spec_of("seresnet50_tp", own).backbone == f"seresnet50{narrow}"


def test_a_setting_at_its_default_moves_no_id():
    spec = spec_of()
    older = {k: v for k, v in spec.settings.items() if v != DEFAULTS[k]}
    assert len(older) < len(spec.settings)
    assert dataclasses.replace(spec, settings=older).id == spec.id
    newer = dataclasses.replace(spec, settings=spec.settings | {"mixup": 0.0})
    assert newer.id != spec.id  # of a version that is not known here


def test_a_field_that_recipes_gain_moves_no_id(monkeypatch):
    before = spec_of()

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Later(Recipe):
        mixup: float = 0.0

    monkeypatch.setattr(specification, "Recipe", Later)
    stored = before.settings | {"mixup": 0.0}
    assert dataclasses.replace(before, settings=stored).id == before.id == spec_of().id
    assert dataclasses.replace(before, settings=stored | {"mixup": 0.2}).id != before.id


def test_ids_are_the_same_tomorrow():
    chosen = Recipe(name="mine", init="synthetic", channels=(4, 8, 8, 8), lr=1e-3)
    assert specify("sta", chosen, DATA).id == "2fa5d279b1c3"


def test_a_transformer_starts_at_random_under_a_recipe_with_packaged_weights():
    assert spec_of("tf_clip").starts_at_random and not spec_of().starts_at_random
    assert not spec_of("tf_clip", replace(QUICK, {"init": "none"})).starts_at_random
