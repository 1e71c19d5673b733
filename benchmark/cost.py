"""What a method costs: parameters, multiply-adds, time, memory.

GMACs are fvcore's "flops": one multiply-add counts 1. fvcore leaves fused attention and LSTMs out;
both have a handle here. What is left out beyond that is compared with an explicit list of operators
that have no multiply-adds worth counting, and a count with any other operator in it is refused.
"""

import contextlib
import dataclasses
import logging
import math
import resource
import statistics
import time
import warnings
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

WARM_UP, LEAST_RUNS, MOST_SECONDS = 2, 5, 2.0
BATCHES = (1, 2, 4, 8, 16, 32)

# Operators without multiply-adds worth counting: element-wise, pooling, softmax, reductions,
# indexing. Their in-place forms (a trailing _) go with them.
UNCOUNTED = frozenset(
    f"aten::{name}"
    for name in [
        "__and__",
        "abs",
        "add",
        "amax",
        "amin",
        "argmax",
        "bitwise_not",
        "ceil",
        "clamp",
        "clamp_min",
        "cumsum",
        "div",
        "eq",
        "exp",
        "expand_as",
        "fill",
        "floor_divide",
        "fmod",
        "gather",
        "gelu",
        "hardtanh",
        "index",
        "index_select",
        "leaky_relu",
        "linalg_vector_norm",
        "log",
        "max",
        "max_pool2d",
        "max_pool3d",
        "maximum",
        "mean",
        "minimum",
        "mul",
        "neg",
        "norm",
        "ones_like",
        "pad",
        "pow",
        "randint",
        "reciprocal",
        "relu",
        "remainder",
        "repeat",
        "repeat_interleave",
        "replication_pad3d",
        "roll",
        "rsqrt",
        "rsub",
        "sigmoid",
        "silu",
        "softmax",
        "softplus",
        "sort",
        "sqrt",
        "square",
        "stack",
        "sub",
        "sum",
        "tanh",
        "topk",
        "unbind",
        "unflatten",
        "where",
        "zeros_like",
    ]
)


@dataclass(frozen=True, kw_only=True)
class Count:
    """What can be counted of embedding one clip, without a clock; the same on every machine.

    Attributes:
        params_m: parameters without the classifier, in 10⁶.
        gmacs: multiply-adds of one clip, in 10⁹ (fvcore's unit).
        activations_m: elements that convolutions, linear layers and attention put out, in 10⁶.
        frames: T; ``height`` and ``width``: pixels.
        parts: ``gmacs`` of stem, stages and attention layers, and of the ``rest``; they sum to it.
        left_out: operators without counted multiply-adds, with how often they ran.
    """

    params_m: float
    gmacs: float
    activations_m: float
    frames: int
    height: int
    width: int
    parts: dict[str, float]
    left_out: dict[str, int]


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


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager:
    """Autocast of that precision; nothing for ``no``."""
    kinds = {"fp16": torch.float16, "bf16": torch.bfloat16}
    if precision not in kinds:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=kinds[precision])


# ---- multiply-adds -------------------------------------------------------------------------------


def count(model: nn.Module, clip: Tensor) -> Count:
    """Count one clip, ``[1, T, 3, H, W]``; the model is put into evaluation.

    Raises:
        ValueError: an operator is neither counted nor known to have no multiply-adds.
    """
    analysis = _multiply_adds(model, clip)
    _, frames, _, height, width = clip.shape
    return Count(
        params_m=sum(p.numel() for p in model.parameters()) / 1e6,
        gmacs=analysis.total() / 1e9,
        activations_m=count_activations(model, clip),
        frames=frames,
        height=height,
        width=width,
        parts={name: macs / 1e9 for name, macs in _parts(model, analysis.by_module()).items()},
        left_out=_left_out(analysis),
    )


def count_gmacs(model: nn.Module, clips: Tensor) -> float:
    """10⁹ multiply-adds of one forward pass.

    Raises:
        ValueError: an operator is neither counted nor known to have no multiply-adds.
    """
    return _multiply_adds(model, clips).total() / 1e9


def _multiply_adds(model: nn.Module, clips: Tensor) -> FlopCountAnalysis:
    handles = {"scaled_dot_product_attention": _attention_macs, "lstm": _lstm_macs}
    analysis = _analyse(FlopCountAnalysis, model, clips, handles)
    strange = {
        name
        for name in analysis.unsupported_ops()
        if {name, name.removesuffix("_")}.isdisjoint(UNCOUNTED)
    }
    if strange:
        raise ValueError(
            f"cannot count the multiply-adds of {type(model).__name__}: "
            f"{', '.join(sorted(strange))} "
            "is neither counted nor listed in benchmark.cost.UNCOUNTED"
        )
    return analysis


def _left_out(analysis: FlopCountAnalysis) -> dict[str, int]:
    found = sorted(analysis.unsupported_ops().items())
    return {name.removeprefix("aten::"): times for name, times in found}


