"""What the comparisons share: data shaped as MARS, and each side in a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.io
import torch

from benchmark.cost.memory import PeakMemory


def mars_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``(pids, camids, query rows)``: MARS's own if ZOO_MARS_INFO names its tables, else alike.

    Alike means the same 12,180 tracks: 870 junk, 3,248 distractors, 8,062 of 634 persons, 8 of them
    in one camera; the first track of every other person and camera is one of 1,980 queries.
    """
    if "ZOO_MARS_INFO" in os.environ:
        folder = Path(os.environ["ZOO_MARS_INFO"])
        info = scipy.io.loadmat(folder / "tracks_test_info.mat")["track_test_info"]
        query = scipy.io.loadmat(folder / "query_IDX.mat")["query_IDX"].ravel()
        return info[:, 2].astype(int), info[:, 3].astype(int), query.astype(int) - 1
    rng = np.random.default_rng(0)
    cameras = np.full(626, 2)
    while cameras.sum() < 1980:
        cameras[rng.choice(np.flatnonzero(cameras < 6))] += 1
    pairs = [(p, c) for p in range(626) for c in rng.permutation(6)[: cameras[p]]]
    pairs += [(p, 0) for p in range(626, 634)]
    more = rng.integers(len(pairs), size=8062 - len(pairs))
    chosen = np.array(pairs)[np.sort(np.concatenate([np.arange(len(pairs)), more]))]
    junk = np.stack([np.repeat([-2, -1], [870, 3248]), rng.integers(6, size=870 + 3248)], axis=1)
    pids, camids = (np.concatenate([junk, chosen]) + 1).T
    firsts = np.unique(pids * 10 + camids, return_index=True)[1]
    return pids, camids, np.sort(firsts[(pids[firsts] > 0) & (pids[firsts] <= 626)])


def vectors(pids: np.ndarray, width: int = 2048) -> np.ndarray:
    """Unit vectors of persons who can be told apart with some errors."""
    rng = np.random.default_rng(0)
    persons = rng.standard_normal((pids.max() + 2, width), dtype=np.float32)
    x = rng.standard_normal((len(pids), width), dtype=np.float32) * 2.5 + persons[pids]
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def measured(work: Callable[[], object]) -> dict[str, float]:
    """Seconds that the work takes, and the peak above what was held before, in 10⁶ bytes."""
    memory = PeakMemory(torch.device("cpu"))
    before = memory.peak_mb()
    started = time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - started, "MB": memory.peak_mb() - before}


def best(script: str, side: str, folder: str, rounds: int = 3) -> dict[str, float]:
    """The fastest of some runs of ``python script side folder``, each a process of its own."""
    runs = []
    for _ in range(rounds):
        command = [sys.executable, script, side, folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        runs.append(json.loads(done.stdout))
    return min(runs, key=lambda run: run["seconds"])
