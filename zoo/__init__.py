"""Attention methods for video person re-identification, compared under identical rules.

    import zoo

    zoo.list_methods("*nvan*")
    model = zoo.create("stenvan", num_classes=625)
    model = zoo.load("stenvan.synthetic")

    result = zoo.bench(["stenvan", "sta[blocks=8]"], dataset="synthetic", seeds=3)
    result.table

Names are looked up when they are first used, so that ``import zoo`` is quick and loads no torch.
"""

import importlib
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.checkpoints import convert as convert
    from zoo.experiment.bench import bench as bench
    from zoo.experiment.bench import load_records as load_records
    from zoo.experiment.data import open_dataset as open_dataset
    from zoo.experiment.find_checkpoint import load as load
    from zoo.experiment.paper_recipes import make_recipe as recipe
    from zoo.experiment.tune import tune as tune
    from zoo.plugins import register as register
    from zoo.registry import create as create
    from zoo.registry import list_methods as list_methods
    from zoo.tools.compare import compare as compare
    from zoo.tools.measure import cost as cost
    from zoo.tools.measure import embed as embed
    from zoo.tools.measure import score as score
    from zoo.tools.measure import score_on as score_on

__version__ = "0.2.0.dev0"
# public name -> module, and the name there
_HOMES = {
    "bench": ("zoo.experiment.bench", "bench"),
    "compare": ("zoo.tools.compare", "compare"),
    "convert": ("zoo.checkpoints.convert", ""),
    "cost": ("zoo.tools.measure", "cost"),
    "create": ("zoo.registry", "create"),
    "embed": ("zoo.tools.measure", "embed"),
    "list_methods": ("zoo.registry", "list_methods"),
    "load": ("zoo.experiment.find_checkpoint", "load"),
    "load_records": ("zoo.experiment.bench", "load_records"),
    "open_dataset": ("zoo.experiment.data", "open_dataset"),
    "recipe": ("zoo.experiment.paper_recipes", "make_recipe"),
    "register": ("zoo.plugins", "register"),
    "score": ("zoo.tools.measure", "score"),
    "score_on": ("zoo.tools.measure", "score_on"),
    "tune": ("zoo.experiment.tune", "tune"),
}
__all__ = [
    "bench",
    "compare",
    "convert",
    "cost",
    "create",
    "embed",
    "list_methods",
    "load",
    "load_records",
    "open_dataset",
    "recipe",
    "register",
    "score",
    "score_on",
    "tune",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    home, attribute = _HOMES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what libraries tell each other while they are imported
        module = importlib.import_module(home)
    return getattr(module, attribute) if attribute else module


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
