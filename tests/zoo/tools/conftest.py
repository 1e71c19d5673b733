"""Runs that are looked into."""

import dataclasses
import shutil

import pytest

from benchmark.progress import SILENT
from tests.zoo.conftest import ask
from tests.zoo.shelf import NAME
from zoo.experiment.bench import carry_out

METHODS = ("sta", "stenvan", "nlam_nltp", "resnet50_avg")


@pytest.fixture(scope="session")
def inspected(people, tmp_path_factory):
    """Four trained methods by name, scored under two protocols."""
    asked = ask(people, tmp_path_factory.mktemp("inspect"), methods=",".join(METHODS))
    result = carry_out(dataclasses.replace(asked, protocols="mars-ap3d,open"), SILENT)
    return {run.spec.method: run.folder.path for run in result.runs}


@pytest.fixture
def own(people, tmp_path):
    """Tracklets nested in a way that no data set prescribes."""
    root = tmp_path / "own"
    shutil.copytree(people / "gallery", root / "a b" / "deep")
    shutil.copytree(people / "train" / "p0" / "c1_0", root / "flat")
    (root / ".hidden").mkdir()
    shutil.copy(next((root / "flat").iterdir()), root / ".hidden" / "x.jpg")
    (root / "flat" / "notes.txt").write_text("no image")
    return root


@pytest.fixture
def features(shelf, own, tmp_path, call):
    path = tmp_path / "f.npz"
    status, out, err = call("embed", own, "--checkpoint", NAME, "-o", path, "--workers", "0")
    assert (status, out.strip()) == (0, str(path)), err
    return path
