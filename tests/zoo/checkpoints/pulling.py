"""Pulls of a checkpoint that is only bytes, in this process or one of its own."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from benchmark.progress import Silent
from zoo.checkpoints.cache import ensure_local
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.retry import RetryPolicy

DATA = np.random.default_rng(0).bytes(300_000)
OTHER = np.random.default_rng(1).bytes(300_000)
NAME = "sta.own"
QUICK = RetryPolicy(connect=2, silence=0.4, attempts=3, wait=0.01, longest=0.05)
FIELDS = {
    "method": "sta",
    "backbone": "resnet50",
    "dataset": "own",
    "recipe": "quick",
    "frames": "chunk-first4",
    "height": 64,
    "width": 32,
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
    "distance": "cos-bn",
    "licence": "Apache-2.0",
    "origin": "a test",
}


class Notes(Silent):
    """A progress that remembers what it was told."""

    def __init__(self):
        self.lines, self.advances = [], []

    def note(self, line):
        self.lines.append(line)

    def advance(self, what, done, total):
        self.advances.append((what, done, total))


def entry(home, *sources, data=DATA):
    """A checkpoint whose file is these bytes."""
    digest = hashlib.sha256(data).hexdigest()
    size = len(data)
    return Checkpoint(name=NAME, home=home, sources=sources, bytes=size, sha256=digest, **FIELDS)


def pull(home, settings, *sources, retry=QUICK, notes=None):
    """Its file from these sources, within a second or two."""
    return ensure_local(entry(home, *sources), settings, notes or Notes(), retry)


def leftovers(settings):
    """Parts that lie in the cache."""
    return [p.name for p in settings.cache.iterdir() if ".part" in p.name or ".hub" in p.name]


def refused(home, settings, *sources, says):
    """The pull fails with one line and leaves no file behind that could be taken for it."""
    with pytest.raises(OSError) as error:
        pull(home, settings, *sources)
    text = str(error.value)
    assert says in text and "\n" not in text and text.startswith(NAME)
    assert not (settings.cache / f"{NAME}.safetensors").exists()
    return text


PULL = """
import sys, json, pathlib
from zoo.checkpoints.cache import ensure_local
from zoo.checkpoints.checkpoint import Checkpoint
from zoo.checkpoints.config import Settings
fields = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(sys.argv[1]).items()}
home = pathlib.Path(fields.pop("home"))
settings = Settings(cache=home / "cache", mirrors=(), offline=False, tables=())
print(ensure_local(Checkpoint(home=home, **fields), settings).path)
"""


def pull_in_a_process(home, source, **environment):
    """Start a pull in a process of its own; its cache is ``home/cache``."""
    fields = dataclasses.asdict(entry(home, source)) | {"home": str(home)}
    return subprocess.Popen(
        [sys.executable, "-c", PULL, json.dumps(fields)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
