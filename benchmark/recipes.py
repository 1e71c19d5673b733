"""Recipes by name.

``unified`` serves every method on its own backbone: the identical rules of a fair comparison, with
one exception: transformers take a twentieth of the rate, with which TF-CLIP trains its own.
``quick`` is its twin for a CPU. A recipe's written form carries what was changed:
``quick[epochs=3]``. One of one's own goes into `RECIPES` by ``zoo.register("recipe", …)`` or by a
plugin.
"""

import dataclasses
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from benchmark.recipe import Evaluation, Recipe
from benchmark.variants import Variant, checked, choose, parse, parse_value

UNIFIED = Recipe(
    name="unified", init="imagenet", neck="bn", tower_lr=0.05, milestones=(50, 100, 150)
)
QUICK = Recipe(
    name="quick",
    backbone="resnet50",
    init="synthetic",
    channels=(16, 32, 64, 128),
    layers=(1, 2, 3, 1),
    stem=16,
    neck="bn",
    frames=4,
    height=128,
    width=64,
    random_crop=0.5,
    triplet=0.4,
    smoothing=0.1,
    lr=8e-4,
    warmup=1,
    schedule="cosine",
    gamma=0.01,
    epochs=12,
)
RECIPES: dict[str, Recipe] = {"unified": UNIFIED, "quick": QUICK}
# what a change may name beside the fields of a recipe: those of its evaluation
EVALUATION_SETTINGS = {"test_frames": "frames", "distance": "distance"}


def recipe(
    text: str,
    changes: Mapping[str, object] | None = None,
    known: Mapping[str, Recipe] = RECIPES,
) -> Recipe:
    """A recipe by name, with changes: ``recipe("quick[epochs=3]", {"lr": 1e-3})``.

    Args:
        text: a name with or without changes.
        changes: further ones; ``test_frames`` and ``distance`` change its evaluation.
        known: the recipes to look in.

    Raises:
        LookupError: no recipe, or no setting, of that name.
        ValueError: a value of the wrong type or out of range.
    """
    asked = parse(text)
    start = choose(asked.name, known, "recipe")
    kinds = typing.get_type_hints(Recipe)
    allowed = {
        f.name: (kinds[f.name], getattr(start, f.name))
        for f in dataclasses.fields(Recipe)
        if f.name not in ("name", "evaluation")
    }
    for name, evaluated in EVALUATION_SETTINGS.items():
        allowed[name] = (str, getattr(start.evaluation, evaluated))
    given = checked({**asked.arguments, **(changes or {})}, allowed, start.name)
    return replace(start, given)


def replace(start: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """The same recipe with changed settings, those of its evaluation among them."""
    training = {k: v for k, v in changes.items() if k not in EVALUATION_SETTINGS}
    scoring = {EVALUATION_SETTINGS[k]: v for k, v in changes.items() if k in EVALUATION_SETTINGS}
    evaluation = dataclasses.replace(start.evaluation, **scoring)
    return dataclasses.replace(start, **training, evaluation=evaluation)


def from_settings(text: str, settings: Mapping[str, Any], evaluation: Evaluation) -> Recipe:
    """The recipe that a run stored, whatever a recipe of that name says today.

    Args:
        text: its written form; its name is kept.
        settings: as of `Recipe.training_settings`, read back from JSON; a setting that is newer
            than the run has its default, which is what there was before it.
        evaluation: how to score.

    Raises:
        ValueError: a setting is unknown, so that a later version stored it.
    """
    known = {f.name for f in dataclasses.fields(Recipe)} - {"name", "evaluation"}
    if foreign := sorted(set(settings) - known):
        raise ValueError(
            f"the stored recipe {text} has {', '.join(foreign)}, which this version does not know"
        )
    values: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()
    }
    return Recipe(name=parse(text).name, **values, evaluation=evaluation)


def variant_of(changed: Recipe, known: Mapping[str, Recipe] = RECIPES) -> Variant:
    """Name and changes of its training part; a recipe that nobody knows has its name alone."""
    start = known.get(changed.name, changed).training_settings()
    pairs = changed.training_settings().items()
    return Variant(changed.name, {name: value for name, value in pairs if value != start[name]})


def parse_changes(texts: Iterable[str]) -> dict[str, object]:
    """``["lr=1e-3", "epochs=5"]`` as a dict.

    Raises:
        ValueError: one is not ``key=value``.
    """
    changes = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise ValueError(f"--set {text!r} is not key=value, e.g. --set epochs=5")
        changes[key] = parse_value(value)
    return changes
