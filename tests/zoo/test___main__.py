"""``python -m zoo`` is the command, as launchers start it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TINY_SET

ROOT = Path(__file__).parents[2]
BENCH = ["bench", "--methods", "sta", "--dataset", "folder", "--recipe", "quick", *TINY_SET]


def test_the_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "zoo", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and "bench" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "launcher",
    [
        ["torch.distributed.run", "--nproc-per-node", "2"],
        ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"],
    ],
    ids=["torchrun", "accelerate"],
)
def test_launchers_run_a_command_on_two_processes(people, tmp_path, launcher):
    start = [sys.executable, "-m", *launcher, "-m", "zoo"]
    places = ["--data-root", people, "--out", tmp_path / "out", "--workers", "0"]
    done = subprocess.run(
        [*start, *BENCH, *map(str, places)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2, "one process prints"
    assert done.stderr.count("sta seed 0: mAP ") == done.stderr.count("report.md") == 1
    (record,) = (tmp_path / "out").glob("runs/*/records/*.json")
    assert '"processes": 2' in record.read_text()
