"""Training steps a second: ours against the same step written plainly, by turns in one process.

On a CPU under `quick`, on a GPU under `unified`; batches lie in memory, so that only the step
counts. On a GPU also TF32, bfloat16 and compiled steps, and the share of time that training waits
for data when clips come from files.
"""

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn

import zoo
from benchmark.device import device_name, set_arithmetic
from benchmark.epoch import epoch
from benchmark.optimisers import adam, parameters_of
from benchmark.pixels import MEAN, STD
from benchmark.recipe import Recipe
from benchmark.recipes import recipe
from benchmark.samplers import SAMPLERS, TrainingClips, batches
from benchmark.training_state import TrainingState
from zoo import registry

VARIANTS = ("tf32", "bf16", "bf16 compiled")
METHODS = ("nvan", "stenvan", "sta", "resnet3d50_nl")
PERSONS = 600
STEPS, ROUNDS = (20, 3) if torch.cuda.is_available() else (2, 5)
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def main() -> None:
    """Print steps a second of both sides and their ratio, for each method."""
    if len(sys.argv) == 3:
        print(json.dumps(measured(*sys.argv[1:])))
        return
    chosen = recipe_here()
    size = f"{chosen.ids_per_batch * chosen.clips_per_id} clips of {chosen.frames} frames"
    print(f"training steps on {device_name(DEVICE)}, recipe {chosen.name}, {size}", flush=True)
    for method in METHODS:
        found = in_own_process(method, "float32")
        print(
            f"{method}: ours {found['ours']:.2f}/s, plain {found['plain']:.2f}/s, ratio "
            f"{found['ours'] / found['plain']:.2f} (target 1.0)",
            flush=True,
        )
        for variant in VARIANTS if DEVICE.type == "cuda" else ():
            speed = in_own_process(method, variant)["ours"]
            print(f"  {variant}: {speed:.2f}/s, {speed / found['ours']:.2f} x float32", flush=True)
        if DEVICE.type == "cuda":
            waiting = 1 - in_own_process(method, "from files")["ours"] / found["ours"]
            print(f"  waiting for data: {max(waiting, 0):.0%} of the time", flush=True)


def in_own_process(method: str, variant: str) -> dict[str, float]:
    """Steps a second of each side."""
    command = [sys.executable, __file__, method, variant]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measured(method: str, variant: str) -> dict[str, float]:
    """The same in this process; the plain side is of float32."""
    chosen = recipe_here()
    sides = {"ours": ours(method, chosen, variant)}
    if variant == "float32":
        sides["plain"] = plain(method, chosen)
    return fastest(sides)


def recipe_here() -> Recipe:
    """What is trained under on this machine, from random weights."""
    chosen = recipe("unified" if DEVICE.type == "cuda" else "quick")
    return dataclasses.replace(chosen, init="none", losses=("cross_entropy", "triplet"))


def fastest(sides: dict[str, Callable[[], int]]) -> dict[str, float]:
    """Steps a second of each side's fastest round, after one that does not count."""
    best = dict.fromkeys(sides, 0.0)
    for counts in [False] + ROUNDS * [True]:
        for name, side in sides.items():
            started = time.perf_counter()
            steps = side()
            if DEVICE.type == "cuda":
                torch.cuda.synchronize()
            if counts:
                best[name] = max(best[name], steps / (time.perf_counter() - started))
    return best


def network(method: str, chosen: Recipe) -> nn.Module:
    """A method's network for training."""
    torch.manual_seed(0)
    size = chosen.height, chosen.width
    own = registry.own_backbone(registry.find(method)[0])
    backbone = str(chosen.backbone_of(own))
    model = zoo.create(
        method, PERSONS, backbone=backbone, size=size, frames=chosen.frames, neck=chosen.neck
    )
    return model.to(DEVICE).train()


def in_memory(chosen: Recipe) -> list[list[Tensor]]:
    """Batches of noise, persons side by side."""
    rng = torch.Generator().manual_seed(0)
    clips = chosen.ids_per_batch * chosen.clips_per_id
    shape = (clips, chosen.frames, 3, chosen.height, chosen.width)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=rng)
    persons = torch.arange(chosen.ids_per_batch).repeat_interleave(chosen.clips_per_id)
    batch = [pixels, persons, torch.rand(clips, generator=rng) < 0.5]
    return STEPS * [[t.pin_memory() if DEVICE.type == "cuda" else t for t in batch]]


def clips_from_files(chosen: Recipe):
    """Training clips of the synthetic set, by as many processes as there are cores."""
    dataset = zoo.open_dataset("synthetic")
    pids = [tracklet.pid for tracklet in dataset.train]
    sampler = SAMPLERS[chosen.sampler](pids, chosen.ids_per_batch, chosen.clips_per_id, 0)
    return batches(TrainingClips(dataset, chosen, 0), sampler, os.cpu_count() or 1)


def ours(method: str, chosen: Recipe, variant: str) -> Callable[[], int]:
    """An epoch of `benchmark.epoch`."""
    half = "bf16" if variant.startswith("bf16") else "no"
    accelerator = Accelerator(cpu=DEVICE.type == "cpu", mixed_precision=half)
    model = accelerator.prepare_model(network(method, chosen), evaluation_mode=True)
    optimiser = accelerator.prepare_optimizer(adam(parameters_of(model, chosen), chosen))
    compiled = variant.endswith("compiled")
    state = TrainingState(model, optimiser, accelerator, Path(os.devnull), compiled=compiled)
    steps = clips_from_files(chosen) if variant == "from files" else in_memory(chosen)

    def run() -> int:
        set_arithmetic(DEVICE, variant)
        epoch(state, steps, chosen)
        return len(steps)

    return run


def plain(method: str, chosen: Recipe) -> Callable[[], int]:
    """The step as one would write it for one method."""
    model, steps = network(method, chosen), in_memory(chosen)
    optimiser = torch.optim.Adam(model.parameters(), lr=chosen.lr, weight_decay=chosen.weight_decay)
    mean, std = (torch.tensor(v, device=DEVICE)[:, None, None] for v in (MEAN, STD))

    def run() -> int:
        set_arithmetic(DEVICE, "float32")
        total = 0.0
        for batch in steps:
            clips, persons, flips = (t.to(DEVICE) for t in batch)
            x = (clips.float() / 255 - mean) / std
            x = torch.where(flips[:, None, None, None, None], x.flip(-1), x)
            output = model(x)
            loss = F.cross_entropy(output.logits, persons, label_smoothing=chosen.smoothing)
            loss = loss + hardest(output.metric, persons) + sum(output.penalties.values())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item()
        return len(steps)

    return run


def hardest(metric: Tensor, persons: Tensor) -> Tensor:
    """Batch-hard triplet loss with a soft margin, as it is usually written."""
    between = torch.cdist(metric, metric)
    same = persons[:, None] == persons
    positive = (between * same).max(1).values
    negative = (between + 1e9 * same).min(1).values
    return F.softplus(positive - negative).mean()


if __name__ == "__main__":
    main()
