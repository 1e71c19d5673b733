"""The engine on a Ray that it starts itself, and on one that it joins."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from benchmark.progress import SILENT
from tests.zoo.conftest import ask
from tests.zoo.experiment import tuning
from tests.zoo.experiment.engines.conftest import results
from tests.zoo.shelf import NAME
from zoo.checkpoints.config import read_settings
from zoo.checkpoints.table import find, table
from zoo.experiment import tune
from zoo.experiment.engines.local import LOCAL
from zoo.experiment.engines.ray_engine import RayEngine
from zoo.experiment.execute import execute
from zoo.experiment.options import EngineOptions, ExecutionOptions
from zoo.experiment.plan import plan
from zoo.experiment.tune_plan import TunePlan
from zoo.tools import parts
from zoo.tools.features import tracklets_in

pytest.importorskip("ray", reason="the extra `ray` is not installed")

ALONE = """
import ipaddress, json, os, sys
sys.path.insert(0, {root!r})
from pathlib import Path
import psutil
from tests.zoo.conftest import ask
from zoo.experiment.engines.choose import open_engine
from zoo.experiment.execute import execute
from zoo.experiment.options import EngineOptions
from zoo.experiment.plan import plan

with open_engine(EngineOptions(name="ray")) as engine:
    asked = ask(Path({people!r}), Path({out!r}), train_only=True)
    assert execute(plan(asked, engine=engine), engine=engine) == []
    own = psutil.Process()
    heard, names = [], []
    for one in [own, *own.children(recursive=True)]:
        try:
            heard += [c.laddr for c in one.net_connections("inet") if c.status == "LISTEN"]
            names.append(one.name())
        except psutil.NoSuchProcess:  # Ray ends workers that have nothing to do
            continue
    addresses = {{ipaddress.ip_address(one.ip) for one in heard}}
    plain = {{getattr(one, "ipv4_mapped", None) or one for one in addresses}}
print(json.dumps([sorted(map(str, plain)), names]))
"""


@pytest.mark.slow
def test_a_ray_that_is_started_here_listens_to_this_machine_alone(people, tmp_path):
    out = str(tmp_path / "ray")
    code = ALONE.format(root=os.getcwd(), people=str(people), out=out)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    addresses, names = json.loads(done.stdout.splitlines()[-1])
    assert addresses == ["127.0.0.1"]
    assert "raylet" in names and not [name for name in names if "dashboard" in name]
    execute(plan(ask(people, tmp_path / "local", train_only=True)))
    weights = [p.read_bytes() for p in sorted(tmp_path.glob("*/runs/*/weights.safetensors"))]
    assert len(weights) == 2 and weights[0] == weights[1]
    assert results(tmp_path / "ray") == {}


@pytest.mark.parametrize(
    ("address", "asked", "says"),
    [("local", "mps", "'mps' is not for --engine ray"), ("local", "tpu", "'tpu' is not for")],
)
def test_a_device_that_ray_does_not_know_is_refused(monkeypatch, address, asked, says):
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"):
        monkeypatch.setenv(name, "0")
    with pytest.raises(ValueError, match=says):
        RayEngine(EngineOptions(name="ray", address=address)).device(asked)


def test_auto_is_what_the_cluster_has(monkeypatch):
    found = RayEngine(EngineOptions(name="ray", address="head:6379"))

    def has(*gpus):
        nodes = [SimpleNamespace(gpus=number) for number in gpus]
        monkeypatch.setattr(found, "_cluster", lambda: SimpleNamespace(nodes=lambda: nodes))

    has(0, 8)
    assert found.device("auto") == found.device("cuda") == "cuda"
    has(0, 0)
    assert found.device("auto") == "cpu"
    with pytest.raises(ValueError, match="no machine of the cluster at head:6379 has a GPU"):
        found.device("cuda")


# ---- what else it carries out --------------------------------------------------------------------


def test_tracklets_are_embedded_to_the_same_bits(engine, embedded, monkeypatch):
    assert np.array_equal(embedded(1, engine), embedded(1000))


@pytest.fixture
def embedded(shelf, people, tmp_path, monkeypatch):
    """Embed the people's training tracklets by an engine, cut into parts of so many at least."""
    settings = read_settings()
    checkpoint = find(NAME, table(settings))
    rows = tracklets_in(people / "train")
    monkeypatch.setattr(parts.embed, "BATCH_FRAMES", 32)

    def run(size, engine=LOCAL):
        monkeypatch.setattr(parts, "LEAST", size)
        options = ExecutionOptions(workers=0, engine=engine.name)
        return parts.embed_in_parts(
            rows,
            checkpoint,
            shelf.sha256,
            settings,
            folder=tmp_path / "parts",
            options=options,
            engine=engine,
        )

    return run


@pytest.mark.slow
def test_a_search_makes_the_same_trials_and_choices(engine, crowd, tmp_path):
    def searched(name, by):
        plan = TunePlan(tuning.request(crowd, tmp_path / name, methods="sta,nvan", trials=2))
        found, unfinished = tune._search(plan, SILENT, by)
        assert unfinished == ()
        return {method: tuning.without_times(part) for method, part in found.items()}

    assert searched("ray", engine) == searched("local", LOCAL)
