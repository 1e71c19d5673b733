"""The user's door to the zoo.

    import zoo

    zoo.list_methods("*nvan*")
    model = zoo.create("stenvan", num_classes=625)
    model = zoo.load("stenvan.synthetic")

Names are looked up when they are first used, so that ``import zoo`` is quick.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.checkpoints.load import load
    from zoo.registry import create, list_methods

__version__ = "0.1.0"
__all__ = ["create", "list_methods", "load"]

_HOMES = {
    "create": "zoo.registry",
    "list_methods": "zoo.registry",
    "load": "zoo.checkpoints.load",
    "convert": "zoo.checkpoints.convert",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    home = importlib.import_module(_HOMES[name])
    return home if _HOMES[name].endswith(f".{name}") and name == "convert" else getattr(home, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
