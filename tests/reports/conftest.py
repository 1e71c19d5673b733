"""Result folders with invented numbers, written as the benchmark writes real ones."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from benchmark.files import hash_of, write_json, write_text
from benchmark.label import Label
from benchmark.record import Record, save
from reports.read.compared import Compared, Distances, Film, System
from reports.read.inspection import Inspection, Strip

LABEL = "mars-official@1/cos-bn/chunk-first8"
OTHER_LABEL = "mars-torchreid@1/cos-bn/chunk-first8"
ENVIRONMENT = {
    "python": "3.11.7",
    "torch": "2.15.0",
    "torchvision": "0.30.0",
    "timm": "1.0.28",
    "processor": "AMD EPYC",
    "threads": 2,
    "device": "cpu",
    "gpu": None,
    "precision": "no",
}
COST = {
    "params_m": 23.508,
    "gmacs": 17.78,
    "activations_m": 60.0,
    "frames": 8,
    "height": 256,
    "width": 128,
    "latency_ms": 210.0,
    "latency_iqr_ms": 4.0,
    "clips_per_s": 5.1,
    "best_batch": 4,
    "peak_memory_mb": 480.0,
    "device": "cpu",
    "precision": "no",
    "left_out": {"aten::softmax": 5, "aten::add": 16},
}


def a_record(method="sta", seed=0, score=0.7, **changes):
    """A record whose mAP is ``score``; everything else follows, unless it is changed."""
    curve = 1 - (1 - min(score + 0.1, 1.0)) * np.exp(-np.arange(50) / 6)
    identity = {k: changes.get(k) for k in ("recipe", "dataset", "split", "arguments")}
    fields = {
        "run": hash_of({"method": method, "seed": seed, **identity}),
        "method": method,
        "recipe": "quick",
        "dataset": "synthetic",
        "fingerprint": "5f0c2b7de9a1",
        "seed": seed,
        "label": LABEL,
        "gallery": 120,
        "queries": 40,
        "dropped": 0,
        "metrics": {
            **{f"R{rank}": float(curve[rank - 1]) for rank in (1, 5, 10, 20)},
            "mAP": score,
            "mINP": score / 2,
        },
        "cmc": curve.tolist(),
        "checkpoint": hash_of([method, seed]) * 5 + "abcd",
        "cost": COST,
        "environment": ENVIRONMENT,
        "commit": "2112e54c0ffee2112e54c0ffee2112e54c0ffee0",
        "command": "zoo bench --methods nvan,sta --dataset synthetic --recipe quick --seeds 3",
        "selection": "last epoch",
    }
    return Record(**{**fields, **changes})


def seeds(method: str, scores, **changes) -> list[Record]:
    """A record a score, of the seeds 0, 1, …."""
    return [a_record(method, seed, score, **changes) for seed, score in enumerate(scores)]


def scored(folder: Path, method: str, seed: int, ap, **changes) -> Record:
    """Write a record with its per-query file, made of each query's AP; a person has two queries."""
    ap = np.asarray(ap, dtype=float)
    first = np.where(ap >= 0.5, 1, np.where(ap >= 0.25, 4, 30))
    metrics = {f"R{k}": float((first <= k).mean()) for k in (1, 5, 10, 20)}
    metrics |= {"mAP": float(ap.mean()), "mINP": float(ap.mean() / 2)}
    cmc = [float((first <= k).mean()) for k in range(1, 51)]
    record = a_record(method, seed, metrics=metrics, cmc=cmc, queries=len(ap), **changes)
    name = f"{Label.parse(record.label).slug}--{record.fingerprint}"
    record = dataclasses.replace(record, per_query=f"{name}.csv")
    rows = np.arange(len(ap))
    table = {"query": 3 * rows, "pid": 1 + rows // 2, "AP": ap, "INP": ap / 2, "first": first}
    run = write(folder, record, stem=name)
    csv = pd.DataFrame({**table, "matches": 2}).to_csv(index=False)
    write_text(run / "records" / f"{name}.csv", csv)
    return record


def write(folder: Path, record: Record, epochs: int = 4, stem: str = "") -> Path:
    """Put a record, its log and its run.json where the benchmark puts them; the run's folder."""
    run = folder / "runs" / f"{record.method.split('[')[0]}-{record.run}"
    save(record, run / "records" / f"{stem or Label.parse(record.label).slug}.json")
    lines = [
        {"epoch": e, "step": 9 * e, "loss": 5.0 / e + record.seed / 10, "accuracy": 1 - 0.9 / e**2}
        for e in range(1, epochs + 1)
    ]
    write_text(run / "log.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    training = {"epochs": epochs, "steps": 36, "seconds": 61.5, "clips_per_s": 9.25}
    training |= {"peak_memory_mb": 910.0, "persons": 40, "tracklets": 160, "batch": 16}
    write_json(run / "run.json", {"id": record.run, "training": training, "cost": record.cost})
    return run


def fail(folder: Path, run: str = "sta-0123456789ab", **changes) -> Path:
    """Write a run whose training failed."""
    spec = {"method": "sta[blocks=8]", "recipe": "quick", "dataset": "synthetic"}
    write_json(folder / "runs" / run / "spec.json", {**spec, "split": 0, "seed": 3, **changes})
    failure = {"stage": "train", "reason": "the loss is not a number\nat step 12"}
    write_json(folder / "runs" / run / "failure.json", failure)
    return folder / "runs" / run


def a_study(folder: Path, name: str = "one", **changes) -> Path:
    """Write a study of two methods: `sta` gains five points, `nvan` one; one trial diverged."""

    def trial(number, state, score):
        values = {"lr": 10.0 ** -(3 + number / 2), "margin": "soft"}
        about = {"values": values, "validation_mAP": score, "clips": 1600, "seconds": 61.5}
        return {"number": number, "state": state, **about}

    spent = {"trials": 4, "clips": 6400, "hours": 0.07}
    trials = [trial(0, "complete", 0.40), trial(1, "complete", 0.45), trial(2, "diverged", None)]
    sta = {"trials": [*trials, trial(3, "pruned", 0.20)], "spent": spent}
    sta |= {"chosen": {"lr": 10.0**-3.5, "margin": "soft"}}
    sta |= {"default_validation_mAP": 0.40, "chosen_validation_mAP": 0.45}
    nvan = {"trials": [trial(0, "complete", 0.50), trial(1, "complete", 0.51)], "spent": spent}
    nvan |= {"chosen": {"lr": 3e-5, "margin": 0.3}}
    nvan |= {"default_validation_mAP": 0.50, "chosen_validation_mAP": 0.51}
    lr = {"kind": "log", "low": 3e-5, "high": 3e-3}
    margin = {"kind": "choice", "choices": ["soft", 0.3]}
    study = {"study": name, "budget": {"trials": 4}, "methods": {"sta": sta, "nvan": nvan}}
    study |= {"space": {"name": "unified@1", "parameters": {"lr": lr, "margin": margin}}}
    path = folder / "tuning" / f"{name}.json"
    write_json(path, {**study, **changes})
    return path


def a_folder(path: Path) -> Path:
    """Three methods x three seeds under one label, two of them under a second one."""
    costs = {"nvan": (63.71, 0.78), "sta": (32.6, 0.75), "stenvan": (17.78, 0.782)}
    for method, (gmacs, score) in costs.items():
        for seed in range(3):
            cost = {**COST, "gmacs": gmacs, "latency_ms": 10 * gmacs + seed}
            record = a_record(method, seed, score + 0.01 * (seed - 1), cost=cost)
            write(path, record)
            if method != "sta":
                shifted = a_record(
                    method, seed, score - 0.02, cost=cost, label=OTHER_LABEL, gallery=80, dropped=3
                )
                write(path, shifted)
    return path


@pytest.fixture(scope="session")
def fake() -> SimpleNamespace:
    """What this file offers to the tests, since a conftest is not imported."""
    return SimpleNamespace(
        record=a_record,
        seeds=seeds,
        write=write,
        scored=scored,
        fail=fail,
        folder=a_folder,
        cost=COST,
        environment=ENVIRONMENT,
        label=LABEL,
        other_label=OTHER_LABEL,
        strip=a_strip,
        study=a_study,
        cells=attention_of_cells,
    )


@pytest.fixture
def folder(tmp_path) -> Path:
    """A result folder as `a_folder` writes it."""
    return a_folder(tmp_path / "results")


@pytest.fixture
def empty(tmp_path) -> Path:
    """A result folder to be filled."""
    (tmp_path / "results" / "runs").mkdir(parents=True)
    return tmp_path / "results"


def a_strip(kind, rank=None, row=0, pid=7, distance=None, frames=4, **arrays):
    grey = np.full((frames, 16, 8, 3), 40 * row % 255, dtype=np.uint8)
    place = {"row": row, "pid": pid, "camid": 2, "distance": distance}
    return Strip(kind=kind, rank=rank, **place, frames=grey, attention=arrays)


def attention_of_cells(frames=4, rows=4, columns=2):
    """Attention of three cells: each looks at one place of the first frame, and a little around."""
    array = np.full((3, frames, rows, columns), 0.001, dtype=np.float32)
    for cell in range(3):
        array[cell, 0, cell, 1] = 1
    return array / array.sum((1, 2, 3), keepdims=True)


@pytest.fixture
def compared():
    """Two systems on the same forty queries of twenty persons; `nvan` is better by a quarter."""
    rows = np.arange(40)
    queries = {"query": rows, "pid": 1 + rows // 2}

    def system(name, gain, seeds=(0,)):
        ap = 0.2 + gain * (0.8 + 0.2 * (rows % 3)) + 0.45 * (rows % 2)
        table = pd.DataFrame(
            {**queries, "AP": ap, "INP": ap / 2, "first": np.where(ap > 0.5, 1, 4)}
        )
        right, wrong = np.bincount([2, 3], minlength=10), np.bincount([3, 6, 7], minlength=10)
        pairs = {"query": [1, 2], "gallery": [2, 1], "queries": [20, 20], "R1": [0.5, 0.6]}
        return System(
            name=name, method=name, recipe="quick", seeds=seeds, gmacs=17.78,
            folders=tuple(f"results/runs/{name}-{seed}" for seed in seeds),
            queries=(table,) * len(seeds),
            distances=Distances(edges=np.linspace(0, 2, 11), right=right, wrong=wrong),
            cameras=pd.DataFrame({**pairs, "mAP": [0.5 + gain, 0.4 + gain]}),
        )  # fmt: skip

    def ranked(method, ap, kind):
        strips = (a_strip("query", row=3), a_strip(kind, rank=1, row=5, pid=9, distance=0.2))
        about = {"run": method, "method": method, "recipe": "quick", "seed": 0, "split": 0}
        about |= {"dataset": "synthetic", "fingerprint": "bits", "label": LABEL}
        return Inspection(**about, query=3, ap=ap, first=1.0, matches=1, strips=strips)

    films = (Film(query=3, shown=(ranked("nvan", 0.9, "right"), ranked("sta", 0.1, "wrong"))),)
    return Compared(
        dataset="synthetic", fingerprint="bits", split=0, label=LABEL, films=films,
        systems=(system("nvan", 0.25, (0, 1)), system("sta", 0.0)),
        frames=pd.Series(4 + rows // 10, index=rows),
    )  # fmt: skip


@pytest.fixture
def inspected():
    """A query, one junk track, a wrong one and a right one far behind."""
    strips = (
        a_strip(
            "query",
            row=12,
            stage2_block1=attention_of_cells(),
            scores=np.full((4, 2), 0.25, np.float32),
        ),
        a_strip("junk", row=1, distance=0.0),
        a_strip("wrong", rank=1, row=2, pid=0, distance=0.25, stage2_block1=attention_of_cells()),
        a_strip("right", rank=31, row=3, distance=0.5),
    )
    about = {"run": "0123456789ab", "method": "sta", "recipe": "quick", "seed": 0, "split": 0}
    about |= {"dataset": "synthetic", "fingerprint": "bits", "label": "open@1/cos-bn/even4"}
    return Inspection(**about, query=12, ap=0.03125, first=31.0, matches=1, strips=strips)
