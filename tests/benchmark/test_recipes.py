"""Recipes: what is written is what is meant."""

import pytest

from benchmark.recipes import RECIPES, parse_changes, recipe, variant_of


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
        ({"triplet": "hard"}, "a margin, soft or none"),
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


def test_the_cosine_schedule_warms_up_and_comes_down():
    r = recipe("quick", {"warmup": 2, "epochs": 12, "lr": 1.0, "gamma": 0.01, "schedule": "cosine"})
    assert r.lr_at(0) == pytest.approx(0.1) and r.lr_at(2) == pytest.approx(1.0)
    assert r.lr_at(7) == pytest.approx(0.505) and r.lr_at(12) == pytest.approx(0.01)


def test_a_methods_own_backbone_is_narrowed():
    unified = RECIPES["unified"]
    narrow = recipe("unified", {"channels": (16, 32, 64, 128), "stem": 16})
    assert str(unified.backbone_of("legacy_seresnet50")) == "legacy_seresnet50"
    assert narrow.backbone_of("resnet50").name == "resnet50"
    assert narrow.backbone_of("legacy_seresnet50").name == "seresnet50"
    assert narrow.backbone_of("resnet50").arguments == {"channels": narrow.channels, "stem": 16}


def test_a_vision_transformer_keeps_its_kind_and_is_narrowed_with_the_stages():
    own = "vit_base_patch16_clip_quickgelu_224"
    assert str(recipe("unified").backbone_of(own)) == own
    narrow = recipe("quick").backbone_of(own)
    assert str(narrow) == f"{own}[depth=2,embed_dim=64,num_heads=4]"


def test_none_is_a_word_where_a_setting_takes_words():
    assert recipe("quick", parse_changes(["init=none"])).init == "none"
    assert recipe("quick[init=none]").init == "none"
    assert str(variant_of(recipe("quick", {"init": "none"}))) == "quick[init=none]"
