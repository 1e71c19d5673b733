"""The engine that somebody asked for."""

import importlib.util
import sys

import pytest

from zoo.experiment.engines.choose import open_engine
from zoo.experiment.engines.local import LOCAL
from zoo.experiment.options import EngineOptions


def test_without_a_word_it_is_this_process():
    with open_engine(EngineOptions()) as engine:
        assert engine is LOCAL


def test_without_ray_one_line_says_what_to_install(call, monkeypatch, people, tmp_path):
    found = importlib.util.find_spec

    def without_ray(name, *more):
        return None if name == "ray" else found(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", without_ray)
    words = ["--dataset", "folder", "--data-root", people, "--out", tmp_path / "o"]
    status, _, err = call("bench", *words, "--engine", "ray", "--address", "auto")
    command = f"{sys.executable} -m pip install ray"
    assert (status, err.strip()) == (1, f"zoo: runs under --engine ray need ray; type {command}")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--engine", "spark"], "there is no engine 'spark': expected local or ray"),
        (["--at-once", 2], "--at-once is for --engine ray"),
        (["--engine", "ray", "--cpus-per-run", 0], "cpus_per_run is 0, expected 1 or more"),
        (["--engine", "ray", "--gpus-per-run", 1.5], "gpus_per_run is 1.5, expected a share"),
    ],
)
def test_wrong_use_is_one_line(call, words, says):
    status, _, err = call("bench", "--dataset", "folder", *words)
    assert status == 2 and says in err and len(err.splitlines()) == 1
