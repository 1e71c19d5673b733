"""Attention at T = 8 and 256 x 128 pixels: ours against the equation written out, and bfloat16.

Both sides are the same network with the same weights on the same clips, each in a fresh process.
The literal side keeps every matrix of the softmax, as the equation has it; frames lie in memory as
PyTorch's default has them.
"""

import json
import sys
import time

import sides
import torch
from torch import nn

import zoo
from benchmark.clips import chunk_first
from benchmark.cost.macs import count_gmacs
from benchmark.datasets.catalogue import open_dataset
from benchmark.device import autocast
from benchmark.pixels import normalise, read_clip
from methods import non_local
from methods.backbone import channels_last
from zoo import registry

FRAMES, HEIGHT, WIDTH = 8, 256, 128
ROUNDS = 3


def main() -> None:
    """Print seconds, memory, GFLOP/s and ratios."""
    peak = gemm_peak()
    print(f"float32 matrix products here: {peak:.0f} GFLOP/s on {torch.get_num_threads()} threads")
    for method in ("nvan", "stenvan"):
        gmacs = count_gmacs(network(method, literal=False), clips(1))
        for batch in (1, 4):
            found = {
                side: sides.best(__file__, side, f"{method},{batch}")
                for side in ("literal", "ours")
            }
            for side, run in found.items():
                speed = 2 * gmacs * batch / run["seconds"]
                print(
                    f"{method}, batch {batch}, {side}: {run['seconds']:.2f} s, {speed:.0f} GFLOP/s "
                    f"({speed / peak:.0%} of the peak), {run['MB']:.0f} MB above the loaded model"
                )
            faster = found["literal"]["seconds"] / found["ours"]["seconds"]
            smaller = found["ours"]["MB"] / found["literal"]["MB"]
            targets = "(targets 1.1, 0.75)" if batch == 1 else "(targets 1.1, 0.60)"
            print(
                f"{method}, batch {batch}: {faster:.2f} times as fast, {smaller:.2f} of the memory "
                f"{targets if method == 'nvan' else '(target 1.0 in time)'}"
            )
            sys.stdout.flush()
    bfloat16()


def bfloat16() -> None:
    """Print what --precision bf16 gives at a batch of 4, and what it does to trained weights."""
    found = {side: sides.best(__file__, side, "nvan,4") for side in ("ours", "bf16")}
    ratio = found["ours"]["seconds"] / found["bf16"]["seconds"]
    print(
        f"nvan, batch 4, bf16: {ratio:.2f} times as fast as float32 (target 2 on a CPU that has "
        f"it); cosine of an embedding with the float32 one at least {least_cosine():.4f} with the "
        "packaged nvan.synthetic (target 0.999)"
    )


def least_cosine() -> float:
    """The least cosine between bfloat16 and float32 embeddings of pedestrians, trained weights."""
    dataset = open_dataset("synthetic[identities=8,cameras=2,frames=4]")
    model = zoo.load("nvan.synthetic")
    found = {}
    for precision in ("no", "bf16"):
        with torch.inference_mode(), autocast(torch.device("cpu"), precision):
            found[precision] = torch.cat(
                [
                    model(normalise(read_clip(t, chunk_first(len(t), 4), 128, 64)[None])).embedding
                    for t in dataset.test
                ]
            ).float()
    return torch.cosine_similarity(found["no"], found["bf16"]).min().item()


def gemm_peak() -> float:
    """GFLOP/s of a large product, the best of five."""
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - started)
    return 2 * 2048**3 / min(times) / 1e9


def clips(batch: int) -> torch.Tensor:
    """The same clips on every side."""
    shape = (batch, FRAMES, 3, HEIGHT, WIDTH)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def network(method: str, *, literal: bool) -> nn.Module:
    """The same weights on every side; layers that start at zero are woken."""
    torch.manual_seed(0)
    model = registry.create(method).eval()
    for module in model.modules():
        if isinstance(module, non_local.NonLocal):
            nn.init.normal_(module.norm.weight, std=0.1)
    return model if literal else channels_last(model)


def attend_literally(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """softmax(q k') v, matrix by matrix."""
    return (q @ k.transpose(1, 2)).softmax(-1) @ v


def side(name: str, what: str) -> None:
    """Run one side and print JSON."""
    method, batch = what.split(",")
    if name == "literal":
        non_local.attend = attend_literally
    model, x = network(method, literal=name == "literal"), clips(int(batch))
    precision = "bf16" if name == "bf16" else "no"

    def work() -> None:
        with torch.inference_mode(), autocast(torch.device("cpu"), precision):
            model(x)

    memory = sides.measured(work)["MB"]
    times = [sides.measured(work)["seconds"] for _ in range(ROUNDS)]
    print(json.dumps({"seconds": min(times), "MB": memory}))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        side(*sys.argv[1:])
    else:
        main()
