"""What a planned run will take here: ``zoo bench --dry-run``."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from benchmark.cost.memory import LiveTensors
from benchmark.datasets.base import Dataset
from benchmark.device import autocast
from benchmark.losses import losses
from benchmark.progress import duration
from benchmark.recipes import recipe
from benchmark.samplers import IdentitySampler
from zoo.experiment.plan import Plan
from zoo.experiment.run import build
from zoo.experiment.spec import RunSpec


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a run will take on this machine, from one small step.

    Attributes:
        steps: optimiser steps.
        seconds: training and embedding.
        memory_mb: tensors alive in a training step, in 10⁶ bytes.
    """

    steps: int
    seconds: float
    memory_mb: float


def estimate(spec: RunSpec, dataset: Dataset, device: str) -> Estimate:
    """Time one step of four clips and one forward pass, and scale them up."""
    chosen = recipe(spec.recipe)
    pids = [t.pid for t in dataset.train]
    sampler = IdentitySampler(pids, chosen.identities, chosen.tracklets, spec.seed)
    model = build(spec, len(dataset.train_pids), trained=True).to(device).train()
    clips = torch.randn(4, chosen.frames, 3, chosen.height, chosen.width, device=device)
    classes = torch.tensor([0, 0, 1, 1], device=device)

    def step() -> None:
        with autocast(torch.device(device), spec.precision):
            output = model(clips)
        parts = losses(output, classes, triplet=chosen.triplet, smoothing=chosen.smoothing)
        sum(parts.values()).backward()

    def forward() -> None:
        with torch.inference_mode(), autocast(torch.device(device), spec.precision):
            model(clips)

    batch = sampler.identities * chosen.tracklets
    steps = 0 if spec.checkpoint else len(sampler) * chosen.epochs
    with LiveTensors() as live:
        step()
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    seconds = _seconds(step) / 4 * batch * steps if steps else 0.0
    seconds += _seconds(forward) / 4 * sum(len(chosen.rule.clips(len(t))) for t in dataset.test)
    return Estimate(
        steps=steps, seconds=seconds, memory_mb=(4 * weights + live.peak * batch / 4) / 1e6
    )


def _seconds(work: Callable[[], None]) -> float:
    work()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def describe(plan: Plan, estimates: Sequence[Estimate]) -> str:
    """One line on the whole plan."""
    total = sum(e.seconds for e in estimates)
    peak = max(e.memory_mb for e in estimates)
    runs, gigabytes = len(plan.runs), peak / 1e3
    return f"{runs} runs, about {duration(total)}, {gigabytes:.1f} GB at the most, into {plan.out}"
