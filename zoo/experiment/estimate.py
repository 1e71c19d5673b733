"""What a planned run will take here: ``zoo bench --dry-run``."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from benchmark.cost.memory import LiveTensors
from benchmark.device import autocast
from benchmark.losses import losses
from benchmark.progress import duration
from benchmark.samplers import SAMPLERS
from zoo.experiment.network import build
from zoo.experiment.plan import Plan, PlannedRun

CLIPS = 4  # of the one step that is timed


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


def estimate(planned: PlannedRun, device: str) -> Estimate:
    """Time one step of four clips and one forward pass, and scale them up."""
    spec, dataset = planned.spec, planned.dataset
    recipe = spec.trained_by(planned.scoring.evaluation)
    pids = [t.pid for t in dataset.train]
    sampler = SAMPLERS[recipe.sampler](pids, recipe.ids_per_batch, recipe.clips_per_id, spec.seed)
    model = build(spec, len(dataset.train_pids), trained=True).to(device).train()
    size = recipe.height, recipe.width
    clips = torch.randn(CLIPS, recipe.frames, 3, *size, device=device)
    classes = torch.tensor([0, 0, 1, 1], device=device)

    def step() -> None:
        with autocast(torch.device(device), spec.precision):
            output = model(clips)
        sum(losses(output, classes, recipe).values()).backward()

    def forward() -> None:
        with torch.inference_mode(), autocast(torch.device(device), spec.precision):
            model(clips)

    batch = sampler.ids_per_batch * recipe.clips_per_id
    stages = 2 if recipe.first_stage else 1  # of about the same network
    steps = 0 if spec.checkpoint else stages * len(sampler) * recipe.epochs
    with LiveTensors() as live:
        step()
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    seconds = _seconds(step) / CLIPS * batch * steps if steps else 0.0
    embedded = sum(len(recipe.rule.clips(len(t))) for t in dataset.test)
    seconds += _seconds(forward) / CLIPS * embedded
    memory = 4 * weights + live.peak * batch / CLIPS
    return Estimate(steps=steps, seconds=seconds, memory_mb=memory / 1e6)


def _seconds(work: Callable[[], None]) -> float:
    work()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def describe(plan: Plan, estimates: Sequence[Estimate]) -> str:
    """One line on the whole plan."""
    total = sum(e.seconds for e in estimates)
    peak = max(e.memory_mb for e in estimates) / 1e3
    return f"{len(plan.runs)} runs, about {duration(total)}, {peak:.1f} GB at most, into {plan.out}"
