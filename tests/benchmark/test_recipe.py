"""What a recipe is: its ranges, its schedules, its backbone."""

import dataclasses

import pytest

from benchmark.losses import LOSSES
from benchmark.optimisers import OPTIMISERS
from benchmark.recipe import DISTANCES, Evaluation, Recipe
from benchmark.recipes import RECIPES, recipe
from benchmark.samplers import SAMPLERS, IdentitySampler


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("frames", 0, "frames is 0, expected 1 or more"),
        ("height", 31, "height is 31, expected 32 or more"),
        ("width", 8, "width is 8, expected 16 or more"),
        ("stride", 0, "stride is 0, expected 1 or more"),
        ("ids_per_batch", 1, "ids_per_batch is 1, expected 2 or more"),
        ("clips_per_id", 1, "clips_per_id is 1, expected 2 or more"),
        ("contrast", -0.1, "contrast is -0.1, expected 0 or more"),
        ("neck", "bn-bias", "neck is 'bn-bias', expected one of own, bn, none"),
        ("resize", "nearest", "resize is 'nearest', expected one of bilinear, bicubic"),
        ("sampling", "all", "sampling is 'all', expected one of restricted-random"),
        ("sampler", "tracks", "sampler is 'tracks', expected one of identities, tracklets"),
        ("optimiser", "lion", "optimiser is 'lion', expected one of adam, adamw, sgd"),
        ("schedule", "linear", "schedule is 'linear', expected one of steps, cosine, exponential"),
        ("init", "random", "init is 'random', expected one of none, imagenet, clip, synthetic"),
        ("triplet_on", "logits", "triplet_on is 'logits', expected one of metric, embedding"),
        ("triplet_distance", "l1", "triplet_distance is 'l1', expected one of euclidean, cosine"),
        ("triplet", "hard", "triplet is 'hard', expected a margin or soft"),
        ("losses", (), "losses is empty"),
        ("losses", ("focal",), "unknown mine: loss 'focal'"),
        ("flip", 1.5, "flip is 1.5, expected a share in 0..1"),
        ("random_crop", -0.5, "random_crop is -0.5, expected a share in 0..1"),
        ("erase", 2.0, "erase is 2, expected a share in 0..1"),
        ("warmup_from", 2.0, "warmup_from is 2, expected a share in 0..1"),
        ("tower_lr", -1.0, "tower_lr is -1.0, expected 0 or more"),
        ("smoothing", 1.0, "smoothing is 1, expected a share in 0..1"),
        ("channels", (1, 2), "take four numbers"),
        ("evaluation", Evaluation(frames="middle"), "unknown frame rule 'middle'"),
    ],
)
def test_a_value_that_no_training_can_have_is_refused_in_one_line(field, value, says):
    with pytest.raises((ValueError, LookupError)) as error:
        Recipe(name="mine", **{field: value})
    assert says in str(error.value) and "\n" not in str(error.value)


def test_an_unknown_distance_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="'cos', expected one of cos-bn, cos-raw, l2sq-bn"):
        Evaluation(distance="cos")
    assert DISTANCES["cos-raw"] == ("cosine", "metric")
    assert DISTANCES["l2sq-bn"] == ("euclidean", "embedding")


def test_the_settings_that_decide_the_weights_are_all_but_name_and_evaluation():
    settings = Recipe(name="mine").training_settings()
    fields = {f.name for f in dataclasses.fields(Recipe)}
    assert set(settings) == fields - {"name", "evaluation"}
    assert settings["losses"] == ["cross_entropy", "triplet"] and settings["milestones"] == []


def test_another_evaluation_takes_the_recipes_clip_length():
    mine = Recipe(name="mine", frames=6)
    assert str(mine.rule) == "chunk-first6"
    assert str(mine.rule_of(Evaluation(frames="dense-wrap"))) == "dense-wrap6"
    assert str(mine.rule_of(Evaluation(frames="all32"))) == "all32"


