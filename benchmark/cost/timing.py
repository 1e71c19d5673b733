"""What a method costs: counted (`benchmark.cost.macs`), timed and its memory; the machine."""

import dataclasses
import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmark.cost.macs import Count, count
from benchmark.cost.memory import forward_peak_mb
from benchmark.device import autocast, device_name

WARM_UP, LEAST_RUNS, MOST_SECONDS = 2, 5, 2.0
BATCHES = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, kw_only=True)
class Cost(Count):
    """The cost of embedding one clip: what is counted, and what is measured.

    Attributes:
        latency_ms: median time of one clip, in milliseconds.
        latency_iqr_ms: distance of the quartiles.
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
        precision: ``no``, ``fp16`` or ``bf16``.

    Raises:
        ValueError: the network uses an operator that cannot be counted.
    """
    was_training, model = model.training, model.eval().to(device)
    clip = torch.zeros(1, frames, 3, height, width, device=device)
    counted = count(model, clip)
    with torch.inference_mode(), autocast(device, precision):
        times = latencies(model, clip)
        throughput, batch = best_throughput(model, clip)
        peak = forward_peak_mb(model, clip)
    quartiles = statistics.quantiles(times, n=4)
    model.train(was_training)
    return Cost(
        **dataclasses.asdict(counted),
        latency_ms=round(statistics.median(times) * 1e3, 3),
        latency_iqr_ms=round((quartiles[2] - quartiles[0]) * 1e3, 3),
        clips_per_s=round(throughput, 2),
        best_batch=batch,
        peak_memory_mb=round(peak, 2),
        device=device_name(device),
        precision=precision,
    )


# ---- time ----------------------------------------------------------------------------------------


def latencies(model: nn.Module, clips: Tensor, most_seconds: float = MOST_SECONDS) -> list[float]:
    """Seconds of single forward passes after a warm-up, synchronised; at least five of them."""
    for _ in range(WARM_UP):
        model(clips)
    times: list[float] = []
    while len(times) < LEAST_RUNS or (sum(times) < most_seconds and len(times) < 100):
        times.append(_timed(model, clips))
    return times


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
