"""The Python door: what `import zoo` gives."""

import doctest
import importlib
import subprocess
import sys
import typing

import pytest

import zoo

NAMES = {
    "bench", "compare", "convert", "cost", "create", "embed", "list_methods", "load",
    "load_records", "open_dataset", "recipe", "register", "score", "score_on",
    "tune",
}  # fmt: skip


def test_everything_public_is_shown_and_found():
    assert set(dir(zoo)) == {*NAMES, "__version__"} == {*zoo.__all__, "__version__"}
    for name in NAMES:
        thing = getattr(zoo, name)
        assert (thing.__doc__ or "").strip(), name


def test_what_is_public_is_typed():
    for name in NAMES - {"convert"}:
        hints = typing.get_type_hints(getattr(zoo, name))
        assert "return" in hints, name


def test_importing_zoo_loads_no_torch():
    code = "import sys, zoo; dir(zoo); sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'zoo' has no attribute 'bensh'"):
        _ = zoo.bensh


SESSION = """
import torch, zoo
from methods.head import Head
class Mine(torch.nn.Module):
    def __init__(self, n): super().__init__(); self.distance, self.head = "cosine", Head(3, n)
    neck = property(lambda self: self.head.neck)
    def forward(self, clips): return self.head(clips.mean((1, 3, 4)))
def mine(num_classes=0): return Mine(num_classes)
def entropy(out, ids, recipe): return torch.nn.functional.cross_entropy(out.logits, ids)
zoo.register("loss", entropy)
zoo.register("metric", lambda ranks: (ranks[:, 0] <= 3).astype(float), "R3")
quick = zoo.recipe("quick", epochs=1, height=64, width=32, losses=("entropy",), ids_per_batch=2)
result = zoo.bench(mine, dataset="folder", data_root=PEOPLE, recipe=quick, out=OUT, seeds=2)
print(zoo.load_records(OUT)[["method", "seed", "mAP"]], result.records[0].metrics)
"""


def test_a_researcher_s_session_takes_fifteen_lines(people, tmp_path):
    assert len(SESSION.strip().splitlines()) <= 15
    code = SESSION.replace("PEOPLE", repr(str(people))).replace("OUT", repr(str(tmp_path)))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("mine") == 2 and "'R3': " in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    "module",
    ["zoo", "zoo.experiment.paper_recipes", "zoo.experiment.bench", "zoo.plugins", "zoo.registry",
     "benchmark.label", "benchmark.progress", "benchmark.recipes", "benchmark.variants"],
)  # fmt: skip
def test_examples_in_docstrings_run(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0