def test_the_rate_falls_by_gamma_at_each_milestone():
    mine = Recipe(name="mine", lr=1.0, gamma=0.3, milestones=(2, 4))
    assert [mine.lr_at(e) for e in (0, 1.9, 2, 3.9, 4)] == pytest.approx([1, 1, 0.3, 0.3, 0.09])


def test_the_cosine_schedule_warms_up_and_comes_down():
    r = recipe("quick", {"warmup": 2, "epochs": 12, "lr": 1.0, "gamma": 0.01, "schedule": "cosine"})
    assert r.lr_at(0) == pytest.approx(0.1) and r.lr_at(2) == pytest.approx(1.0)
    assert r.lr_at(7) == pytest.approx(0.505) and r.lr_at(12) == pytest.approx(0.01)


def test_the_exponential_schedule_starts_at_the_first_milestone_and_ends_at_gamma():
    mine = Recipe(
        name="mine", lr=1.0, gamma=0.01, schedule="exponential", milestones=(10,), epochs=30
    )
    assert [mine.lr_at(e) for e in (0, 10, 20, 30)] == pytest.approx([1, 1, 0.1, 0.01])


def test_a_methods_own_backbone_is_narrowed():
    unified = RECIPES["unified"]
    narrow = recipe("unified", {"channels": (16, 32, 64, 128), "stem": 16})
    assert str(unified.backbone_of("legacy_seresnet50")) == "legacy_seresnet50"
    assert narrow.backbone_of("resnet50").name == "resnet50"
    assert narrow.backbone_of("legacy_seresnet50").name == "seresnet50"
    assert narrow.backbone_of("resnet50").arguments == {"channels": narrow.channels, "stem": 16}


@pytest.mark.parametrize(
    "backbone", ["convnext_atto", "vit_tiny_patch16_224", "convnext_atto[depths=1+1+1+1]"]
)
def test_widths_of_residual_stages_say_nothing_about_another_network(backbone):
    chosen = dataclasses.replace(RECIPES["quick"], backbone=backbone)
    assert str(chosen.backbone_of("resnet50")) == backbone


@pytest.mark.parametrize(
    ("known", "field", "thing"),
    [
        (SAMPLERS, "sampler", IdentitySampler),
        (OPTIMISERS, "optimiser", lambda parameters, recipe: None),
    ],
)
def test_what_is_added_to_a_dictionary_may_stand_in_a_recipe(monkeypatch, known, field, thing):
    monkeypatch.setitem(known, "own", thing)
    assert getattr(Recipe(name="mine", **{field: "own"}), field) == "own"
    monkeypatch.delitem(known, "own")
    with pytest.raises(ValueError, match=f"{field} is 'own'"):
        Recipe(name="mine", **{field: "own"})


def test_a_loss_that_is_added_may_stand_in_a_recipe(monkeypatch):
    monkeypatch.setitem(LOSSES, "own", lambda output, classes, recipe: 0)
    assert Recipe(name="mine", losses=("triplet", "own")).losses == ("triplet", "own")
    monkeypatch.delitem(LOSSES, "own")
    with pytest.raises(LookupError, match="loss 'own'"):
        Recipe(name="mine", losses=("triplet", "own"))


def test_warming_up_starts_at_a_share_of_the_rate():
    mine = Recipe(name="mine", lr=2.0, warmup=10, warmup_from=0.01)
    assert [mine.lr_at(e) for e in (0, 5, 10)] == pytest.approx([0.02, 1.01, 2.0])
    usual = Recipe(name="mine", lr=2.0, warmup=10)
    assert [usual.lr_at(e) for e in (0, 7)] == [2.0 * 0.1, 2.0 * (0.1 + 0.9 * 7 / 10)]  # bit by bit


def test_a_transformer_keeps_its_kind_and_is_narrowed_by_a_recipe_with_narrow_stages():
    assert str(RECIPES["unified"].backbone_of("vit_base_patch16_224")) == "vit_base_patch16_224"
    narrow = RECIPES["quick"].backbone_of("vit_base_patch16_224")
    assert str(narrow) == "vit_base_patch16_224[depth=2,embed_dim=64,num_heads=4]"
