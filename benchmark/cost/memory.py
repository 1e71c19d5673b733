"""Peak memory: of the tensors of one forward pass, and of a whole process or device."""

import contextlib
import resource
import weakref
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter


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
            highest = next(line for line in lines if line.startswith("VmHWM"))
            return int(highest.split()[1]) * 1024 / 1e6
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
