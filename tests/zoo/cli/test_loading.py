"""Torch is loaded where networks run, and people are told meanwhile."""

import subprocess
import sys

import pytest

from zoo.cli.help import COMMANDS
from zoo.cli.loading import WITH_NETWORKS

CODE = """
import sys
from zoo.cli.loading import load_for
load_for({command!r})
print("torch" in sys.modules, "timm" in sys.modules)
"""


@pytest.mark.parametrize(("command", "loaded"), [("bench", "True True"), ("list", "False False")])
def test_only_commands_with_networks_load_torch(command, loaded):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE.format(command=command)],
        capture_output=True,
        text=True,
        env={"FORCE_COLOR": "1", "PATH": "", "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.strip() == loaded
    assert ("loading torch" in done.stderr) == (command == "bench")


def test_they_are_all_commands():
    assert set(WITH_NETWORKS) <= {name for names in COMMANDS.values() for name in names}
