"""A recipe of one's own: everything about training, and how its results are scored.

Written by ``zoo new recipe``. This one is ``quick`` with AdamW, a longer warm-up and heavier
erasing of images; `benchmark.recipe.Recipe` says what each setting means.
"""

import dataclasses

from benchmark.recipe import Evaluation
from benchmark.recipes import QUICK

MY_RECIPE = dataclasses.replace(
    QUICK,
    name="my_recipe",
    optimiser="adamw",
    weight_decay=0.05,
    warmup=2,
    erase=0.5,
    evaluation=Evaluation(frames="chunk-first", distance="cos-bn"),
)
RECIPES = {"my_recipe": MY_RECIPE}