def _parts(model: nn.Module, by_module: dict[str, float]) -> dict[str, float]:
    """A model's children; those of a trunk (stem, stages) and of a group of layers one by one."""
    found: dict[str, float] = {}
    for name, child in model.named_children():
        trunk, group = hasattr(child, "layer1"), isinstance(child, nn.ModuleDict | nn.ModuleList)
        for inner, _ in child.named_children() if trunk or group else [("", None)]:
            path = ".".join(part for part in ("model", name, inner) if part)
            label = f"{name}.{inner}" if group else inner or name
            if trunk:
                stage = inner.startswith("layer")
                label = inner.replace("layer", "stage") if stage else "stem"
            found[label] = found.get(label, 0) + by_module.get(path, 0)
    found = {label: macs for label, macs in found.items() if macs}
    return found | {"rest": by_module[""] - sum(found.values())}


def count_activations(model: nn.Module, clips: Tensor) -> float:
    """10⁶ elements put out by convolutions, matrix products and attention."""
    handles = {"scaled_dot_product_attention": lambda _, out: math.prod(_shape(out[0]))}
    return _analyse(ActivationCountAnalysis, model, clips, handles).total() / 1e6


def _analyse(kind: type, model: nn.Module, clips: Tensor, handles: dict[str, Callable]):
    logging.getLogger("fvcore.nn.jit_analysis").setLevel(logging.ERROR)
    model.eval()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing warns of every Python number
        analysis = kind(_Embedding(model), clips)
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        for name, handle in handles.items():
            analysis.set_op_handle(f"aten::{name}", handle)
        analysis.total()  # traces, once
    return analysis


class _Embedding(nn.Module):
    """The embedding alone: a trace cannot return a dict."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, clips: Tensor) -> Tensor:
        return self.model(clips).embedding


def _shape(value) -> list[int]:
    return value.type().sizes()


def _attention_macs(inputs, outputs) -> int:
    """Q kᵀ and its product with v: 2·B·L·L·d."""
    *batch, queries, width = _shape(inputs[0])
    keys, out = _shape(inputs[1])[-2], _shape(inputs[2])[-1]
    return math.prod(batch) * queries * keys * (width + out)


def _lstm_macs(inputs, outputs) -> int:
    """Four gates on input and state, for each step: 4·h·(d + h)."""
    sequence, hidden = _shape(inputs[0]), _shape(outputs[0])[-1]
    return math.prod(sequence[:-1]) * 4 * hidden * (sequence[-1] + hidden)


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


# ---- memory --------------------------------------------------------------------------------------


def forward_peak_mb(model: nn.Module, clips: Tensor) -> float:
    """Largest sum of tensors alive in a forward pass, weights and clips included; 10⁶ bytes."""
    kept = sum(t.numel() * t.element_size() for t in (*model.parameters(), *model.buffers(), clips))
    if clips.device.type == "cuda":
        before = torch.cuda.memory_allocated(clips.device)
        torch.cuda.reset_peak_memory_stats(clips.device)
        model(clips)
        return (kept + torch.cuda.max_memory_allocated(clips.device) - before) / 1e6
    with LiveTensors() as live:
        model(clips)
    return (kept + live.peak) / 1e6


class LiveTensors(TorchDispatchMode):
    """Follows the bytes of the tensors that operators make while it is active.

    Exact and the same on every machine, unlike the resident memory of a process, whose allocator
    keeps what it once got. Scratch space inside a single operator is not seen.
    """

    def __init__(self):
        super().__init__()
        self.bytes = self.peak = 0
        self.seen: set[int] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        given = {
            t.untyped_storage()._cdata for t in tree_iter((args, kwargs)) if isinstance(t, Tensor)
        }
        result = func(*args, **(kwargs or {}))
        for tensor in tree_iter(result):
            if isinstance(tensor, Tensor):
                self._follow(tensor.untyped_storage(), given)
        return result

    def _follow(self, storage, given: set[int]) -> None:
        key = storage._cdata
        if key in given or key in self.seen:
            return
        size = storage.nbytes()
        self.seen.add(key)
        self.bytes += size
        self.peak = max(self.peak, self.bytes)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self.seen.discard(key)
        self.bytes -= size


class PeakMemory:
    """Peak memory from its making on: of the device, or of this process on a CPU."""

    def __init__(self, device: torch.device):
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        else:
            with contextlib.suppress(OSError):  # Linux: start the high-water mark afresh
                Path("/proc/self/clear_refs").write_text("5")

    def peak_mb(self) -> float:
        """10⁶ bytes."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 1e6
        with contextlib.suppress(OSError, StopIteration):
            lines = Path("/proc/self/status").read_text().splitlines()
            return (
                int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
                * 1024
                / 1e6
            )
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


# ---- the machine ---------------------------------------------------------------------------------


def device_name(device: torch.device) -> str:
    """Name of the GPU or processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return processor()


def processor() -> str:
    """Name of the processor."""
    import platform

    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def environment(device: torch.device, precision: str) -> dict[str, str | int | None]:
    """What a reader must know of the machine and the packages behind a figure."""
    import platform
    from importlib.metadata import version

    packages = ("torch", "torchvision", "timm", "fvcore", "accelerate", "numpy")
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "platform": platform.platform(terse=True),
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "device": device.type,
        "gpu": device_name(device) if device.type == "cuda" else None,
        "precision": precision,
    }


def as_dict(cost: Cost) -> dict:
    """For JSON."""
    return dataclasses.asdict(cost)
