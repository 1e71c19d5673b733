"""``python -m zoo`` is the command, as launchers start it."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmark import record
from tests.conftest import TINY_SET

ROOT = Path(__file__).parents[2]
MODULE = [sys.executable, "-m"]
TORCHRUN = [*MODULE, "torch.distributed.run", "--nproc-per-node", "2", "-m", "zoo"]
LAUNCH = "accelerate.commands.launch"
ACCELERATE = [*MODULE, LAUNCH, "--multi_gpu", "--num_processes", "2", "-m", "zoo"]
MORTAL = """
import os
from pathlib import Path
from benchmark import training_state
from methods.sta import sta

def before_step(model, clips):
    model.seen = getattr(model, "seen", 0) + 1
    mark = Path(__file__).with_name("die")
    if model.training and model.seen == 5 and os.environ.get("RANK") == "1" and mark.exists():
        mark.unlink()
        os.kill(os.getpid(), 9)

def mortal(backbone="resnet50", num_classes=0):
    training_state.SAVE_EVERY = 0.0
    model = sta(backbone, num_classes)
    model.register_forward_pre_hook(before_step)
    return model

METHODS = (mortal,)
"""


def test_the_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "zoo", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and "bench" in done.stdout


@pytest.fixture(scope="module")
def start(people, tmp_path_factory):
    """Start the same bench by other words, into a folder."""
    place = tmp_path_factory.mktemp("launched")
    (place / "mortal.py").write_text(MORTAL)
    bench = ["bench", "--methods", "mortal", "--plugin", place / "mortal.py", "--workers", "0"]
    data = ["--dataset", "folder", "--data-root", people, "--recipe", "quick", *TINY_SET]

    def started(words, name, *more):
        words = [*words, *bench, *data, "--set", "epochs=6", "--out", place / name, *more]
        return subprocess.run(
            list(map(str, words)), cwd=ROOT, capture_output=True, text=True, timeout=900
        )

    started.place = place
    return started


def found(start, done, name):
    """Run, weights, metrics and processes of the one record, which one process alone wrote."""
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2, "one process prints"
    assert done.stderr.count("mortal seed 0: mAP ") == 1
    (path,) = (start.place / name).glob("runs/*/records/*.json")
    one = record.load(path)
    return one.run, one.checkpoint, one.metrics, one.processes


@pytest.fixture(scope="module")
def by_torchrun(start):
    return found(start, start(TORCHRUN, "torchrun"), "torchrun")


@pytest.mark.slow
def test_accelerate_launch_does_what_torchrun_does(start, by_torchrun):
    assert by_torchrun[-1] == 2
    assert found(start, start(ACCELERATE, "accelerate"), "accelerate") == by_torchrun


@pytest.mark.slow
def test_processes_per_run_does_what_torchrun_does_even_after_one_was_killed(start, by_torchrun):
    (start.place / "die").touch()
    words = [*MODULE, "zoo"], "own", "--processes-per-run", 2
    killed = start(*words)
    assert (killed.returncode, killed.stdout) == (1, "") and "Traceback" not in killed.stderr
    (line,) = [line for line in killed.stderr.splitlines() if line.startswith("zoo: ")]
    assert line.startswith("zoo: process 2 of 2 is gone (killed, or out of memory?)")
    assert list(start.place.glob("own/runs/*/checkpoint.pt"))
    assert found(start, start(*words), "own") == by_torchrun
