"""What a planned run will take here, before anything is rendered or trained: ``--dry-run``.

A network's multiply-adds and memory are counted on shapes alone. How fast this machine is says one
training step of the bare backbone on a few images.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmark.cost.memory import LiveTensors
from benchmark.datasets.base import OUTLINE
from benchmark.device import autocast
from benchmark.progress import SILENT, Progress, duration
from benchmark.samplers import SAMPLERS
from zoo import registry
from zoo.experiment.network import build
from zoo.experiment.plan import Plan, PlannedRun

CLIPS = 4  # of the step that is counted
IMAGES = {"cpu": 1, "cuda": 32, "mps": 8}  # that the machine's speed is taken from
UNKNOWN = "resnet50"  # stands for the backbone of a method that brings its own network
TRAINING = 3  # times the multiply-adds of a forward pass, with the backward one


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a run will take on this machine.

    Attributes:
        steps: optimiser steps.
        seconds: training and embedding.
        memory_mb: tensors alive in a training step, in 10⁶ bytes.
    """

    steps: int
    seconds: float
    memory_mb: float


@dataclass(frozen=True)
class Step:
    """What one clip of a batch takes: seconds to train on and to embed, bytes to keep."""

    training_s: float
    embedding_s: float
    bytes: float


def estimates(plan: Plan, progress: Progress = SILENT) -> list[Estimate]:
    """`estimate` of every run of a plan; what differs in seed or split alone is counted once."""
    found: dict[str, Step] = {}
    told = []
    for done, run in enumerate(plan.runs):
        progress.advance("estimating", done, len(plan.runs))
        spec = run.spec
        key = f"{spec.method} {spec.backbone} {spec.settings} {spec.precision}"
        if key not in found:
            found[key] = step_of(run, plan.options.device)
        told.append(estimate(run, found[key]))
    progress.advance("estimating", len(plan.runs), len(plan.runs))
    return told


def estimate(planned: PlannedRun, step: Step) -> Estimate:
    """A step's time times their number, and embedding."""
    spec, dataset = planned.spec, planned.dataset
    recipe = spec.trained_by(planned.scoring.evaluation)
    pids = [t.pid for t in dataset.train]
    sampler = SAMPLERS[recipe.sampler](pids, recipe.ids_per_batch, recipe.clips_per_id, spec.seed)
    batch = sampler.ids_per_batch * recipe.clips_per_id
    stages = 2 if recipe.first_stage else 1  # of about the same network
    steps = 0 if spec.checkpoint else stages * len(sampler) * recipe.epochs
    embedded = sum(len(recipe.rule.clips(len(t))) for t in dataset.test)
    seconds = steps * batch * step.training_s + embedded * step.embedding_s
    return Estimate(steps=steps, seconds=seconds, memory_mb=batch * step.bytes / 1e6)


def step_of(planned: PlannedRun, device: str) -> Step:
    """What one clip takes in training and in test."""
    spec = planned.spec
    recipe = spec.trained_by(planned.scoring.evaluation)
    shape = CLIPS, recipe.frames, 3, recipe.height, recipe.width
    persons = len(planned.dataset.train_pids)
    backbone = UNKNOWN if spec.backbone == registry.OWN else spec.backbone
    speed = _speed(backbone, shape[-2:], device, spec.precision)
    try:
        with torch.device("meta"):
            flops, kept, _ = _count(build(spec, persons, trained=True), torch.empty(shape))
    except Exception:  # a method that looks at values: it computes, on one small batch
        model = build(spec, persons, trained=True).to(device)
        flops, kept, seconds = _count(model, torch.randn(shape, device=device))
        speed = flops / seconds
    return Step(TRAINING * flops / speed / CLIPS, flops / speed / CLIPS, kept / CLIPS)


def _count(model: nn.Module, clips: torch.Tensor) -> tuple[int, float, float]:
    """Operations of a forward pass, bytes of a training step, seconds that the pass took."""
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    model.train()
    with FlopCounterMode(display=False) as counted, LiveTensors() as live:
        started = time.perf_counter()
        output = model(clips)  # kept alive: so is all that the backward pass needs
        passed = time.perf_counter() - started
    del output
    # weights, gradients and two moments of each
    return counted.get_total_flops(), live.peak + 4 * weights, passed


@cache
def _speed(backbone: str, size: tuple[int, int], device: str, precision: str) -> float:
    """Operations a second in training here: a step of the bare backbone, the second one timed.

    On a CPU the processor time of one thread is taken times the threads: what goes on beside would
    otherwise be taken for the machine's speed.
    """
    with torch.device("meta"):  # what the weights are makes no difference
        network = registry.build_backbone(backbone).train()
    network = network.to_empty(device=device)
    for tensor in (*network.parameters(), *network.buffers()):
        tensor.detach().fill_(0.01)
    images = torch.randn(IMAGES[device], 3, *size, device=device)
    threads = torch.get_num_threads()

    def step() -> None:
        with autocast(torch.device(device), precision):
            output = network(images)
        output.float().sum().backward()
        if device == "cuda":
            torch.cuda.synchronize()

    try:
        torch.set_num_threads(1)
        with FlopCounterMode(display=False) as counted:
            step()
        clock = time.process_time if device == "cpu" else time.perf_counter
        started = clock()
        step()
        passed = clock() - started
    finally:
        torch.set_num_threads(threads)
    return counted.get_total_flops() / passed * (threads if device == "cpu" else 1)


def describe(plan: Plan, found: Sequence[Estimate]) -> str:
    """One line on the whole plan, and one on data that are not there yet."""
    total = sum(e.seconds for e in found)
    peak = max(e.memory_mb for e in found) / 1e3
    runs = "1 run" if len(plan.runs) == 1 else f"{len(plan.runs)} runs"
    line = f"{runs}, about {duration(total)} here, {peak:.1f} GB at most, into {plan.out}"
    unmade = dict.fromkeys(run.dataset.name for run in plan.runs if OUTLINE in run.dataset.notes)
    return line + "".join(f"\n{name} is rendered first; run ids are known then" for name in unmade)
