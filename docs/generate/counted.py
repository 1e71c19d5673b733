"""Parameters and multiply-adds of every method, counted in the build at the papers' clip."""

import json
from pathlib import Path

import torch

import methods
import zoo
from benchmark.cost.macs import count
from benchmark.files import hash_of, write_json
from zoo.registry import METHODS

FRAMES, HEIGHT, WIDTH = 8, 256, 128


def counts(cache: Path) -> dict[str, list]:
    """Parameters in 10⁶ and GMACs (None where an operator cannot be counted), by method.

    Args:
        cache: file that keeps them for as long as no network changes.
    """
    key = _key()
    if cache.is_file() and (kept := json.loads(cache.read_text()))["key"] == key:
        return kept["counts"]
    found = {function.__name__: _count(function.__name__) for function in METHODS}
    write_json(cache, {"key": key, "counts": found})
    return found


def _count(method: str) -> list:
    model = zoo.create(method, size=(HEIGHT, WIDTH), frames=FRAMES).eval()
    one = count(model, torch.zeros(1, FRAMES, 3, HEIGHT, WIDTH))
    return [one.params_m, one.gmacs]


def _key() -> str:
    sources = sorted(Path(methods.__file__).parent.glob("*.py"))
    return hash_of({path.name: path.read_text(encoding="utf-8") for path in sources})
