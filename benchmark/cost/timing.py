"""What a method costs: counted (`benchmark.cost.macs`), timed and its memory; the machine.

A latency measured while the machine does other work is wrong by any factor. So it is measured again
until its quartiles lie close together, and marked as unsteady where they never do.
"""

import dataclasses
import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmark.cost.macs import Count, count
from benchmark.cost.memory import forward_peak_mb
from benchmark.device import autocast, device_name, set_arithmetic

WARM_UP, LEAST_RUNS, MOST_RUNS, MOST_SECONDS = 2, 5, 100, 2.0
STEADY, ATTEMPTS = 0.1, 5  # quartiles closer than this share of the median; how often to try
BATCHES = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, kw_only=True)
class Cost(Count):
    """The cost of embedding one clip: what is counted, and what is measured.

    Attributes:
        latency_ms: median time of one clip, in milliseconds.
        latency_iqr_ms: distance of the quartiles.
        latency_steady: whether that is below a tenth of the median; if not, the machine was busy,
            and the figure compares with no other.
        clips_per_s: throughput at ``best_batch``.
        best_batch: batch with the highest throughput.
        peak_memory_mb: largest sum of tensors alive in one forward of one clip, weights included,
            in 10⁶ bytes.
        device: processor or GPU.
        precision: ``no`` (float32), ``fp16`` or ``bf16``.
    """

    latency_ms: float
    latency_iqr_ms: float
    clips_per_s: float
    best_batch: int
    peak_memory_mb: float
    device: str
    precision: str
    latency_steady: bool = True


def measure(
    model: nn.Module,
    frames: int,
    height: int,
    width: int,
    device: torch.device,
    precision: str = "no",
) -> Cost:
    """Count and time a method in evaluation; the model is left as it was found.

    Args:
        model: follows the contract; its classifier should have been left out (``num_classes=0``).
        frames: T.
        height: pixels.
        width: pixels.
        device: where to time it.
        precision: ``no``, ``tf32``, ``fp16`` or ``bf16``.
    """
    set_arithmetic(device, precision)
    was_training, model = model.training, model.eval().to(device)
    clip = torch.zeros(1, frames, 3, height, width, device=device)
    counted = count(model, clip)
    with torch.inference_mode(), autocast(device, precision):
        times = steadiest_latencies(model, clip)
        throughput, batch = best_throughput(model, clip)
        peak = forward_peak_mb(model, clip)
    model.train(was_training)
    first, median, third = statistics.quantiles(times, n=4)
    return Cost(
        **dataclasses.asdict(counted),
        latency_ms=round(median * 1e3, 3),
        latency_iqr_ms=round((third - first) * 1e3, 3),
        latency_steady=spread(times) < STEADY,
        clips_per_s=round(throughput, 2),
        best_batch=batch,
        peak_memory_mb=round(peak, 2),
        device=device_name(device),
        precision=precision,
    )


# ---- time ----------------------------------------------------------------------------------------


def steadiest_latencies(model: nn.Module, clips: Tensor) -> list[float]:
    """The first series of `latencies` that is steady, else the steadiest of a few.

    There is no further series after ten seconds.
    """
    found: list[list[float]] = []
    for _ in range(ATTEMPTS):
        found.append(latencies(model, clips))
        if spread(found[-1]) < STEADY or sum(map(sum, found)) > ATTEMPTS * MOST_SECONDS:
            break
    return min(found, key=spread)


def latencies(model: nn.Module, clips: Tensor) -> list[float]:
    """Seconds of single forward passes after a warm-up, synchronised; at least five of them."""
    for _ in range(WARM_UP):
        model(clips)
    times: list[float] = []
    while len(times) < LEAST_RUNS or (sum(times) < MOST_SECONDS and len(times) < MOST_RUNS):
        times.append(_timed(model, clips))
    return times


def spread(times: list[float]) -> float:
    """Distance of the quartiles as a share of the median."""
    first, median, third = statistics.quantiles(times, n=4)
    return (third - first) / median


def best_throughput(model: nn.Module, clip: Tensor) -> tuple[float, int]:
    """``(clips per second, batch)`` of the fastest batch that pays and fits."""
    best, at = 0.0, 1
    for batch in BATCHES:
        clips = clip.expand(batch, *clip.shape[1:]).contiguous()
        try:
            model(clips)
            speed = batch / min(_timed(model, clips) for _ in range(2))
        except torch.OutOfMemoryError:
            break
        if speed > best:
            best, at = speed, batch
        elif speed < 0.9 * best:
            break
    return best, at


def _timed(model: nn.Module, clips: Tensor) -> float:
    _synchronise(clips.device)
    started = time.perf_counter()
    model(clips)
    _synchronise(clips.device)
    return time.perf_counter() - started


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
