"""What to type where an optional package is missing."""

import configparser
import sys
from pathlib import Path

import pytest

from benchmark.extras import require


def test_what_is_installed_is_not_asked_for():
    require("numbers", "numpy", "json")


def test_the_message_is_the_command_that_installs_what_is_missing_here(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/a b/bin/python")
    with pytest.raises(RuntimeError) as error:
        require("ONNX files", "numpy", "no_such_package", "nor_this")
    assert str(error.value) == (
        "ONNX files need no_such_package, nor_this; type '/a b/bin/python' -m pip install "
        "no_such_package nor_this"
    )


@pytest.mark.parametrize("name", ["onnx", "onnxruntime", "onnxscript", "pyarrow", "ray"])
def test_packages_that_are_asked_for_stand_in_an_extra(name):
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    extras = setup["options.extras_require"]
    groups = [extras[group].split() for group in ("export", "pack", "ray")]
    assert any(line.startswith(f"{name}>=") for group in groups for line in group)
